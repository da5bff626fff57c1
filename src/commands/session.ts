import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { AppError } from '../kernel/errors.js'
import { type Quotas, quotasOf } from '../limits/quotas.js'
import { ConfigError } from '../config/config.js'
import type { Db } from '../postgres/schema.js'
import { exportPage } from '../transcripts/store/session-export.js'
import { importSession } from '../transcripts/store/session-import.js'
import { newSessionId, readSessionOrThrow } from '../sessions/store/sessions.js'
import { endLine, headerLine, messageLine, readTranscript } from '../transcripts/transcript.js'
import { operator, parseWorkspaceOption, withDatabase, writeAuditRow } from './operator.js'

export const USAGE =
  'Usage: session export <session_id>, or session import <file> (- reads the standard input). ' +
  'Both take --workspace <name>; the workspace is default unless named.'
const PAGE = 1000

/**
 * session export <session_id> | session import <file>: as an admin, who sees every message; for sessions of any length.
 * @throws ConfigError if the arguments are wrong, or the session or file cannot be read
 */
export async function session(args: string[]): Promise<void> {
  const {
    positionals: [verb, target, ...more],
    workspace
  } = parseWorkspaceOption(args, USAGE)
  if (target === undefined || more.length > 0 || (verb !== 'export' && verb !== 'import')) throw new ConfigError(USAGE)
  await withDatabase(async (db, config) => {
    try {
      if (verb === 'export') await exportTo(process.stdout, db, workspace, target)
      else
        console.log(
          await importFrom(
            target === '-' ? process.stdin : (await open(target)).createReadStream(),
            db,
            workspace,
            quotasOf(config)
          )
        )
    } catch (error) {
      if (error instanceof AppError)
        throw new ConfigError(
          error.code === 'INVALID_INPUT'
            ? `${error.message} Found: ${String(error.context?.given)}. Expected: ${String(error.context?.allowed)}.`
            : error.message
        )
      if ((error as NodeJS.ErrnoException).syscall !== undefined && verb === 'import')
        throw new ConfigError(`The file cannot be read (${(error as NodeJS.ErrnoException).code}).`)
      throw error
    }
  })
}

/** Exports a consistent snapshot: one repeatable-read transaction hides concurrent writes and deletions. */
async function exportTo(out: NodeJS.WriteStream, db: Db, workspace: string, session_id: string): Promise<void> {
  const viewer = operator(workspace)
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async tx => {
      const row = await readSessionOrThrow(tx, viewer, session_id)
      await write(out, headerLine(row))
      let exported = 0
      for (let after = 0, more = true; more;) {
        const { messages, has_more } = await exportPage(tx, viewer, session_id, after, row.last_seq, PAGE)
        if (messages.length > 0) await write(out, messages.map(messageLine).join(''))
        exported += messages.length
        after = messages.at(-1)?.seq ?? after
        more = has_more
      }
      await writeAuditRow(tx, workspace, 'session export', {
        event_type: 'session_exported',
        session_id,
        resource: `session:${session_id}`,
        metadata: { messages: exported }
      })
      await write(out, endLine(exported))
    })
}

async function importFrom(file: Readable, db: Db, workspace: string, quotas: Quotas): Promise<string> {
  return db.transaction().execute(async tx => {
    const {
      session: { id: exported_id, ...row },
      messages
    } = await readTranscript(linesOf(file))
    const session_id = newSessionId()
    const count = await importSession(tx, workspace, session_id, row, messages, quotas)
    await writeAuditRow(tx, workspace, 'session import', {
      event_type: 'session_imported',
      session_id,
      resource: `session:${session_id}`,
      metadata: { messages: count, exported_session_id: exported_id }
    })
    return session_id
  })
}

async function write(out: NodeJS.WriteStream, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain')
}

/** Splits at \n only. node:readline would also split at other characters, such as U+2028. */
async function* linesOf(file: Readable): AsyncGenerator<string> {
  let remainder = ''
  for await (const chunk of file.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (remainder + chunk).split('\n')
    remainder = lines.pop() ?? ''
    yield* lines
  }
  yield remainder
}

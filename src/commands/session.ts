import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { AppError } from '../kernel/errors.js'
import { type Quotas, quotasOf } from '../limits/quotas.js'
import { ConfigError } from '../config/config.js'
import * as audit from '../audit/store/rows.js'
import type { Db } from '../postgres/schema.js'
import { exportPage } from '../transcripts/store/session-export.js'
import { importSession } from '../transcripts/store/session-import.js'
import { need, newSessionId } from '../sessions/store/sessions.js'
import { endLine, headerLine, messageLine, readTranscript } from '../transcripts/transcript.js'
import { byOperator, operator, wordsAndWorkspace, withDatabase } from './operator.js'

export const USAGE =
  'Say one of: session export <session_id>, session import <file> (or - for the standard input); with --workspace <name> for another workspace than default.'
const PAGE = 1000

/** session export <session_id> | session import <file>: with an administrator's eyes, however long the session is. */
export async function session(args: string[]): Promise<void> {
  const {
    words: [verb, what, ...more],
    workspace
  } = wordsAndWorkspace(args, USAGE)
  if (what === undefined || more.length > 0 || (verb !== 'export' && verb !== 'import')) throw new ConfigError(USAGE)
  await withDatabase(async (db, config) => {
    try {
      if (verb === 'export') await exportTo(process.stdout, db, workspace, what)
      else
        console.log(
          await importFrom(
            what === '-' ? process.stdin : (await open(what)).createReadStream(),
            db,
            workspace,
            quotasOf(config)
          )
        )
    } catch (error) {
      if (error instanceof AppError)
        throw new ConfigError(
          error.code === 'INVALID_INPUT'
            ? `${error.message} It has ${String(error.context?.given)}; allowed is: ${String(error.context?.allowed)}.`
            : error.message
        )
      if ((error as NodeJS.ErrnoException).syscall !== undefined && verb === 'import')
        throw new ConfigError(`The file cannot be read (${(error as NodeJS.ErrnoException).code}).`)
      throw error
    }
  })
}

/** As the session is at one moment, whatever is written or deleted meanwhile. */
async function exportTo(out: NodeJS.WriteStream, db: Db, workspace: string, session_id: string): Promise<void> {
  const viewer = operator(workspace)
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async tx => {
      const row = await need(tx, viewer, session_id)
      await write(out, headerLine(row))
      let told = 0
      for (let after = 0, more = true; more;) {
        const { messages, has_more } = await exportPage(tx, viewer, session_id, after, row.last_seq, PAGE)
        if (messages.length > 0) await write(out, messages.map(messageLine).join(''))
        told += messages.length
        after = messages.at(-1)?.seq ?? after
        more = has_more
      }
      await audit.write(
        tx,
        byOperator(workspace, 'session export', {
          event_type: 'session_exported',
          session_id,
          resource: `session:${session_id}`,
          metadata: { messages: told }
        })
      )
      await write(out, endLine(told))
    })
}

async function importFrom(file: Readable, db: Db, workspace: string, quotas: Quotas): Promise<string> {
  return db.transaction().execute(async tx => {
    const {
      session: { id: exported, ...row },
      messages
    } = await readTranscript(linesOf(file))
    const session_id = newSessionId()
    const count = await importSession(tx, workspace, session_id, row, messages, quotas)
    await audit.write(
      tx,
      byOperator(workspace, 'session import', {
        event_type: 'session_imported',
        session_id,
        resource: `session:${session_id}`,
        metadata: { messages: count, exported_session_id: exported }
      })
    )
    return session_id
  })
}

async function write(out: NodeJS.WriteStream, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain')
}

/** Lines end with \n alone: node:readline takes other characters for ends too. */
async function* linesOf(file: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of file.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
}

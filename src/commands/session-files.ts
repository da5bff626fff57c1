import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Config } from '../config/config.js'
import { quotasOf } from '../limits/quotas.js'
import { splitLines } from '../kernel/lines.js'
import type { Db } from '../postgres/schema.js'
import { redactorOf } from '../redaction/redactor.js'
import { lookThrough } from '../transcripts/redacted-transcript.js'
import { exportPage } from '../transcripts/store/session-export.js'
import { importSession } from '../transcripts/store/session-import.js'
import { newSessionId } from '../sessions/store/session-creation.js'
import { readSessionOrThrow } from '../sessions/store/sessions.js'
import { endLine, headerLine, messageLine, readTranscript } from '../transcripts/transcript.js'
import { CommandError } from './failure.js'
import { needWorkspace, notice, noticeNewWorkspace, operator, withDatabase, writeAuditRow } from './operator.js'
import { isSessionId, keyOf } from './session-of.js'
import { counted } from './table.js'

/** Sessions as files, in the database: as an admin, who sees every message; for sessions of any length. */

/**
 * Prints a session with all its messages, as lines of JSON.
 * @param wanted the session's id, or its key
 */
export async function exportSession(workspace: string, wanted: string): Promise<void> {
  await withDatabase(async db => {
    await needWorkspace(db, workspace)
    await exportTo(process.stdout, db, workspace, wanted)
  })
}

/** @param name of a file of such lines; - is the standard input */
export async function importFile(workspace: string, name: string): Promise<void> {
  const file = name === '-' ? process.stdin : (await opened(name)).createReadStream()
  await withDatabase(async (db, config) => {
    await noticeNewWorkspace(db, workspace)
    console.log(await importFrom(file, db, workspace, config))
  })
}

const PAGE = 1000

async function opened(name: string): Promise<FileHandle> {
  try {
    const file = await open(name)
    if ((await file.stat()).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    return file
  } catch (error) {
    throw new CommandError(`The file ${name} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

/** Exports a consistent snapshot: one repeatable-read transaction hides concurrent writes and deletions. */
async function exportTo(out: NodeJS.WriteStream, db: Db, workspace: string, wanted: string): Promise<void> {
  const viewer = operator(workspace)
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async tx => {
      const session_id = isSessionId(wanted) ? wanted : await idByKey(tx, workspace, wanted)
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

/** @throws CommandError */
async function idByKey(tx: Db, workspace: string, wanted: string): Promise<string> {
  const found = await tx
    .selectFrom('sessions')
    .select('id')
    .where('workspace', '=', workspace)
    .where('key', '=', keyOf(wanted))
    .executeTakeFirst()
  if (found !== undefined) return found.id
  throw new CommandError(`There is no session '${wanted}' in the workspace ${workspace}: neither an id nor a key.`)
}

async function importFrom(file: Readable, db: Db, workspace: string, config: Config): Promise<string> {
  return db.transaction().execute(async tx => {
    const { transcript, found } = lookThrough(
      await readTranscript(splitLines(file.setEncoding('utf8'))),
      redactorOf(config.redaction)
    )
    const {
      session: { id: exported_id, ...row },
      messages
    } = transcript
    const session_id = newSessionId()
    const count = await importSession(tx, workspace, session_id, row, messages, quotasOf(config))
    await writeAuditRow(tx, workspace, 'session import', {
      event_type: 'session_imported',
      session_id,
      resource: `session:${session_id}`,
      metadata: { messages: count, exported_session_id: exported_id, ...found() }
    })
    notice(`Imported ${counted(count, 'message')} into the workspace ${workspace}. The session's id:`)
    return session_id
  })
}

async function write(out: NodeJS.WriteStream, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain')
}

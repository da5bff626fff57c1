import { sql } from 'kysely'
import { isBeyond, quotaExceeded, type Quotas } from '../../limits/quotas.js'
import type { MessageRow } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import type { SessionRow } from '../../sessions/store/sessions.js'
import { refuseManySessions } from '../../limits/store/usage.js'

/** Messages that one statement inserts. */
const BATCH = 500
/** Entries of inboxes that one statement inserts. */
const ENTRIES = 5000

/** Suggestion for a session that is too large; the error also suggests a higher quota. */
const ADVICE = 'Nothing was imported: delete messages from the original session, and export it again'

export type ImportedMessage = Omit<MessageRow, 'session_id'>

/**
 * Writes an exported session in the caller's transaction. Its messages get new ids and seq without gaps, in the given
 * order, and keep everything else. A parent that is not in the export also gets a new id, which no message has, so that
 * its answers still belong together.
 * @returns how many messages were imported
 * @throws AppError QUOTA_EXCEEDED
 */
export async function importSession(
  tx: Db,
  workspace: string,
  id: string,
  session: Omit<SessionRow, 'id'>,
  messages: AsyncIterable<ImportedMessage>,
  quotas: Quotas
): Promise<number> {
  const ids = new Map<number, number>()
  let count = 0
  let batch: ImportedMessage[] = []

  async function write(): Promise<void> {
    if (batch.length === 0) return
    const unknown = new Set<number>()
    for (const { id, parent_message_id } of batch)
      for (const old of [id, parent_message_id]) if (old !== null && !ids.has(old)) unknown.add(old)
    const { rows } = await sql<{ id: number }>`
      select nextval(pg_get_serial_sequence('messages', 'id')) as id
        from generate_series(1, ${unknown.size}::int)`.execute(tx)
    for (const [i, old] of [...unknown].entries()) ids.set(old, (rows[i] as { id: number }).id)
    const first = count + 1
    count += batch.length
    await tx
      .insertInto('messages')
      .values(
        batch.map(({ metadata, parent_message_id, to, payload, ...message }, i) => ({
          ...message,
          workspace,
          session_id: id,
          id: ids.get(message.id) as number,
          seq: first + i,
          metadata: JSON.stringify(metadata),
          parent_message_id: parent_message_id === null ? null : (ids.get(parent_message_id) as number),
          ...(to !== undefined && { addressees: to }),
          ...(payload !== undefined && { payload: JSON.stringify(payload) })
        }))
      )
      .execute()
    await tx
      .insertInto('search_pending')
      .values(batch.map(message => ({ workspace, session_id: id, message_id: ids.get(message.id) as number })))
      .execute()
    const entries = batch.flatMap(({ id: old, to = [], sender, visibility }, i) =>
      [...new Set(to)].map(name => ({
        ...{ workspace, session_id: id, message_id: ids.get(old) as number, seq: first + i },
        ...{ name, sender, direct: visibility === 'direct' }
      }))
    )
    for (let i = 0; i < entries.length; i += ENTRIES)
      await tx
        .insertInto('inbox')
        .values(entries.slice(i, i + ENTRIES))
        .execute()
    batch = []
  }

  let public_count = 0
  let bytes = 0
  let last: string | null = null
  for await (const message of messages) {
    batch.push(message)
    if (message.visibility === 'public') public_count++
    bytes += Buffer.byteLength(message.content) + Buffer.byteLength(JSON.stringify(message.metadata))
    if (message.payload !== undefined) bytes += Buffer.byteLength(JSON.stringify(message.payload))
    if (last === null || message.timestamp > last) last = message.timestamp
    // Check during the import, so that an oversized session fails early.
    if (isBeyond('session_messages', count + batch.length, quotas))
      throw quotaExceeded('session_messages', quotas, ADVICE)
    if (isBeyond('session_bytes', bytes, quotas)) throw quotaExceeded('session_bytes', quotas, ADVICE)
    if (batch.length === BATCH) await write()
  }
  await write()
  const { metadata, key, ...row } = session
  const insert = async (key: string | null) =>
    tx
      .insertInto('sessions')
      .values({
        ...row,
        workspace,
        id,
        key,
        metadata: JSON.stringify(metadata),
        last_seq: count,
        public_count,
        content_bytes: bytes,
        last_message_at: last
      })
      .onConflict(conflict => conflict.columns(['workspace', 'key']).where('key', 'is not', null).doNothing())
      .returning('id')
      .executeTakeFirst()
  // A key is a session's alone: where another has it, such as the original itself, the new one comes without.
  if ((await insert(key)) === undefined) await insert(null)
  await refuseManySessions(tx, workspace, quotas)
  return count
}

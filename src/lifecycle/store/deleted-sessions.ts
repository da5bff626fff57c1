import { type RawBuilder, sql } from 'kysely'
import { memoryTopic, type Topic } from '../../kernel/events.js'
import { forget } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'
import { removeTasks } from '../../tasks/store/removal.js'
import { BATCH, underLock } from './batch.js'

/**
 * Deletes the remaining data of deleted sessions. Nobody can read it any more, so the time does not matter. After a
 * crash, the next call continues with the data that is left.
 * @returns how many rows were deleted
 */
export async function sweepDeletedSessions(
  db: Db,
  publish: (topics: readonly Topic[]) => void,
  stopping: () => boolean = () => false
): Promise<number> {
  let swept = 0
  for (;;) {
    const session = await db
      .selectFrom('deleted_sessions')
      .select(['workspace', 'session_id'])
      .orderBy('deleted_at')
      .limit(1)
      .executeTakeFirst()
    if (session === undefined) return swept
    // Start after the last batch: the index entries of deleted rows remain until the next vacuum.
    let after = -1
    for (;;) {
      if (stopping()) return swept
      const batch = await underLock(db, tx => sweepBatch(tx, session.workspace, session.session_id, after))
      if (batch === undefined) return swept
      publish(batch.topics)
      swept += batch.swept
      if (batch.swept === 0) break
      after = batch.after
    }
  }
}

/** Deletes one batch of a session's data, and at last its entry in deleted_sessions. */
async function sweepBatch(
  tx: Db,
  workspace: string,
  session_id: string,
  after: number
): Promise<{ swept: number; after: number; topics: Topic[] }> {
  const messages = await tx
    .selectFrom('messages')
    .select(['id', 'seq'])
    .where('workspace', '=', workspace)
    .where('session_id', '=', session_id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(BATCH)
    .execute()
  if (messages.length > 0) {
    const ids = messages.map(({ id }) => id)
    await forget(tx, workspace, session_id, ids)
    await sql`delete from messages where workspace = ${workspace} and id = any(${ids}::bigint[])`.execute(tx)
    return { swept: ids.length, after: (messages.at(-1) as { seq: number }).seq, topics: [] }
  }
  const ofSession = sql<boolean>`workspace = ${workspace} and session_id = ${session_id}`
  const memory = await sql<{ agent_id: string }>`${deleteBatch('agent_memory', ofSession)}
      returning agent_id`.execute(tx)
  const topics = [...new Set(memory.rows.map(({ agent_id }) => agent_id))].map(agent_id =>
    memoryTopic(workspace, agent_id)
  )
  let swept = memory.rows.length
  if (swept < BATCH) swept += await removeTasks(tx, workspace, sql`session_id = ${session_id}`, BATCH - swept)
  // The change that records the deletion stays for a time, for readers that follow all sessions.
  for (const statement of [
    deleteBatch('read_cursors', ofSession),
    deleteBatch('session_presence', ofSession),
    deleteBatch('session_changes', sql`${ofSession} and kind <> 'session_deleted'`)
  ]) {
    if (swept < BATCH) swept += Number((await statement.execute(tx)).numAffectedRows ?? 0n)
  }
  if (swept === 0)
    await tx
      .deleteFrom('deleted_sessions')
      .where('workspace', '=', workspace)
      .where('session_id', '=', session_id)
      .execute()
  return { swept, after, topics }
}

function deleteBatch(
  table: 'agent_memory' | 'read_cursors' | 'session_presence' | 'session_changes',
  condition: RawBuilder<boolean>
) {
  return sql`delete from ${sql.table(table)} where ctid = any(array(select ctid from ${sql.table(table)}
      where ${condition} limit ${BATCH}))`
}

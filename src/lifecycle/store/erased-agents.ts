import { type Selectable, sql } from 'kysely'
import * as audit from '../../audit/store/rows.js'
import { sessionTopic, type Topic } from '../../kernel/events.js'
import { removeMessages } from '../../messages/store/message-removal.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { forgetReached, renameAddressee, renameInDeletions, renameInPairs } from '../../inbox/store/erasure.js'
import { eraseMemory } from '../../memory/store/memory-erasure.js'
import { releaseAll } from '../../leases/store/leases.js'
import { removeTasks, renameInTasks } from '../../tasks/store/removal.js'
import { BATCH, inBatches, searchSessions, underLock } from './batch.js'
import { OWN_TABLES, PRESENCE_TABLES, removeOwn } from './erasure-start.js'

/**
 * Erases an agent: deletes its messages and data, and replaces its name by a pseudonym in data of others (who opened a
 * session, who made a change). Its audit rows stay unchanged. `beginErasure` deletes tokens, memory and the like at
 * once; messages and names follow here in small batches, since there may be a million.
 */

/**
 * For this many seconds, a replica that does not know of the revocation yet may accept the agent's tokens
 * (docs/semantics.md, Visibility). What is written under the agent's name during that time belongs to the agent.
 */
const REVOCATION_DELAY_S = 2
/**
 * After this many seconds, all data of those calls is written, including what replicas write in the background once a
 * second.
 */
const SETTLED_AFTER_S = REVOCATION_DELAY_S + 2

export async function isBeingErased(db: Db, workspace: string, agent_id: string): Promise<boolean> {
  return (
    (await db
      .selectFrom('erased_agents')
      .select('agent_id')
      .where('workspace', '=', workspace)
      .where('agent_id', '=', agent_id)
      .executeTakeFirst()) !== undefined
  )
}

type Erasure = Omit<Selectable<Schema['erased_agents']>, 'xact'> & { until: string }

/**
 * Continues every erasure that is not complete.
 * @returns whether all are complete
 */
export async function eraseAgents(
  db: Db,
  publish: (topics: readonly Topic[]) => void,
  stopping: () => boolean = () => false
): Promise<boolean> {
  // This query reads all workspaces; the rest of the loop works on one.
  const erasures = await db
    .selectFrom('erased_agents')
    .select([
      'workspace',
      'agent_id',
      'pseudonym',
      'up_to_message_id',
      'request_id',
      'messages_erased',
      'erased_at',
      sql<string>`erased_at + make_interval(secs => ${REVOCATION_DELAY_S})`.as('until'),
      sql<boolean>`xact < pg_snapshot_xmin(pg_current_snapshot())
          and erased_at < clock_timestamp() - make_interval(secs => ${SETTLED_AFTER_S})`.as('settled')
    ])
    .orderBy('erased_at')
    .execute()
  let isComplete = true
  for (const { settled, ...erasure } of erasures) {
    // Rename first: otherwise the agent's sessions would show its name until all its messages are deleted.
    if (
      !(await renameSessions(db, erasure, stopping)) ||
      !(await eraseInSessions(db, erasure, publish, stopping)) ||
      !(await eraseInTasks(db, erasure, stopping)) ||
      !(await renameInInboxes(db, erasure, stopping))
    )
      return false
    // Settled: every call that started before all replicas knew of the revocation has ended, and this round has seen
    // its data. Otherwise another round follows.
    if (settled) await underLock(db, tx => finish(tx, erasure))
    else isComplete = false
  }
  return isComplete
}

async function renameSessions(
  db: Db,
  { workspace, agent_id, pseudonym, until }: Erasure,
  stopping: () => boolean
): Promise<boolean> {
  return inBatches(db, stopping, [
    async tx => {
      const { numAffectedRows = 0n } = await sql`
        update sessions set created_by = ${pseudonym} where workspace = ${workspace} and id = any(array(
          select id from sessions where workspace = ${workspace} and created_by = ${agent_id}
            and created_at <= ${until}::timestamptz order by id limit ${BATCH} for update))`.execute(tx)
      return Number(numAffectedRows)
    }
  ])
}

/** Takes its name out of the addressees of others' messages, and out of the sessions of two agents. */
async function renameInInboxes(db: Db, erasure: Erasure, stopping: () => boolean): Promise<boolean> {
  return inBatches(db, stopping, [
    tx => renameAddressee(tx, erasure, BATCH),
    tx => renameInDeletions(tx, erasure, BATCH),
    tx => renameInPairs(tx, erasure, BATCH),
    tx => forgetReached(tx, erasure, BATCH)
  ])
}

/** Deletes what it has handed out, and takes its name and words out of the tasks of others. */
async function eraseInTasks(db: Db, erasure: Erasure, stopping: () => boolean): Promise<boolean> {
  const { workspace, agent_id, until } = erasure
  const own = sql<boolean>`created_by = ${agent_id} and created_at <= ${until}::timestamptz`
  return inBatches(db, stopping, [
    tx => removeTasks(tx, workspace, own, BATCH),
    tx => renameInTasks(tx, erasure, BATCH),
    tx => releaseAll(tx, erasure)
  ])
}

async function eraseInSessions(
  db: Db,
  erasure: Erasure,
  publish: (topics: readonly Topic[]) => void,
  stopping: () => boolean
): Promise<boolean> {
  const { workspace, agent_id, pseudonym, until } = erasure
  const wrote = sql<boolean>`sender = ${agent_id} and ${writtenByErasedAgent(erasure)}`
  for await (const { ids, matching } of searchSessions(db, workspace, wrote)) {
    for (const id of matching) {
      for (let removed = BATCH; removed === BATCH;) {
        if (stopping()) return false
        const batch = await underLock(db, tx => eraseBatch(tx, erasure, id))
        if (batch === undefined) return false
        removed = batch
        if (removed > 0) publish([sessionTopic(workspace, id)])
      }
    }
    const renamed = await underLock(db, tx =>
      sql`
      update session_changes set changed_by = case changed_by when ${agent_id} then ${pseudonym} else changed_by
        end, sender = case sender when ${agent_id} then ${pseudonym} else sender end
      where workspace = ${workspace} and changed_at <= ${until}::timestamptz and (changed_by = ${agent_id}
        or sender = ${agent_id})
        and (session_id = any(${ids}::text[]) or kind = 'session_deleted')`.execute(tx)
    )
    if (renamed === undefined || stopping()) return false
  }
  return true
}

/**
 * Whether a message under the agent's name belongs to the erased agent. The id covers imported messages whose timestamp
 * lies in the future.
 */
function writtenByErasedAgent({ up_to_message_id, until }: Erasure) {
  return sql<boolean>`(id <= ${up_to_message_id} or ${sql.ref('timestamp')} <= ${until}::timestamptz)`
}

async function eraseBatch(tx: Db, erasure: Erasure, session_id: string): Promise<number> {
  const { workspace, agent_id, pseudonym } = erasure
  // If the session was deleted meanwhile, its messages are deleted with it.
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('workspace', '=', workspace)
    .where('id', '=', session_id)
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined) return 0
  const rows = await tx
    .selectFrom('messages')
    .select('id')
    .where('workspace', '=', workspace)
    .where('session_id', '=', session_id)
    .where('sender', '=', agent_id)
    .where(writtenByErasedAgent(erasure))
    .orderBy('seq')
    .limit(BATCH)
    .execute()
  if (rows.length === 0) return 0
  const { removed } = await removeMessages(tx, {
    workspace,
    session_id,
    ids: rows.map(({ id }) => id),
    told: { changed_by: pseudonym, sender: pseudonym }
  })
  await tx
    .updateTable('erased_agents')
    .set({ messages_erased: sql<number>`messages_erased + ${removed}` })
    .where('workspace', '=', workspace)
    .where('agent_id', '=', agent_id)
    .execute()
  return removed
}

/** Completes the erasure, unless it was requested again meanwhile: then it covers more data. */
async function finish(tx: Db, erasure: Erasure): Promise<void> {
  const { workspace, agent_id, request_id, erased_at, until } = erasure
  const done = await tx
    .deleteFrom('erased_agents')
    .where('workspace', '=', workspace)
    .where('agent_id', '=', agent_id)
    .where('erased_at', '=', erased_at)
    .returning('messages_erased')
    .executeTakeFirst()
  if (done === undefined) return
  await removeOwn(tx, workspace, agent_id, OWN_TABLES, until)
  await eraseMemory(tx, erasure)
  // Presence is written with a delay, so delete all of it. A new agent of this name is recorded again at its next call.
  await removeOwn(tx, workspace, agent_id, PRESENCE_TABLES)
  const metadata = { of_agent: agent_id, messages: done.messages_erased }
  const fields = { event_type: 'agent_erasure_finished', resource: `agent:${agent_id}`, metadata }
  await audit.writeWithoutAgent(tx, workspace, 'erase_agent', fields, request_id)
}

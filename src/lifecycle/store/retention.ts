import { sql } from 'kysely'
import { sessionTopic, type Topic } from '../../kernel/events.js'
import * as audit from '../../audit/store/rows.js'
import { removeMessages } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'
import { removeSession } from './session-removal.js'
import { BATCH, byService, inTurn } from '../turns.js'

/** Sessions looked through at once for messages that are of age. */
const SESSIONS = 500
/** Sessions locked in one transaction. */
const LOCKED = 50

export interface Deps {
  db: Db
  tell: (topics: readonly Topic[]) => void
  stopping: () => boolean
}

/**
 * Removes what is of age in every workspace: closed and archived sessions in which nothing has happened for so long,
 * and messages that were written before. In small transactions, each with its audit row; killed between two, the next
 * round goes on.
 * @returns how many messages and sessions went
 */
export async function applyRetention(
  means: Deps,
  server_days: number
): Promise<{ messages: number; sessions: number }> {
  const total = { messages: 0, sessions: 0 }
  // Crosses workspaces; what follows is one's. From workspace to workspace along the primary key, however many sessions
  // each has.
  const { rows } = await sql<{ workspace: string; days: number }>`
    with recursive w as (
      (select workspace from sessions order by workspace limit 1)
      union all
      select following.workspace from w, lateral (select workspace from sessions where workspace > w.workspace order by workspace limit 1) following
    )
    select w.workspace, coalesce(r.days, ${server_days}::int) as days from w left join retention r on r.workspace = w.workspace
    where coalesce(r.days, ${server_days}::int) > 0`.execute(means.db)
  for (const { workspace, days } of rows) {
    // One moment for the round, by the database's clock.
    const {
      rows: [row]
    } = await sql<{ before: string }>`select clock_timestamp() - make_interval(days => ${days}::int) as before`.execute(
      means.db
    )
    const of: Age = { workspace, days, before: (row as { before: string }).before }
    total.sessions += await removeSessions(means, of)
    total.messages += await removeOld(means, of)
    await removeChanges(means, of)
  }
  return total
}

interface Age {
  workspace: string
  days: number
  before: string
}

async function removeSessions({ db, tell, stopping }: Deps, { workspace, days, before }: Age): Promise<number> {
  let removed = 0
  for (let more = true; more && !stopping();) {
    const gone = await inTurn(db, async tx => {
      const sessions = await tx
        .selectFrom('sessions')
        .select(['id', 'last_seq'])
        .where('workspace', '=', workspace)
        .where('is_active', '=', false)
        .where('created_at', '<', before)
        .where('updated_at', '<', before)
        .where(sql<boolean>`(last_message_at is null or last_message_at < ${before}::timestamptz)`)
        .orderBy('id')
        .limit(LOCKED)
        .forUpdate()
        .skipLocked()
        .execute()
      for (const { id, last_seq } of sessions) {
        await removeSession(tx, workspace, id, 'retention')
        await audit.write(
          tx,
          byService(workspace, 'retention', {
            event_type: 'session_deleted',
            session_id: id,
            resource: `session:${id}`,
            metadata: { days, last_seq }
          })
        )
      }
      return sessions.map(({ id }) => id)
    })
    tell((gone ?? []).map(id => sessionTopic(workspace, id)))
    removed += gone?.length ?? 0
    more = gone?.length === LOCKED
  }
  return removed
}

async function removeOld({ db, stopping }: Deps, { workspace, days, before }: Age): Promise<number> {
  let removed = 0
  for (let after = '', more = true; more && !stopping();) {
    // From session to session by their ids, and in each to its oldest message: no index has messages by age alone.
    const { rows } = await sql<{ id: string; old: boolean }>`
      select s.id, old.old from (select id from sessions where workspace = ${workspace} and id > ${after} order by id limit ${SESSIONS}) s
      left join lateral (select true as old from messages m where m.workspace = ${workspace} and m.session_id = s.id and m.timestamp < ${before}::timestamptz limit 1) old on true
      order by s.id`.execute(db)
    after = rows.at(-1)?.id ?? after
    more = rows.length === SESSIONS
    let ids = rows.filter(({ old }) => old).map(({ id }) => id)
    while (ids.length > 0 && !stopping()) {
      const batch = await inTurn(db, tx => removeBatch(tx, ids.slice(0, LOCKED), { workspace, days, before }))
      if (batch === undefined) return removed
      removed += batch.messages
      ids = ids.slice(batch.done)
    }
  }
  return removed
}

/**
 * Messages of age of some sessions, as many as one transaction takes. @returns how many of the sessions are done with
 */
async function removeBatch(
  tx: Db,
  session_ids: readonly string[],
  { workspace, days, before }: Age
): Promise<{ messages: number; done: number }> {
  let messages = 0
  let done = 0
  const touched: string[] = []
  // In the order of their ids, as those who write lock them.
  await tx
    .selectFrom('sessions')
    .select('id')
    .where('workspace', '=', workspace)
    .where('id', 'in', [...session_ids])
    .orderBy('id')
    .forUpdate()
    .execute()
  for (const session_id of session_ids) {
    const rows = await tx
      .selectFrom('messages')
      .select('id')
      .where('workspace', '=', workspace)
      .where('session_id', '=', session_id)
      .where('timestamp', '<', before)
      .orderBy('timestamp')
      .orderBy('seq')
      .limit(BATCH - messages)
      .execute()
    const { removed } = await removeMessages(tx, { workspace, session_id, ids: rows.map(({ id }) => id) })
    if (removed > 0) touched.push(session_id)
    messages += removed
    if (messages >= BATCH) break
    done++
  }
  if (messages > 0)
    await audit.write(
      tx,
      byService(workspace, 'retention', {
        event_type: 'retention_applied',
        metadata: { messages, sessions: touched.length, days, before }
      })
    )
  return { messages, done }
}

/** What the feeds tell of messages that went long ago. */
async function removeChanges({ db, stopping }: Deps, { workspace, before }: Age): Promise<void> {
  for (let batch: number | undefined = BATCH; batch === BATCH && !stopping();) {
    batch = await inTurn(db, async tx =>
      Number(
        (
          await sql`
      delete from session_changes where ctid = any(array(
        select c.ctid from session_changes c where c.workspace = ${workspace} and c.message_id is not null and c.changed_at < ${before}::timestamptz
          and not exists (select from messages m where m.workspace = c.workspace and m.id = c.message_id) limit ${BATCH}))`.execute(
            tx
          )
        ).numAffectedRows ?? 0n
      )
    )
  }
}

import { sql } from 'kysely'
import { sessionTopic, type Topic } from '../../kernel/events.js'
import * as audit from '../../audit/store/rows.js'
import { removeMessages } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'
import { databaseTime } from '../../postgres/clock.js'
import { workspacesIn } from '../../postgres/workspaces.js'
import { doneBefore, removeTasks } from '../../tasks/store/removal.js'
import { requireSetting, SettingChanged, workspacesToExpire } from './retention-setting.js'
import { removeSession } from './session-removal.js'
import { BATCH, inBatches, searchSessions, underLock } from './batch.js'

/** Most sessions that one transaction locks. */
const LOCK_BATCH = 50

export interface Deps {
  db: Db
  publish: (topics: readonly Topic[]) => void
  stopping: () => boolean
}

/**
 * Removes expired data in every workspace: closed and archived sessions without activity during the retention period,
 * messages older than it, and tasks that were done before it. It works in small transactions, each with an audit row;
 * after a crash, the next round continues.
 * @returns how many messages and sessions were removed
 */
export async function applyRetention(deps: Deps, server_days: number): Promise<{ messages: number; sessions: number }> {
  const total = { messages: 0, sessions: 0 }
  const workspaces = [
    ...new Set([...(await workspacesIn(deps.db, 'sessions')), ...(await workspacesIn(deps.db, 'tasks'))])
  ]
  for (const { workspace, days } of await workspacesToExpire(deps.db, 'retention', workspaces, server_days)) {
    // The whole round uses one cutoff, by the database's clock.
    const expiry: Expiry = { workspace, days, server_days, before: await databaseTime(deps.db, days) }
    try {
      total.sessions += await removeSessions(deps, expiry)
      total.messages += await removeMessagesByAge(deps, expiry)
      await removeDoneTasks(deps, expiry)
      await removeChanges(deps, expiry)
    } catch (error) {
      // The next round goes by the new setting.
      if (!(error instanceof SettingChanged)) throw error
    }
  }
  return total
}

interface Expiry {
  workspace: string
  days: number
  server_days: number
  before: string
}

async function removeSessions({ db, publish, stopping }: Deps, expiry: Expiry): Promise<number> {
  const { workspace, days, before } = expiry
  let removed = 0
  for (let more = true; more && !stopping();) {
    const deleted = await underLock(db, async tx => {
      const sessions = await tx
        .selectFrom('sessions')
        .select(['id', 'last_seq'])
        .where('workspace', '=', workspace)
        .where('is_active', '=', false)
        .where('created_at', '<', before)
        .where('updated_at', '<', before)
        .where(sql<boolean>`(last_message_at is null or last_message_at < ${before}::timestamptz)`)
        .orderBy('id')
        .limit(LOCK_BATCH)
        .forUpdate()
        .skipLocked()
        .execute()
      for (const { id, last_seq } of sessions) {
        await removeSession(tx, workspace, id, 'retention')
        await audit.writeWithoutAgent(tx, workspace, 'retention', {
          event_type: 'session_deleted',
          session_id: id,
          resource: `session:${id}`,
          metadata: { days, last_seq }
        })
      }
      if (sessions.length > 0) await requireSetting(tx, 'retention', expiry)
      return sessions.map(({ id }) => id)
    })
    publish((deleted ?? []).map(id => sessionTopic(workspace, id)))
    removed += deleted?.length ?? 0
    more = deleted?.length === LOCK_BATCH
  }
  return removed
}

async function removeMessagesByAge({ db, stopping }: Deps, expiry: Expiry): Promise<number> {
  const { workspace, before } = expiry
  let removed = 0
  for await (const { matching } of searchSessions(db, workspace, sql`timestamp < ${before}::timestamptz`)) {
    let ids = matching
    while (ids.length > 0 && !stopping()) {
      const batch = await underLock(db, tx => removeBatch(tx, ids.slice(0, LOCK_BATCH), expiry))
      if (batch === undefined) return removed
      removed += batch.messages
      ids = ids.slice(batch.done)
    }
    if (stopping()) break
  }
  return removed
}

/**
 * Removes expired messages of the sessions, up to the batch size.
 * @returns how many messages were removed, and how many of the sessions have no expired messages left
 */
async function removeBatch(
  tx: Db,
  session_ids: readonly string[],
  expiry: Expiry
): Promise<{ messages: number; done: number }> {
  const { workspace, days, before } = expiry
  let messages = 0
  let done = 0
  let sessions = 0
  // Lock in the order of ids, like writers do, to avoid deadlocks.
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
    if (removed > 0) sessions++
    messages += removed
    if (messages >= BATCH) break
    done++
  }
  if (messages > 0) {
    await audit.writeWithoutAgent(tx, workspace, 'retention', {
      event_type: 'retention_applied',
      metadata: { messages, sessions, days, before }
    })
    await requireSetting(tx, 'retention', expiry)
  }
  return { messages, done }
}

async function removeDoneTasks({ db, stopping }: Deps, expiry: Expiry): Promise<void> {
  const { workspace, days, before } = expiry
  await inBatches(db, stopping, [
    async tx => {
      const tasks = await removeTasks(tx, workspace, doneBefore(before), BATCH)
      if (tasks > 0) {
        await audit.writeWithoutAgent(tx, workspace, 'retention', {
          event_type: 'retention_applied',
          metadata: { tasks, days, before }
        })
        await requireSetting(tx, 'retention', expiry)
      }
      return tasks
    }
  ])
}

/** Removes the feed entries of messages that no longer exist. */
async function removeChanges({ db, stopping }: Deps, { workspace, before }: Expiry): Promise<void> {
  await inBatches(db, stopping, [
    async tx => {
      const { numAffectedRows = 0n } = await sql`
        delete from session_changes where ctid = any(array(
          select c.ctid from session_changes c where c.workspace = ${workspace} and c.message_id is not null
            and c.changed_at < ${before}::timestamptz
            and not exists (select from messages m where m.workspace = c.workspace and m.id = c.message_id)
          limit ${BATCH}))`.execute(tx)
      return Number(numAffectedRows)
    }
  ])
}

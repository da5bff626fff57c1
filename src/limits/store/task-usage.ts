import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { isBeyond, quotaExceeded, type Quotas } from '../quotas.js'

/** With less room than this, those who make tasks of one workspace go one after the other. */
const ROOM = 10_000

/**
 * The quota on tasks that are not done. They are counted after the write, in its transaction, and not by a trigger: its
 * row would have those who complete tasks wait for each other.
 * @throws AppError QUOTA_EXCEEDED
 */
export async function refuseManyTasks(tx: Db, workspace: string, quotas: Quotas): Promise<void> {
  if (quotas.tasks === 0) return
  const count = async () => (await countOpen(tx, { workspace, most: quotas.tasks + 1 }))[0]?.open ?? 0
  let open = await count()
  if (open <= quotas.tasks && open > quotas.tasks - ROOM) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`tasks of ${workspace}`}, 0))`.execute(tx)
    // The second of two at the edge sees what the first one has committed.
    open = await count()
  }
  if (isBeyond('tasks', open, quotas)) throw quotaExceeded('tasks', quotas)
}

const countOpen = defineStatement<{ workspace: string; most: number }, { open: number }>(
  'tasks.count_open',
  (_db, { workspace, most }) => sql`
    select count(*)::int as open from (
      select from tasks where workspace = ${workspace} and state in ('submitted', 'working', 'input_required')
      limit ${most}) counted`
)

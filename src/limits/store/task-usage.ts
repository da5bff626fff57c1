import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { isBeyond, quotaExceeded, type Quotas } from '../quotas.js'

/** With less room than this, those who make tasks of one workspace go one after the other. */
const ROOM = 10_000

/** SQL expression: how many tasks of the workspace $1 are not done. @param most so many are counted */
export const openTasks = (most: string) => `(select count(*)::int from (
  select from tasks where workspace = $1 and state in ('submitted', 'working', 'input_required')
  limit ${most}) counted)`

/** How many tasks are counted: one more than the quota, if there is one. */
export const countedTasks = ({ tasks }: Quotas) => (tasks === 0 ? 0 : tasks + 1)

/**
 * The quota on tasks that are not done. They are counted after the write, in its transaction, and not by a trigger: its
 * row would have those who complete tasks wait for each other.
 * @param open how many there are after the write, as openTasks counts them
 * @throws AppError QUOTA_EXCEEDED
 */
export async function refuseManyTasks(tx: Db, workspace: string, open: number, quotas: Quotas): Promise<void> {
  if (quotas.tasks === 0) return
  let counted = open
  if (open <= quotas.tasks && open > quotas.tasks - ROOM) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`tasks of ${workspace}`}, 0))`.execute(tx)
    // The second of two at the edge sees what the first one has committed.
    counted = (await countOpen(tx, [workspace, countedTasks(quotas)]))[0]?.open ?? 0
  }
  if (isBeyond('tasks', counted, quotas)) throw quotaExceeded('tasks', quotas)
}

const countOpen = defineStatement<[workspace: string, most: number], { open: number }>(
  'tasks.count_open',
  `select ${openTasks('$2')} as open`
)

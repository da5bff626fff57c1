import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { isBeyond, quotaExceeded, type Quotas } from '../quotas.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'

/**
 * Quotas on what is counted by triggers. They are looked at after the write, in its transaction: the count's row is
 * locked by then, so that of two writers at the edge the second sees the first, and a write that is too much is rolled
 * back.
 */

/** @throws AppError QUOTA_EXCEEDED */
export async function refuseManySessions(tx: Db, workspace: string, quotas: Quotas): Promise<void> {
  if (quotas.sessions === 0) return
  const usage = await tx
    .selectFrom('workspace_usage')
    .select('sessions')
    .where('workspace', '=', workspace)
    .executeTakeFirst()
  if (isBeyond('sessions', usage?.sessions ?? 0, quotas)) throw quotaExceeded('sessions', quotas)
}

/** Whose memory it is. */
type Owner = Pick<Agent, 'workspace' | 'agent_id'>

/** @throws AppError QUOTA_EXCEEDED */
export async function refuseMuchMemory(tx: Db, owner: Owner, quotas: Quotas): Promise<void> {
  if ((await exceeded(tx, owner, quotas)) === undefined) return
  // Expired means absent. What the sweep has in hand at this moment it takes away itself.
  await sql`
    delete from agent_memory where ctid = any(array(
      select ctid from agent_memory
      where workspace = ${owner.workspace} and agent_id = ${owner.agent_id}
        and expires_at <= clock_timestamp() for update skip locked))`.execute(tx)
  const quota = await exceeded(tx, owner, quotas)
  if (quota !== undefined) throw quotaExceeded(quota, quotas)
}

async function exceeded(
  tx: Db,
  { workspace, agent_id }: Owner,
  quotas: Quotas
): Promise<'memory_entries' | 'memory_bytes' | undefined> {
  if (quotas.memory_entries === 0 && quotas.memory_bytes === 0) return undefined
  const [usage] = await selectUsage(tx, { workspace, agent_ids: [agent_id] })
  if (isBeyond('memory_entries', usage?.entries ?? 0, quotas)) return 'memory_entries'
  return isBeyond('memory_bytes', usage?.bytes ?? 0, quotas) ? 'memory_bytes' : undefined
}

/** Which of these agents would remember more than they may. */
export async function overMemory(
  tx: Db,
  workspace: string,
  agent_ids: readonly string[],
  quotas: Quotas
): Promise<string[]> {
  const rows = await selectUsage(tx, { workspace, agent_ids })
  return rows
    .filter(
      ({ entries, bytes }) => isBeyond('memory_entries', entries, quotas) || isBeyond('memory_bytes', bytes, quotas)
    )
    .map(({ agent_id }) => agent_id)
}

const selectUsage = defineStatement<
  { workspace: string; agent_ids: readonly string[] },
  { agent_id: string; entries: number; bytes: number }
>('memory_usage.read', (db, { workspace, agent_ids }) =>
  db
    .selectFrom('memory_usage')
    .select(['agent_id', 'entries', 'bytes'])
    .where('workspace', '=', workspace)
    .where(sql<boolean>`agent_id = any(${agent_ids}::text[])`)
)

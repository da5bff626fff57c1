import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { revokeAgent } from '../../agents/store/tokens.js'
import { eraseMemory } from '../../memory/store/memory-erasure.js'
import type { Db } from '../../postgres/schema.js'

export interface ErasureStart {
  pseudonym: string
  revoked_tokens: number
  deleted_memory: number
}

/** Ends the agent's tokens and deletes its memory and the like at once. Its messages follow (erased-agents.ts). */
export async function beginErasure(
  tx: Db,
  workspace: string,
  agent_id: string,
  request_id: string
): Promise<ErasureStart> {
  // This locks the agent, so that no token is issued for it meanwhile.
  const revoked_tokens = await revokeAgent(tx, workspace, agent_id)
  // If an erasure is already under way, keep its pseudonym.
  const {
    rows: [begun]
  } = await sql<{ pseudonym: string }>`
    insert into erased_agents as e (workspace, agent_id, pseudonym, up_to_message_id, request_id)
    select ${workspace}, ${agent_id}, ${`erased-${randomBytes(8).toString('hex')}`}, coalesce((select max(id)
      from messages where workspace = ${workspace}), 0), ${request_id}
    on conflict (workspace, agent_id) do update set up_to_message_id = excluded.up_to_message_id, erased_at =
      clock_timestamp(), xact = pg_current_xact_id()
    returning pseudonym`.execute(tx)
  const { pseudonym } = begun as { pseudonym: string }
  const ownedByAgent = sql`workspace = ${workspace} and agent_id = ${agent_id}`
  // Revoked tokens stay in the table until they expire.
  await sql`update tokens set agent_id = ${pseudonym} where ${ownedByAgent}`.execute(tx)
  // Revoke the agent's own API keys, but not keys for several agents (agent_id with a *).
  await sql`update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()), agent_id = ${pseudonym}
      where ${ownedByAgent}`.execute(tx)
  await sql`update api_keys set created_by = ${pseudonym} where workspace = ${workspace}
      and created_by = ${agent_id}`.execute(tx)
  await sql`update mcp_sessions set agent_id = null, agent_type = null, permissions = null, token_jti = null,
      token_expires_at = null, client_name = null where ${ownedByAgent}`.execute(tx)
  await removeOwn(tx, workspace, agent_id, [...OWN_TABLES, ...PRESENCE_TABLES])
  return { pseudonym, revoked_tokens, deleted_memory: await eraseMemory(tx, { workspace, agent_id, pseudonym }) }
}

export const PRESENCE_TABLES = [
  ['session_presence', 'last_seen_at'],
  ['agent_waits', 'until'],
  ['agents', 'last_seen_at']
] as const
export const OWN_TABLES = [
  ['read_cursors', 'updated_at'],
  ['receipts', 'updated_at'],
  ['idempotency_keys', 'created_at']
] as const

/** Deletes the agent's rows that were written until the given time. */
export async function removeOwn(
  db: Db,
  workspace: string,
  agent_id: string,
  tables: ReadonlyArray<readonly [table: string, written_at: string]>,
  until = 'infinity'
): Promise<void> {
  for (const [table, written_at] of tables)
    await sql`
      delete from ${sql.table(table)} where workspace = ${workspace} and agent_id = ${agent_id}
        and ${sql.ref(written_at)} <= ${until}::timestamptz`.execute(db)
}

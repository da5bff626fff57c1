import { sql } from 'kysely'
import type { Agent } from '../core/agent.js'
import type { Claims } from '../core/service.js'
import type { Db } from './schema.js'

/**
 * One at a time for one agent, until the transaction ends: else "revoke all of an agent's tokens" would not see the one that a
 * refresh beside it is about to issue. Taken before anything else is.
 */
export async function lockAgent (tx: Db, workspace: string, agent_id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${JSON.stringify([workspace, agent_id])}, 0))`.execute(tx)
}

/** Remembers a token that was issued, so that it can be revoked by its agent's name. The token itself is not kept. */
export async function remember (db: Db, agent: Omit<Agent, 'token'>, jti: string, issued_at: Date, expires_at: Date): Promise<void> {
  await db.insertInto('tokens').values({
    jti, workspace: agent.workspace, agent_id: agent.agent_id, agent_type: agent.agent_type, issued_at: issued_at.toISOString(), expires_at: expires_at.toISOString()
  }).execute()
}

/** Revokes one token, whoever issued it. @returns false if it was revoked already: of two that race, one wins */
export async function revoke (db: Db, claims: Claims): Promise<boolean> {
  const { rows } = await sql`
    insert into tokens as t (jti, workspace, agent_id, agent_type, issued_at, expires_at, revoked_at)
    values (${claims.jti}, ${claims.workspace}, ${claims.agent_id}, ${claims.agent_type}, ${claims.issued_at.toISOString()}, ${claims.expires_at.toISOString()}, clock_timestamp())
    on conflict (jti) do update set revoked_at = clock_timestamp() where t.revoked_at is null
    returning jti`.execute(db)
  return rows.length === 1
}

/** Revokes every live token of an agent. @returns how many those were */
export async function revokeAgent (db: Db, workspace: string, agent_id: string): Promise<number> {
  await lockAgent(db, workspace, agent_id)
  const revoked = await db.updateTable('tokens').set({ revoked_at: sql<string>`clock_timestamp()` })
    .where('workspace', '=', workspace).where('agent_id', '=', agent_id)
    .where('revoked_at', 'is', null).where('expires_at', '>', sql<string>`clock_timestamp()`)
    .returning('jti').execute()
  return revoked.length
}

import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { revocationMarkerOf } from '../rights.js'
import type { Claims } from '../verifiers.js'
import type { Db } from '../../postgres/schema.js'

/**
 * One at a time for one agent, until the transaction ends: else "revoke all of an agent's tokens" would not see the one
 * that a refresh beside it is about to issue. Taken before anything else is.
 */
export async function lockAgent(tx: Db, workspace: string, agent_id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${JSON.stringify([workspace, agent_id])}, 0))`.execute(tx)
}

/** Remembers a token that was issued, so that it can be revoked by its agent's name. The token itself is not kept. */
export async function remember(
  db: Db,
  agent: Omit<Agent, 'token'>,
  jti: string,
  issued_at: Date,
  expires_at: Date,
  parent?: string
): Promise<void> {
  await db
    .insertInto('tokens')
    .values({
      jti,
      workspace: agent.workspace,
      agent_id: agent.agent_id,
      agent_type: agent.agent_type,
      issued_at: issued_at.toISOString(),
      expires_at: expires_at.toISOString(),
      parent_jti: parent ?? null
    })
    .execute()
}

/**
 * Holds a token until the transaction ends, so that it is revoked only after what is made from it is there to be
 * revoked with it.
 * @returns false if it has been revoked
 */
export async function hold(tx: Db, claims: Claims): Promise<boolean> {
  const { rows } = await sql<{
    live: boolean
  }>`select revoked_at is null as live from tokens where jti = ${claims.jti} for share`.execute(tx)
  if (rows[0] !== undefined) return rows[0].live
  // One that was signed elsewhere with the same secret.
  await sql`
    insert into tokens (jti, workspace, agent_id, agent_type, issued_at, expires_at)
    values (${claims.jti}, ${claims.workspace}, ${claims.agent_id}, ${claims.agent_type}, ${claims.issued_at.toISOString()}, ${claims.expires_at.toISOString()})
    on conflict do nothing`.execute(tx)
  return hold(tx, claims)
}

/** A token that takes the place of another has its parent, and what was made from it. */
export async function replace(tx: Db, old: string, jti: string): Promise<void> {
  await sql`update tokens set parent_jti = (select parent_jti from tokens where jti = ${old}) where jti = ${jti}`.execute(
    tx
  )
  await tx.updateTable('tokens').set({ parent_jti: jti }).where('parent_jti', '=', old).execute()
}

/**
 * Revokes what was made from tokens that this transaction has revoked, and from those in turn. Level by level: who
 * makes one at this moment holds the one it is made from, and has committed when that is revoked.
 * @returns how many those were
 */
export async function revokeMadeFrom(tx: Db, parents: readonly string[]): Promise<number> {
  let revoked = 0
  for (let level = parents; level.length > 0;) {
    const { rows } = await sql<{ jti: string }>`
      update tokens set revoked_at = clock_timestamp() where parent_jti = any(${level}::text[]) and revoked_at is null and expires_at > clock_timestamp()
      returning jti`.execute(tx)
    level = rows.map(({ jti }) => jti)
    revoked += level.length
  }
  return revoked
}

/** Revokes one token, whoever issued it. @returns false if it was revoked already: of two that race, one wins */
export async function revoke(db: Db, claims: Claims): Promise<boolean> {
  const { rows } = await sql`
    insert into tokens as t (jti, workspace, agent_id, agent_type, issued_at, expires_at, revoked_at)
    values (${claims.jti}, ${claims.workspace}, ${claims.agent_id}, ${claims.agent_type}, ${claims.issued_at.toISOString()}, ${claims.expires_at.toISOString()}, clock_timestamp())
    on conflict (workspace, jti) do update set revoked_at = clock_timestamp() where t.revoked_at is null
    returning jti`.execute(db)
  return rows.length === 1
}

/** Years a mark is kept: longer than anybody's token lives. */
const MARK_YEARS = 10

/**
 * Revokes every live token of an agent, and what was made from these; those of an outside issuer by a mark, which lies
 * among them.
 * @returns how many of ours those were
 */
export async function revokeAgent(db: Db, workspace: string, agent_id: string): Promise<number> {
  await lockAgent(db, workspace, agent_id)
  await sql`
    insert into tokens (jti, workspace, agent_id, agent_type, issued_at, expires_at, revoked_at)
    values (${revocationMarkerOf(workspace, agent_id)}, ${workspace}, ${agent_id}, '', clock_timestamp(), clock_timestamp() + make_interval(years => ${MARK_YEARS}), clock_timestamp())
    on conflict (workspace, jti) do update set agent_id = excluded.agent_id, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at`.execute(
    db
  )
  const revoked = await db
    .updateTable('tokens')
    .set({ revoked_at: sql<string>`clock_timestamp()` })
    .where('workspace', '=', workspace)
    .where('agent_id', '=', agent_id)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<string>`clock_timestamp()`)
    .returning('jti')
    .execute()
  return (
    revoked.length +
    (await revokeMadeFrom(
      db,
      revoked.map(({ jti }) => jti)
    ))
  )
}

import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { revocationMarkerOf } from '../rights.js'
import type { Claims } from '../verifiers.js'
import { composed } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'

/**
 * Locks the agent, in every spelling of its name, until the transaction ends. Otherwise, revoking all of an agent's
 * tokens could miss one that a concurrent refresh is about to issue. Call it before any other lock.
 */
export async function lockAgent(tx: Db, workspace: string, agent_id: string): Promise<void> {
  const name = JSON.stringify([workspace, composed(agent_id)])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx)
}

/** Records an issued token, so that it can be revoked by agent_id. The token itself is not stored. */
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
 * Locks a token until the transaction ends. A concurrent revocation waits, and then also revokes the tokens derived
 * from it.
 * @returns false if it has been revoked
 */
export async function hold(tx: Db, claims: Claims): Promise<boolean> {
  const { rows } = await sql<{
    live: boolean
  }>`select revoked_at is null as live from tokens where jti = ${claims.jti} for share`.execute(tx)
  if (rows[0] !== undefined) return rows[0].live
  // The token has no row: another installation signed it with the same secret.
  await sql`
    insert into tokens (jti, workspace, agent_id, agent_type, issued_at, expires_at)
    values (${claims.jti}, ${claims.workspace}, ${claims.agent_id}, ${claims.agent_type},
      ${claims.issued_at.toISOString()}, ${claims.expires_at.toISOString()})
    on conflict do nothing`.execute(tx)
  return hold(tx, claims)
}

/** Gives the new token the parent and the derived tokens of the one it replaces. */
export async function replace(tx: Db, old: string, jti: string): Promise<void> {
  await sql`update tokens set parent_jti = (select parent_jti from tokens where jti = ${old})
      where jti = ${jti}`.execute(tx)
  await tx.updateTable('tokens').set({ parent_jti: jti }).where('parent_jti', '=', old).execute()
}

/**
 * Revokes all tokens derived from tokens that this transaction has revoked, level by level. A transaction that derives
 * a token locks its parent (see `hold`), so it has committed before the parent is revoked.
 * @returns how many tokens were revoked
 */
export async function revokeMadeFrom(tx: Db, parents: readonly string[]): Promise<number> {
  let revoked = 0
  for (let level = parents; level.length > 0;) {
    const { rows } = await sql<{ jti: string }>`
      update tokens set revoked_at = clock_timestamp() where parent_jti = any(${level}::text[]) and revoked_at is null
        and expires_at > clock_timestamp()
      returning jti`.execute(tx)
    level = rows.map(({ jti }) => jti)
    revoked += level.length
  }
  return revoked
}

/**
 * Revokes one token, of this server or an outside issuer.
 * @returns false if it was already revoked; of two concurrent calls, only one returns true
 */
export async function revoke(db: Db, claims: Claims): Promise<boolean> {
  const { rows } = await sql`
    insert into tokens as t (jti, workspace, agent_id, agent_type, issued_at, expires_at, revoked_at)
    values (${claims.jti}, ${claims.workspace}, ${claims.agent_id}, ${claims.agent_type},
      ${claims.issued_at.toISOString()}, ${claims.expires_at.toISOString()}, clock_timestamp())
    on conflict (workspace, jti) do update set revoked_at = clock_timestamp() where t.revoked_at is null
    returning jti`.execute(db)
  return rows.length === 1
}

/** Letters that some other character, which looks the same, is composed to: the Kelvin sign, a Greek question mark. */
const COMPOSED_TO = /[^\u0000-\u007f]|[K;`]/

/** Rows of an agent whose name may be stored with its accents typed in another way. */
function isSpelling(agent_id: string) {
  if (!COMPOSED_TO.test(agent_id)) return sql<boolean>`agent_id = ${agent_id}`
  return sql<boolean>`(agent_id = ${agent_id} or normalize(agent_id, NFC) = ${composed(agent_id)})`
}

/** Years for which a marker is kept: longer than any token lives. */
const MARKER_YEARS = 10

/**
 * Revokes every valid token of an agent, in every spelling of its name, and the tokens derived from them. Tokens of an
 * outside issuer are revoked by a marker row among the tokens.
 * @returns how many of this server's tokens were revoked
 */
export async function revokeAgent(db: Db, workspace: string, agent_id: string): Promise<number> {
  await lockAgent(db, workspace, agent_id)
  await sql`
    insert into tokens (jti, workspace, agent_id, agent_type, issued_at, expires_at, revoked_at)
    values (${revocationMarkerOf(workspace, agent_id)}, ${workspace}, ${agent_id}, '', clock_timestamp(),
      clock_timestamp() + make_interval(years => ${MARKER_YEARS}), clock_timestamp())
    on conflict (workspace, jti) do update set agent_id = excluded.agent_id, expires_at = excluded.expires_at,
      revoked_at = excluded.revoked_at`.execute(db)
  const revoked = await db
    .updateTable('tokens')
    .set({ revoked_at: sql<string>`clock_timestamp()` })
    .where('workspace', '=', workspace)
    .where(isSpelling(agent_id))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<string>`clock_timestamp()`)
    .returning('jti')
    .execute()
  const parents = revoked.map(({ jti }) => jti)
  return parents.length + (await revokeMadeFrom(db, parents))
}

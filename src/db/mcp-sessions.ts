import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { McpSession } from '../core/caller.js'
import type { Claims } from '../core/service.js'
import type { Db } from './schema.js'

/** The rows behind `Mcp-Session-Id`: which agent a 2025-era connection authenticated as, on whichever replica it arrives. */

/** An MCP session that has not been used for so long is gone. */
export const IDLE_HOURS = 24

function hashId (id: string): Buffer {
  return createHash('sha256').update(id).digest()
}

/** @returns the new Mcp-Session-Id, of 256 random bits; only its hash is kept */
export async function open (db: Db, protocol_version: string, client_name: string | null): Promise<string> {
  const id = randomBytes(32).toString('base64url')
  await db.insertInto('mcp_sessions').values({ id_hash: hashId(id), protocol_version, client_name }).execute()
  return id
}

export async function find (db: Db, id: string): Promise<McpSession | undefined> {
  const row = await db.selectFrom('mcp_sessions').selectAll().where('id_hash', '=', hashId(id))
    .where('last_seen_at', '>', sql<string>`clock_timestamp() - make_interval(hours => ${IDLE_HOURS})`).executeTakeFirst()
  if (row === undefined) return undefined
  // At most one write an hour keeps the row from idling out, so a session ends after 23 to 24 idle hours.
  if (Date.now() - Date.parse(row.last_seen_at) > 3_600_000) {
    await db.updateTable('mcp_sessions').set({ last_seen_at: sql<string>`clock_timestamp()` }).where('id_hash', '=', row.id_hash).execute()
  }
  const { workspace, agent_id, agent_type, permissions, token_jti, token_expires_at } = row
  const identity = workspace !== null && agent_id !== null && agent_type !== null && token_jti !== null && token_expires_at !== null
    ? { workspace, agent_id, agent_type, permissions: permissions ?? [], jti: token_jti, expires_at: new Date(token_expires_at) }
    : null
  return { id_hash: row.id_hash, client_name: row.client_name, protocol_version: row.protocol_version, identity }
}

/** From now on this MCP session is that agent, as long as the token lives. */
export async function bind (db: Db, id_hash: Buffer, claims: Claims): Promise<void> {
  await db.updateTable('mcp_sessions').set({
    workspace: claims.workspace,
    agent_id: claims.agent_id,
    agent_type: claims.agent_type,
    permissions: claims.permissions,
    token_jti: claims.jti,
    token_expires_at: claims.expires_at.toISOString(),
    last_seen_at: sql<string>`clock_timestamp()`
  }).where('id_hash', '=', id_hash).execute()
}

/** @returns whether there was one */
export async function close (db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('mcp_sessions').where('id_hash', '=', hashId(id)).executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

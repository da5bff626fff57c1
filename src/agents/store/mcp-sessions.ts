import { createHash, randomBytes } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import { type Agent, type Bounds, boundsOf } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import type { McpSession } from '../../kernel/caller.js'
import type { Claims } from '../verifiers.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { acrossWorkspaces, type Unscoped, acrossWorkspacesIn } from '../../postgres/scope.js'
import { defineStatement } from '../../postgres/statements.js'

/**
 * The rows behind `Mcp-Session-Id`: which agent a 2025-era connection authenticated as, what it has subscribed to and
 * which of its requests it has cancelled, on whichever replica each of its requests arrives.
 */

/** An MCP session that has not been used for so long is gone. */
export const IDLE_HOURS = 24

/** Resources one MCP session may be subscribed to. */
export const SUBSCRIPTIONS_MAX = 100

/** How far a resource had come when it was subscribed to; what comes later is told. */
export type ResourceVersion = number | string

export interface HeldSession extends McpSession {
  /** Who opened it with credentials (`openerOf`); null: nobody known. */
  opener: Buffer | null
  /** URIs as the client wrote them. */
  subscriptions: Map<string, ResourceVersion>
  /** The notification stream that delivers: of several, the one that was opened last. */
  stream: string | null
  /** Requests the client has cancelled, by their key; the value differs each time. */
  cancelled: Record<string, string>
  /** Whether the client can ask its user. */
  asks: boolean
  /** Whether its user has agreed, by the id of the question. */
  answers: Record<string, boolean>
}

/** The column `subscriptions` (mcp-session-state.ts), as it is kept; rows of an earlier release hold an empty array. */
interface Kept {
  uris?: Record<string, ResourceVersion>
  stream?: string
  cancelled?: Record<string, string>
  asks?: true
  answers?: Record<string, boolean>
}

/** Read before the caller is known: the id has 256 random bits, so whoever knows it may use the session. */
export function held(database: Unscoped): Db {
  return acrossWorkspaces(database)
}

export function hashId(id: string): Buffer {
  return createHash('sha256').update(id).digest()
}

/** Stands for who opened an MCP session. Without the session's id, it tells nobody which agent that is. */
export function openerOf(id: string, { workspace, agent_id }: Pick<Agent, 'workspace' | 'agent_id'>): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([id, workspace, agent_id]))
    .digest()
}

/** @returns the new Mcp-Session-Id, of 256 random bits; only its hash is kept */
export async function open(
  db: Unscoped,
  protocol_version: string,
  client_name: string | null,
  agent: Agent | null,
  asks: boolean
): Promise<string> {
  const id = randomBytes(32).toString('base64url')
  const opener = agent === null ? null : openerOf(id, agent)
  await held(db)
    .insertInto('mcp_sessions')
    .values({
      ...{ id_hash: hashId(id), protocol_version, client_name, opener },
      ...(asks && { subscriptions: JSON.stringify({ asks }) })
    })
    .execute()
  return id
}

export async function find(db: Unscoped, id: string): Promise<HeldSession | undefined> {
  return (await findAll(db, [hashId(id)]))[0]
}

/** Reads the row of an MCP session; undefined where it has ended. */
export type LookUp = (id_hash: Buffer) => Promise<HeldSession | undefined>

/** Rows that one statement reads, at most. */
const BATCH_MAX = 500
/**
 * Statements in flight, at most. After a gap in hearing every stream looks its row up: a statement for each would keep
 * calls from the pool.
 */
const IN_FLIGHT_MAX = 2

/** For a place where many look up at the same time: one statement reads the rows of all. */
export function lookUpTogether(db: Unscoped): LookUp {
  return createBatcher<Buffer, HeldSession | undefined>({
    async flush(hashes) {
      const found = new Map((await findAll(db, hashes)).map(session => [session.id_hash.toString('hex'), session]))
      return hashes.map(hash => found.get(hash.toString('hex')))
    },
    weight_max: BATCH_MAX,
    group_in_flight_max: IN_FLIGHT_MAX
  }).add
}

/** By name: a prepared statement that selects all columns fails when the next release adds one. */
const columns = [
  'id_hash',
  'workspace',
  'protocol_version',
  'client_name',
  'agent_id',
  'agent_type',
  'permissions',
  'token_jti',
  'token_expires_at',
  'token_bounds',
  'subscriptions',
  'opener'
] as const

type HeldRow = Pick<Selectable<Schema['mcp_sessions']>, (typeof columns)[number]> & { is_aging: boolean }

const readHeld = defineStatement<{ hashes: Buffer[]; idle_hours: number }, HeldRow>(
  'mcp_sessions.read',
  (db, { hashes, idle_hours }) =>
    db
      .selectFrom('mcp_sessions')
      .select(columns)
      // At most one write an hour keeps a row from idling out, so a session ends after 23 to 24 idle hours.
      .select(sql<boolean>`last_seen_at < clock_timestamp() - interval '1 hour'`.as('is_aging'))
      .where('id_hash', '=', sql<Buffer>`any(${hashes}::bytea[])`)
      .where('last_seen_at', '>', sql<string>`clock_timestamp() - make_interval(hours => ${idle_hours})`)
)

/** Those of the sessions that are there, in any order; one that is asked for twice is one for both. */
async function findAll(db: Unscoped, hashes: Buffer[]): Promise<HeldSession[]> {
  const rows = await readHeld(held(db), { hashes, idle_hours: IDLE_HOURS })
  const aging = rows.filter(row => row.is_aging).map(row => row.id_hash)
  if (aging.length > 0)
    await held(db)
      .updateTable('mcp_sessions')
      .set({ last_seen_at: sql<string>`clock_timestamp()` })
      .where('id_hash', '=', sql<Buffer>`any(${aging}::bytea[])`)
      .execute()
  return rows.map(row => {
    const { workspace, agent_id, agent_type, permissions, token_jti, token_expires_at } = row
    const identity =
      workspace !== null && agent_id !== null && agent_type !== null && token_jti !== null && token_expires_at !== null
        ? {
            workspace,
            agent_id,
            agent_type,
            permissions: permissions ?? [],
            jti: token_jti,
            expires_at: new Date(token_expires_at),
            ...boundsFrom(row.token_bounds)
          }
        : null
    const { uris = {}, stream = null, cancelled = {}, asks = false, answers = {} } = row.subscriptions as Kept
    return {
      id_hash: row.id_hash,
      opener: row.opener,
      client_name: row.client_name,
      protocol_version: row.protocol_version,
      identity,
      subscriptions: new Map(Object.entries(uris)),
      stream,
      cancelled,
      asks,
      answers
    }
  })
}

/** From now on this MCP session is that agent, as long as the token lives; it may have been another workspace's. */
export async function bind(tx: Db, id_hash: Buffer, claims: Claims): Promise<void> {
  await acrossWorkspacesIn(tx, () =>
    tx
      .updateTable('mcp_sessions')
      .set({
        workspace: claims.workspace,
        agent_id: claims.agent_id,
        agent_type: claims.agent_type,
        permissions: claims.permissions,
        token_jti: claims.jti,
        token_expires_at: claims.expires_at.toISOString(),
        token_bounds: JSON.stringify(boundsOf(claims)),
        last_seen_at: sql<string>`clock_timestamp()`
      })
      .where('id_hash', '=', id_hash)
      .execute()
  )
}

/** Of a row; one of an earlier release has none. */
function boundsFrom(kept: Record<string, unknown> | null): Bounds {
  const { until, ...rest } = (kept ?? {}) as Omit<Bounds, 'until'> & { until?: string }
  return { ...rest, ...(until !== undefined && { until: new Date(until) }) }
}

/** @returns whether there was one */
export async function close(db: Unscoped, id: string): Promise<boolean> {
  const { numDeletedRows } = await held(db)
    .deleteFrom('mcp_sessions')
    .where('id_hash', '=', hashId(id))
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

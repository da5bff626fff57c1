import { randomBytes } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { addressesOf, isFor } from '../../kernel/addresses.js'
import { type Agent, isAdmin, mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { holdsText, resemblesText } from '../../postgres/letters.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement, plannedEachTime } from '../../postgres/statements.js'
import { withinSessions } from '../../visibility/visibility.js'

export interface SessionRow {
  id: string
  purpose: string
  metadata: Record<string, unknown>
  created_by: string
  created_at: string
  updated_at: string
  is_active: boolean
  /** Null: not archived. */
  archived_at: string | null
  /** The name by which agents agreed on it, unique in the workspace; null: none. */
  key: string | null
}

const columns = [
  'id',
  'purpose',
  'metadata',
  'created_by',
  'created_at',
  'updated_at',
  'is_active',
  'archived_at',
  'key'
] as const

export function sessionNotFound(): AppError {
  return new AppError('SESSION_NOT_FOUND', 'There is no session with that session_id.')
}

export function sessionClosed(): AppError {
  return new AppError('SESSION_CLOSED', 'The session is closed.')
}

export function newSessionId(): string {
  return `session_${randomBytes(8).toString('hex')}`
}

/**
 * Makes a session; or, if there is one with the key, returns that. Of many callers at the same time exactly one makes
 * it.
 * @throws AppError PERMISSION_DENIED if the agent is limited to certain sessions, which cannot include a new one
 */
export async function create(
  db: Db,
  agent: Agent,
  { purpose, metadata, key }: { purpose: string; metadata: Record<string, unknown>; key?: string }
): Promise<{ session: SessionRow; created: boolean }> {
  for (let tries = 0; tries < CREATE_TRIES; tries++) {
    const found = key === undefined ? undefined : await findByKey(db, agent.workspace, key)
    // Another session than those the agent may enter is none, and its key is taken all the same.
    if (found !== undefined && mayEnter(agent, found.id)) return { session: found, created: false }
    if (agent.sessions !== undefined) throw mayOpenNone(agent, agent.sessions)
    const session = await db
      .insertInto('sessions')
      .values({
        workspace: agent.workspace,
        id: newSessionId(),
        purpose,
        metadata: JSON.stringify(metadata),
        created_by: agent.agent_id,
        key: key ?? null
      })
      // Waits for another transaction that makes it at this moment.
      .onConflict(conflict => conflict.columns(['workspace', 'key']).where('key', 'is not', null).doNothing())
      .returning(columns)
      .executeTakeFirst()
    if (session !== undefined) return { session, created: true }
  }
  throw new AppError('CONFLICT', 'Sessions with that key are being made and deleted at this very moment.', {
    context: { argument: 'key' }
  })
}

/** One that was there may be deleted before it is read. */
const CREATE_TRIES = 5

async function findByKey(db: Db, workspace: string, key: string): Promise<SessionRow | undefined> {
  return db
    .selectFrom('sessions')
    .select(columns)
    .where('workspace', '=', workspace)
    .where('key', '=', key)
    .executeTakeFirst()
}

function mayOpenNone({ permissions }: Agent, sessions: readonly string[]): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'Your credentials are limited to certain sessions, and cannot open others.',
    {
      context: { limited_to_sessions: sessions.length, current_permissions: permissions },
      suggestions: ['Work in a session that list_sessions shows', 'Or ask an agent without that limit to open one']
    }
  )
}

/** A session and its head, the highest seq assigned so far. */
export type SessionWithHead = SessionRow & { last_seq: number; public_count: number }

/** @throws AppError SESSION_NOT_FOUND */
export async function readSessionOrThrow(db: Db, agent: Viewer, id: string): Promise<SessionWithHead> {
  if (!mayEnter(agent, id)) throw sessionNotFound()
  const [session] = await readSession(db, { workspace: agent.workspace, id })
  if (session === undefined || !isOf(agent, session)) throw sessionNotFound()
  const { between_agents, ...shown } = session
  return shown
}

type Viewer = Pick<Agent, 'workspace' | 'sessions'> & Partial<Agent>

/** Whether a session that is of two agents alone is one of this agent's, or of a program that asks for nobody. */
function isOf({ agent_id, agent_type, permissions }: Viewer, { between_agents }: { between_agents: string[] | null }) {
  if (between_agents === null || agent_id === undefined || agent_type === undefined) return true
  return permissions?.includes('admin') === true || isFor({ agent_id, agent_type }, between_agents)
}

/** Whom a session of two agents is of; null for every other session. */
export async function agentsBetween(db: Db, workspace: string, id: string): Promise<string[] | null> {
  const [session] = await readSession(db, { workspace, id })
  return session?.between_agents ?? null
}

const readSession = defineStatement<
  { workspace: string; id: string },
  SessionWithHead & { between_agents: string[] | null }
>('sessions.read', (db, { workspace, id }) =>
  db
    .selectFrom('sessions')
    .select([...columns, 'last_seq', 'public_count', 'between_agents'])
    .where('workspace', '=', workspace)
    .where('id', '=', id)
)

/**
 * Checks that all these sessions exist and that the agent may enter them.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function requireSessions(
  db: Db,
  agent: Pick<Agent, 'workspace' | 'sessions'>,
  ids: readonly string[]
): Promise<void> {
  const wanted = [...new Set(ids)]
  if (!wanted.every(id => mayEnter(agent, id))) throw sessionNotFound()
  const found = await db
    .selectFrom('sessions')
    .select('id')
    .where('workspace', '=', agent.workspace)
    .where(withinSessions(wanted, 'id'))
    .execute()
  if (found.length < wanted.length) throw sessionNotFound()
}

/**
 * Locks a session's row until the transaction ends. Every change of a session or its messages starts here.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function lockSession(tx: Db, agent: Agent, id: string): Promise<SessionRow & { last_seq: number }> {
  if (!mayEnter(agent, id)) throw sessionNotFound()
  const session = await tx
    .selectFrom('sessions')
    .select([...columns, 'last_seq', 'between_agents'])
    .where('workspace', '=', agent.workspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined || !isOf(agent, session)) throw sessionNotFound()
  const { between_agents, ...shown } = session
  return shown
}

export interface SessionPatch {
  purpose?: string
  metadata?: Record<string, unknown>
  is_active?: boolean
  archived?: true
}

/**
 * Changes a session whose row the caller has locked. The change takes the session's next seq. Reopening a session also
 * takes it out of the archive.
 */
export async function patch(tx: Db, agent: Agent, id: string, change: SessionPatch): Promise<SessionRow> {
  const { last_seq, ...session } = await tx
    .updateTable('sessions')
    .set({
      ...(change.purpose !== undefined && { purpose: change.purpose }),
      ...(change.metadata !== undefined && { metadata: JSON.stringify(change.metadata) }),
      ...(change.is_active !== undefined && { is_active: change.is_active }),
      ...(change.is_active === true && { archived_at: null }),
      ...(change.archived === true && { is_active: false, archived_at: sql<string>`clock_timestamp()` }),
      updated_at: sql<string>`clock_timestamp()`,
      last_seq: sql<number>`last_seq + 1`
    })
    .where('workspace', '=', agent.workspace)
    .where('id', '=', id)
    .returning([...columns, 'last_seq'])
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('session_changes')
    .values({
      workspace: agent.workspace,
      session_id: id,
      seq: last_seq,
      kind: 'session_updated',
      changed_by: agent.agent_id
    })
    .execute()
  return session
}

export interface SessionFilter {
  created_by?: string
  active?: boolean
  archived: boolean
  query?: string
  metadata_filter?: Record<string, unknown>
  limit: number
  after?: { created_at: string; id: string }
}

/** Lists sessions newest first: at most `limit + 1`, where the extra one shows that there are more. */
export async function list(db: Db, agent: Agent, filter: SessionFilter) {
  let query = db
    .selectFrom('sessions')
    .select([...columns, 'public_count', 'last_seq'])
    .where('workspace', '=', agent.workspace)
    .where('archived_at', filter.archived ? 'is not' : 'is', null)
  if (agent.sessions !== undefined) query = query.where(withinSessions(agent.sessions, 'id'))
  if (!isAdmin(agent))
    query = query.where(sql<boolean>`(between_agents is null or between_agents && ${addressesOf(agent)}::text[])`)
  if (filter.created_by !== undefined) query = query.where('created_by', '=', filter.created_by)
  if (filter.active !== undefined) query = query.where('is_active', '=', filter.active)
  if (filter.metadata_filter !== undefined)
    query = query.where(sql<boolean>`metadata @> ${JSON.stringify(filter.metadata_filter)}::jsonb`)
  if (filter.query !== undefined) {
    // Similar to some part of the purpose: typos are tolerated.
    query = query.where(sql<boolean>`exists (
      select from session_purposes p where p.workspace = sessions.workspace and p.session_id = sessions.id
        and p.workspace = ${agent.workspace}
        and (${holdsText(sql`p.purpose`, filter.query)} or ${resemblesText(sql`p.purpose`, filter.query)}
          or p.session_id = ${filter.query}))`)
  }
  if (filter.after !== undefined)
    query = query.where(sql<boolean>`(created_at, id) < (${filter.after.created_at}::timestamptz, ${filter.after.id})`)
  query = query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
  return filter.query === undefined ? query.execute() : (await plannedEachTime(db, query)).rows
}

/**
 * Whether a search of all sessions includes this one. It excludes archived sessions, and deleted ones whose messages
 * are not swept yet. If the workspace has neither, no row needs a lookup. (A scalar subquery, since PostgreSQL would
 * turn an `exists` into a join and read whole tables.)
 */
export function inListedSession(workspace: string, session_id: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`((select not exists (select from sessions where workspace = ${workspace}
      and archived_at is not null)
      and not exists (select from deleted_sessions where workspace = ${workspace}))
    or (select listed.archived_at is null from sessions listed where listed.workspace = ${workspace}
      and listed.id = ${session_id}))`
}

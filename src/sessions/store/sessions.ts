import { type RawBuilder, type Selectable, sql } from 'kysely'
import { isFor } from '../../kernel/addresses.js'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { withinSessions } from '../../visibility/visibility.js'

export const sessionColumns = [
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

export type SessionRow = Pick<Selectable<Schema['sessions']>, (typeof sessionColumns)[number]>

export function sessionNotFound(): AppError {
  return new AppError('SESSION_NOT_FOUND', 'There is no session with that session_id.')
}

export function sessionClosed(): AppError {
  return new AppError('SESSION_CLOSED', 'The session is closed.')
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

/** A session, and whom it is of where it is of two agents: for all viewers alike, whether they may see it or not. */
export async function sessionOfAgents(
  db: Db,
  workspace: string,
  id: string
): Promise<{ session: SessionRow; between: string[] | null } | undefined> {
  const [found] = await readSession(db, { workspace, id })
  if (found === undefined) return undefined
  const { last_seq, public_count, between_agents: between, ...session } = found
  return { session, between }
}

const readSession = defineStatement<
  { workspace: string; id: string },
  SessionWithHead & { between_agents: string[] | null }
>('sessions.read', (db, { workspace, id }) =>
  db
    .selectFrom('sessions')
    .select([...sessionColumns, 'last_seq', 'public_count', 'between_agents'])
    .where('workspace', '=', workspace)
    .where('id', '=', id)
)

/** The last seq of a session; undefined if there is no such session. */
export async function headOf(
  db: Db,
  workspace: string,
  session_id: string
): Promise<{ last_seq: number; is_active: boolean } | undefined> {
  return db
    .selectFrom('sessions')
    .select(['last_seq', 'is_active'])
    .where('workspace', '=', workspace)
    .where('id', '=', session_id)
    .executeTakeFirst()
}

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
    .select([...sessionColumns, 'last_seq', 'between_agents'])
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
    .returning([...sessionColumns, 'last_seq'])
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

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { likePattern } from '../../postgres/like.js'
import { countedOneByOne, countReadable } from '../../visibility/message-counts.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement, plannedEachTime } from '../../postgres/statements.js'
import { partsNotPublic, readableMessages, withinSessions } from '../../visibility/visibility.js'

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
}

const columns = [
  'id',
  'purpose',
  'metadata',
  'created_by',
  'created_at',
  'updated_at',
  'is_active',
  'archived_at'
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

/** @throws AppError PERMISSION_DENIED if the agent is limited to certain sessions, which cannot include a new one */
export async function create(
  db: Db,
  agent: Agent,
  id: string,
  purpose: string,
  metadata: Record<string, unknown>
): Promise<SessionRow> {
  if (agent.sessions !== undefined) {
    throw new AppError(
      'PERMISSION_DENIED',
      'Your credentials are limited to certain sessions, and cannot open others.',
      {
        context: { limited_to_sessions: agent.sessions.length, current_permissions: agent.permissions },
        suggestions: ['Work in a session that list_sessions shows', 'Or ask an agent without that limit to open one']
      }
    )
  }
  return db
    .insertInto('sessions')
    .values({ workspace: agent.workspace, id, purpose, metadata: JSON.stringify(metadata), created_by: agent.agent_id })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/**
 * Reads a session with its head, the highest seq assigned so far.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function need(
  db: Db,
  agent: Pick<Agent, 'workspace' | 'sessions'>,
  id: string
): Promise<SessionRow & { last_seq: number; public_count: number }> {
  if (!mayEnter(agent, id)) throw sessionNotFound()
  const [session] = await readSession(db, { workspace: agent.workspace, id })
  if (session === undefined) throw sessionNotFound()
  return session
}

const readSession = defineStatement<
  { workspace: string; id: string },
  SessionRow & { last_seq: number; public_count: number }
>('sessions.read', (db, { workspace, id }) =>
  db
    .selectFrom('sessions')
    .select([...columns, 'last_seq', 'public_count'])
    .where('workspace', '=', workspace)
    .where('id', '=', id)
)

/**
 * Checks that all these sessions exist and that the agent may enter them.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function needAll(
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
 * Like `need`, and locks the row until the transaction ends. Every change of a session or its messages starts here.
 * @throws AppError SESSION_NOT_FOUND
 */
export async function needLocked(tx: Db, agent: Agent, id: string): Promise<SessionRow & { last_seq: number }> {
  if (!mayEnter(agent, id)) throw sessionNotFound()
  const session = await tx
    .selectFrom('sessions')
    .select([...columns, 'last_seq'])
    .where('workspace', '=', agent.workspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined) throw sessionNotFound()
  return session
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
  if (filter.created_by !== undefined) query = query.where('created_by', '=', filter.created_by)
  if (filter.active !== undefined) query = query.where('is_active', '=', filter.active)
  if (filter.query !== undefined) {
    // `<%`: the query is similar to some part of the purpose (pg_trgm's threshold is 0.6), so that typos are tolerated.
    query = query.where(sql<boolean>`exists (
      select from session_purposes p where p.workspace = sessions.workspace and p.session_id = sessions.id
        and p.workspace = ${agent.workspace}
        and (p.purpose ilike ${likePattern(filter.query)} or ${filter.query} <% p.purpose
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

export interface SessionStatistics {
  message_count: number
  message_count_is_estimate?: true
  last_activity: string
}

type Counted = { id: string; created_at: string; last_seq: number; public_count: number }

/**
 * For each session, in the given order: how many messages the viewer may see, and when the last of them was written, or
 * else when the session was created. One query reads all sessions.
 */
export async function statistics(db: Db, viewer: Agent, sessions: readonly Counted[]): Promise<SessionStatistics[]> {
  if (sessions.length === 0) return []
  const readable = readableMessages(db, viewer).where('m.session_id', '=', sql<string>`wanted.id`)
  const others = partsNotPublic(viewer).map(
    part =>
      sql`(${readable
        .where(part)
        .select('m.seq')
        .limit(sql<number>`wanted.most + 1`)})`
  )
  const last = readable.select('m.timestamp').orderBy('m.seq', 'desc').limit(1)
  const { rows } = await sql<{ others: number; last: string | null }>`
    select (select count(*) from (${sql.join(others, sql` union all `)}) other) as others, (${last}) as last
    from unnest(${sessions.map(session => session.id)}::text[], ${sessions.map(countedOneByOne)}::int[]) with
      ordinality as wanted (id, most, n) order by wanted.n`.execute(db)
  return Promise.all(
    sessions.map(async (session, i) => {
      const { others, last } = rows[i] as { others: number; last: string | null }
      // A second query is needed only if there are more messages than the first one counts.
      const count =
        others > countedOneByOne(session)
          ? await countReadable(db, viewer, session, {})
          : { count: session.public_count + others, is_estimate: false }
      return {
        message_count: count.count,
        ...(count.is_estimate && { message_count_is_estimate: true as const }),
        last_activity: last ?? session.created_at
      }
    })
  )
}

/** Most senders in a result. */
const PARTICIPANTS_MAX = 1000

/** The senders of messages that the viewer may see, ordered by agent_id. A loose index scan, from sender to sender. */
export async function participants(db: Db, viewer: Agent, session_id: string): Promise<string[]> {
  const next = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .select('m.sender')
    .orderBy('m.sender')
    .limit(1)
  const { rows } = await sql<{ sender: string }>`
    with recursive senders as (
      (select * from (${next}) first)
      union all
      select following.sender from senders, lateral
        (${next.where('m.sender', '>', sql.ref<string>('senders.sender'))}) following
    )
    select sender from senders limit ${PARTICIPANTS_MAX}`.execute(db)
  return rows.map(row => row.sender)
}

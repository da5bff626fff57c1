import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { inListedSession } from '../sessions/store/sessions.js'
import type { Db } from '../postgres/schema.js'
import { readableMessages, visibleTo } from '../visibility/visibility.js'
import type { TermHash } from './term-hash.js'
import { sessionTerm } from './terms.js'

export interface SearchFilter {
  session_id?: string
  sender?: string
  scope: 'all' | 'public' | 'private'
  start_time?: string
  end_time?: string
  metadata_filter?: Record<string, unknown>
  search_metadata: boolean
}

/** The messages a viewer may see, as narrowed. Every part is one more condition. */
export function searched(db: Db, viewer: Agent, filter: SearchFilter) {
  return readableMessages(db, viewer)
    .where(inScope(viewer, filter, sql`m.session_id`))
    .where(narrowed(filter))
}

/** Whether a session is searched at all. */
export function inScope(viewer: Agent, { session_id }: SearchFilter, of: RawBuilder<string>): RawBuilder<boolean> {
  return session_id !== undefined ? sql<boolean>`${of} = ${session_id}` : inListedSession(viewer.workspace, of)
}

/** What else a filter asks of a message `m`. */
export function narrowed(filter: SearchFilter): RawBuilder<boolean> {
  const conditions = [sql`true`]
  if (filter.sender !== undefined) conditions.push(sql`m.sender = ${filter.sender}`)
  if (filter.scope !== 'all') conditions.push(sql`m.visibility = ${filter.scope}`)
  if (filter.start_time !== undefined) conditions.push(sql`m.timestamp >= ${filter.start_time}::timestamptz`)
  if (filter.end_time !== undefined) conditions.push(sql`m.timestamp <= ${filter.end_time}::timestamptz`)
  if (filter.metadata_filter !== undefined) conditions.push(containsMetadata(filter.metadata_filter))
  return sql<boolean>`${sql.join(conditions, sql` and `)}`
}

function containsMetadata(wanted: Record<string, unknown>): RawBuilder<boolean> {
  return sql<boolean>`m.metadata @> ${JSON.stringify(wanted)}::jsonb`
}

/** The same of the index rows `t`, but for the metadata, which only the message has. */
export function indexedConditions(viewer: Agent, filter: SearchFilter): RawBuilder<boolean> {
  const conditions = [sql`t.workspace = ${viewer.workspace}`, visibleTo(viewer, 't')]
  conditions.push(inScope(viewer, filter, sql`t.session_id`))
  if (filter.sender !== undefined) conditions.push(sql`t.sender = ${filter.sender}`)
  if (filter.scope !== 'all') conditions.push(sql`t.visibility = ${filter.scope}`)
  if (filter.start_time !== undefined) conditions.push(sql`t.timestamp >= ${filter.start_time}::timestamptz`)
  if (filter.end_time !== undefined) conditions.push(sql`t.timestamp <= ${filter.end_time}::timestamptz`)
  if (filter.metadata_filter !== undefined) {
    conditions.push(
      sql`exists (select from messages m where m.workspace = t.workspace and m.id = t.message_id and ${containsMetadata(filter.metadata_filter)})`
    )
  }
  return sql<boolean>`${sql.join(conditions, sql` and `)}`
}

/** The session as one more term, for GIN. */
export function ofSession({ session_id }: SearchFilter, hash: TermHash): RawBuilder<unknown> {
  return session_id === undefined ? sql`` : sql`t.terms @> ${[sessionTerm(hash, session_id)]}::int4[] and`
}

/** Rows in which words are looked for before the index is asked: under 1 ms. */
export const SAMPLED = 200

/**
 * The newest rows of a session or workspace. Conditions are for what reads them: the rows of a rare sender would be a
 * walk through all.
 */
export function sample(viewer: Agent, filter: SearchFilter): RawBuilder<unknown> {
  const session = filter.session_id === undefined ? sql`` : sql`and t.session_id = ${filter.session_id}`
  return sql`select t.* from message_terms t where t.workspace = ${viewer.workspace} ${session} order by ${newestFirst(filter)} limit ${SAMPLED}`
}

/** The order of an index, so that the newest rows can be walked along. */
export function newestFirst({ session_id }: SearchFilter): RawBuilder<unknown> {
  return session_id === undefined ? sql`t.workspace desc, t.message_id desc` : sql`t.message_id desc`
}

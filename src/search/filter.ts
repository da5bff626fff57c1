import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { inListedSession } from '../sessions/store/sessions.js'
import type { Db } from '../postgres/schema.js'
import { readableMessages, visibleTo } from '../visibility/visibility.js'

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
  const conditions = narrowedColumns(filter, 'm')
  if (filter.metadata_filter !== undefined) conditions.push(containsMetadata(filter.metadata_filter))
  return all(conditions)
}

function narrowedColumns(filter: SearchFilter, row: 'm' | 't'): Array<RawBuilder<boolean>> {
  const column = (name: string) => sql.ref(`${row}.${name}`)
  const conditions = [sql<boolean>`true`]
  if (filter.sender !== undefined) conditions.push(sql`${column('sender')} = ${filter.sender}`)
  if (filter.scope !== 'all') conditions.push(sql`${column('visibility')} = ${filter.scope}`)
  if (filter.start_time !== undefined) conditions.push(sql`${column('timestamp')} >= ${filter.start_time}::timestamptz`)
  if (filter.end_time !== undefined) conditions.push(sql`${column('timestamp')} <= ${filter.end_time}::timestamptz`)
  return conditions
}

function containsMetadata(wanted: Record<string, unknown>): RawBuilder<boolean> {
  return sql<boolean>`m.metadata @> ${JSON.stringify(wanted)}::jsonb`
}

/** What a viewer may see of the index's rows `t`: what words are counted in. */
export function inReach(viewer: Agent, { session_id }: SearchFilter): RawBuilder<boolean> {
  const conditions = [sql<boolean>`t.workspace = ${viewer.workspace}`, visibleTo(viewer, 't')]
  if (session_id !== undefined) conditions.push(sql`t.session_id = ${session_id}`)
  return all(conditions)
}

/** The same as `searched`, of the index's rows `t`. */
export function indexedConditions(viewer: Agent, filter: SearchFilter): RawBuilder<boolean> {
  const conditions = [inReach(viewer, filter), ...narrowedColumns(filter, 't')]
  if (filter.session_id === undefined) conditions.push(inScope(viewer, filter, sql`t.session_id`))
  if (filter.metadata_filter !== undefined)
    conditions.push(
      sql`exists (select from messages m where m.workspace = t.workspace and m.id = t.message_id
        and ${containsMetadata(filter.metadata_filter)})`
    )
  return all(conditions)
}

function all(conditions: Array<RawBuilder<boolean>>): RawBuilder<boolean> {
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`
}

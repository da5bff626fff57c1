import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { inListedSession } from '../sessions/store/sessions.js'
import type { Db } from '../postgres/schema.js'
import { readableMessages } from '../visibility/visibility.js'

export interface SearchFilter {
  session_id?: string
  sender?: string
  scope: 'all' | 'public' | 'private'
  start_time?: string
  end_time?: string
  metadata_filter?: Record<string, unknown>
  search_metadata: boolean
}

/** Whether a filter asks for more than a session. */
export function isNarrowed({ sender, scope, start_time, end_time, metadata_filter }: SearchFilter): boolean {
  return scope !== 'all' || [sender, start_time, end_time, metadata_filter].some(value => value !== undefined)
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

/** The same of rows `t` of the index, where all sessions are searched. */
export function listed(workspace: string): RawBuilder<boolean> {
  return inListedSession(workspace, sql`t.session_id`)
}

/** What else a filter asks of a message `m`. */
export function narrowed(filter: SearchFilter): RawBuilder<boolean> {
  const conditions = [sql<boolean>`true`]
  if (filter.sender !== undefined) conditions.push(sql`m.sender = ${filter.sender}`)
  if (filter.scope !== 'all') conditions.push(sql`m.visibility = ${filter.scope}`)
  if (filter.start_time !== undefined) conditions.push(sql`m.timestamp >= ${filter.start_time}::timestamptz`)
  if (filter.end_time !== undefined) conditions.push(sql`m.timestamp <= ${filter.end_time}::timestamptz`)
  if (filter.metadata_filter !== undefined)
    conditions.push(sql`m.metadata @> ${JSON.stringify(filter.metadata_filter)}::jsonb`)
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`
}

/** The same of rows `t` of the index, in one text for every filter: what is null is not asked for. */
export function indexedConditions(of: {
  sender: string | null
  scope: string
  start_time: string | null
  end_time: string | null
  metadata_filter: string | null
}): RawBuilder<boolean> {
  return sql<boolean>`coalesce((${of.sender}::text is null or t.sender = ${of.sender})
    and (${of.scope}::text = 'all' or t.visibility = ${of.scope})
    and (${of.start_time}::timestamptz is null or t.timestamp >= ${of.start_time})
    and (${of.end_time}::timestamptz is null or t.timestamp <= ${of.end_time}), false)
    and (${of.metadata_filter}::jsonb is null or exists (select from messages m
      where m.workspace = t.workspace and m.id = t.message_id and m.metadata @> ${of.metadata_filter}::jsonb))`
}

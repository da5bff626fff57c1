import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { defineStatement } from '../postgres/statements.js'
import type { ReadableMessages } from '../visibility/message-filter.js'
import { readableMessages, visibleTo } from '../visibility/visibility.js'
import { indexedConditions, isNarrowed, listed, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { sessionTerm } from './terms.js'

/** One search: who searches for what, and where. */
export interface Search {
  db: Db
  viewer: Agent
  filter: SearchFilter
  query: Query
  limit: number
  threshold: number
  /**
   * What terms are looked for in. `words`: in one session a term is its exclusive or with the session's, so that what a
   * word costs there does not depend on any other session. `terms`: the plain ones, across sessions, and in a session
   * that has rows from before there were others.
   */
  array: 'words' | 'terms'
}

/** Terms as they stand in that array. */
export function inArray({ query, filter: { session_id }, array }: Search, terms: readonly number[]): number[] {
  if (array === 'terms' || session_id === undefined) return [...terms]
  const session = sessionTerm(query.hash, session_id)
  return terms.map(term => term ^ session)
}

/** An array as PostgreSQL reads it. */
export function literal(values: ReadonlyArray<number | string>): string {
  return `{${values.join(',')}}`
}

/** What a statement of a search is told of it, by names. */
export interface Reach {
  workspace: string
  session_id?: string
  agent_id: string
  agent_type: string
  sessions?: readonly string[]
  sender: string | null
  scope: string
  start_time: string | null
  end_time: string | null
  metadata_filter: string | null
}

/** What a statement is built of, of the index's rows `t`. */
export interface Kind {
  in_session: boolean
  array: RawBuilder<unknown>
  /** The viewer sees it, and it is in what is searched, whatever else the search is narrowed by. */
  seen: RawBuilder<boolean>
  /** The same, narrowed. */
  met: RawBuilder<boolean>
  is_narrowed: boolean
  /** Messages `m` that the viewer sees. */
  readable: () => ReadableMessages
  workspace: string
  session_id: string | undefined
}

/**
 * A statement whose text, and so its one plan, is the same for all searches of a kind: of those who see everything or
 * not, in a session or not, narrowed or not. Planning such a statement takes PostgreSQL longer than running it.
 * @param variantOf what else decides the text; there is one for each of its values, so they must be few
 */
export function forEachKind<V extends object, R, Variant extends object = object>(
  label: string,
  build: (kind: Kind, values: V & Reach, variant: Variant) => RawBuilder<R>,
  variantOf?: (search: Search, values: V) => Variant
): (search: Search, values: V) => Promise<R[]> {
  const made = new Map<string, (db: Db, values: V & Reach) => Promise<R[]>>()
  return (search, values) => {
    const { db, viewer, filter } = search
    const reach: Reach = {
      workspace: viewer.workspace,
      session_id: filter.session_id,
      agent_id: viewer.agent_id,
      agent_type: viewer.agent_type,
      sessions: viewer.sessions,
      sender: filter.sender ?? null,
      scope: filter.scope,
      start_time: filter.start_time ?? null,
      end_time: filter.end_time ?? null,
      metadata_filter: filter.metadata_filter === undefined ? null : JSON.stringify(filter.metadata_filter)
    }
    const in_session = filter.session_id !== undefined
    const is_narrowed = isNarrowed(filter)
    const variant = variantOf?.(search, values) ?? ({} as Variant)
    const key = JSON.stringify([
      isAdmin(viewer),
      viewer.sessions !== undefined,
      in_session,
      is_narrowed,
      search.array,
      variant
    ])
    let statement = made.get(key)
    if (statement === undefined)
      made.set(
        key,
        (statement = defineStatement<V & Reach, R>(
          label,
          (own, places) => {
            const place = { ...viewer, ...placesOf(viewer, places) }
            const seen = visible(place, places, in_session)
            return build(
              {
                in_session,
                array: sql.ref(`t.${search.array}`),
                seen,
                met: is_narrowed ? sql<boolean>`${seen} and ${indexedConditions(places)}` : seen,
                is_narrowed,
                readable: () => readableMessages(own, place),
                workspace: places.workspace,
                session_id: in_session ? places.session_id : undefined
              },
              places,
              variant
            )
          },
          'once, within a second'
        ))
      )
    return statement(db, { ...values, ...reach })
  }
}

/**
 * What the viewer sees of rows `t` of the index in what is searched. In a form that no B-tree serves: the terms are to
 * be looked up, and then whether the viewer sees what they are in. PostgreSQL, which does not know how rare a word is,
 * would rather read a whole session.
 */
function visible(viewer: Agent, places: Reach, in_session: boolean): RawBuilder<boolean> {
  const seen = visibleTo(viewer, 't')
  const place = in_session ? sql<boolean>`t.session_id = ${places.session_id}` : listed(places.workspace)
  return sql<boolean>`coalesce(t.workspace = ${places.workspace} and ${place} and ${seen}, false)`
}

/** A viewer whose names are places of a statement. Whether it sees everything, and all sessions, is its kind. */
function placesOf({ sessions }: Agent, of: Reach): Pick<Agent, 'workspace' | 'agent_id' | 'agent_type' | 'sessions'> {
  return {
    workspace: of.workspace,
    agent_id: of.agent_id,
    agent_type: of.agent_type,
    ...(sessions !== undefined && { sessions: of.sessions })
  }
}

import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { inReach, type SearchFilter } from './filter.js'
import type { Query, Unit } from './query.js'
import { sessionTerm } from './terms.js'

/** One search: who searches for what, and where. */
export interface Search {
  db: Db
  viewer: Agent
  filter: SearchFilter
  query: Query
  limit: number
  threshold: number
}

/**
 * The array of an index row `t` that terms are looked for in. In one session a term is its exclusive or with the
 * session's, so that what a word costs there does not depend on any other session; across sessions it is the plain one.
 */
export function arrayOf({ session_id }: SearchFilter): RawBuilder<unknown> {
  return session_id === undefined ? sql`t.terms` : sql`t.words`
}

/** Terms as they stand in that array. */
export function inArray({ query, filter: { session_id } }: Search, terms: readonly number[]): number[] {
  if (session_id === undefined) return [...terms]
  const session = sessionTerm(query.hash, session_id)
  return terms.map(term => term ^ session)
}

/** Whether an array holds one term of each set. */
export function holds(array: RawBuilder<unknown>, sets: ReadonlyArray<readonly number[]>): RawBuilder<boolean> {
  if (sets.length === 0) return sql<boolean>`false`
  return sql<boolean>`(${sql.join(
    sets.map(terms => sql`${array} && ${terms}::int4[]`),
    sql` and `
  )})`
}

/** From here on PostgreSQL makes a hash table of a list; `&&` compares every term with every other. */
const HASHED_FROM = 9

/** The same where rows that were found are looked at, and no index is asked. */
export function holdsInRow(array: RawBuilder<unknown>, sets: ReadonlyArray<readonly number[]>): RawBuilder<boolean> {
  return sql<boolean>`(${sql.join(
    sets.map(terms =>
      terms.length < HASHED_FROM
        ? sql`${array} && ${terms}::int4[]`
        : sql`exists (select from unnest(${array}) term where term = any(${terms}::int4[]))`
    ),
    sql` and `
  )})`
}

/** Whether a row `t` of the index holds a unit. */
function holdsUnit(search: Search, { terms }: Pick<Unit, 'terms'>): RawBuilder<boolean> {
  return holds(
    arrayOf(search.filter),
    terms.map(set => inArray(search, set))
  )
}

/** Rows `t` of the index that the viewer may see and that hold a unit, at most so many. */
export function holding(search: Search, unit: Pick<Unit, 'terms'>, most: number): RawBuilder<unknown> {
  return sql`(select t.message_id from message_terms t where ${holdsUnit(search, unit)}
    and ${inReach(search.viewer, search.filter)} limit ${sql.lit(most)})`
}

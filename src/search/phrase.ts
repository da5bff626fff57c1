import { sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { indexedConditions, ofSession, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { COMPARED_MAX, type Found, score, scoredMax } from './scored.js'

/** The messages in which the words of these pairs stand side by side. Finds a phrase of common words wherever it is. */
export async function indexedPhrase(
  db: Db,
  viewer: Agent,
  query: Query,
  pairs: readonly number[],
  filter: SearchFilter,
  limit: number,
  scored: number[]
): Promise<Found> {
  return score(
    db,
    viewer,
    query,
    filter,
    scored,
    sql`
    -- "+ 0" keeps the planner on the terms: it would walk along the session instead, hoping to fill the limit soon.
    compared as materialized (
      select t.message_id from message_terms t
      where ${ofSession(filter, query.hash)} t.terms @> ${pairs}::int4[] and ${indexedConditions(viewer, filter)}
      order by t.message_id + 0 desc limit ${COMPARED_MAX + 1}),
    best as materialized (
      select t.message_id, 1::real as coverage from compared t
      where message_id <> all(${scored}::bigint[]) order by message_id desc limit ${scoredMax(limit)})`
  )
}

import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { messageColumns } from '../messages/store/messages.js'
import type { Db } from '../postgres/schema.js'
import { readableMessages } from '../visibility/visibility.js'
import { plannedEachTime } from '../postgres/statements.js'
import type { SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { type Candidate, firstOf, inAll, isExact, TEXT_MAX, wholeText } from './texts.js'

/** Messages that are compared by how well their terms cover the query; the newest, where more have them. */
export const COMPARED_MAX = 250
/** Messages that are read and scored, at least: about 0.2 ms each. */
const SCORED_MAX = 60

export interface Found {
  candidates: Candidate[]
  /** Whether a limit above has cut something off. */
  cut: boolean
}

/**
 * Reads the best of what the index brought, with what rank.ts needs of it.
 * @param steps common table expressions, of which `compared` has what met the conditions and `best` (message_id,
 * coverage) what is to be scored
 * @param scored messages that have been
 */
export async function score(
  db: Db,
  viewer: Agent,
  query: Query,
  filter: SearchFilter,
  scored: number[],
  steps: RawBuilder<unknown>
): Promise<Found> {
  const messages = readableMessages(db, viewer)
    .where('m.id', 'in', sql<number>`(select message_id from best)`)
    .select(messageColumns)
  const { rows: found } = await plannedEachTime(
    db,
    sql<Candidate & { fresh: number; compared: number }>`
    with ${steps}
    select m.*, left(w.text, ${TEXT_MAX}) as text, ${inAll(query, sql`w.text`)} as in_all, e.exact,
           case when e.exact then 1 else word_similarity(${query.phrase}, left(w.text, ${TEXT_MAX})) end as phrase_similarity,
           (select count(*) from compared where message_id <> all(${scored}::bigint[])) as fresh, (select count(*) from compared) as compared
    from ${firstOf(sql`select m.*, best.coverage from (${messages}) m join best on best.message_id = m.id`, sql`m.coverage desc, m.id desc`)} m,
         lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w, lateral (select ${isExact(query, sql`w.text`)} as exact offset 0) e`
  )
  const { fresh = 0, compared = 0 } = found[0] ?? {}
  return {
    candidates: found.map(({ fresh: _, compared: __, ...candidate }) => candidate),
    cut: fresh > found.length || compared > COMPARED_MAX
  }
}

/** As many as are asked for, if all of them match. */
export function scoredMax(limit: number): number {
  return Math.max(SCORED_MAX, limit)
}

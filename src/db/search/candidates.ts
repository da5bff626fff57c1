import { sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import type { Db } from '../schema.js'
import { indexedConditions, newestFirst, ofSession, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { COMPARED_MAX, type Found, score, scoredMax } from './scored.js'
import { hasOne, setsOf, type Tier, union, worth } from './tiers.js'
import type { Spellings } from './vocabulary.js'

/** The newest messages that are looked through for the words before the index is asked: under 1 ms. */
export const SAMPLED = 200
/** Where at least this share of them has the words, looking on from newest to oldest ends sooner than collecting all that have. */
const COMMON_SHARE = 0.03
/** Longer lists are looked for in the rows that the other words bring: GIN advances every term of a list with every row. */
const GIN_MAX = 300
/**
 * What else was measured for this step, per search in a session of 100 000 on two cores: a trigram GIN index on the texts
 * 0.9–7.7 s; GiST 350 ms at a tenth of the size; a 2048-bit signature per message, scanned 230 ms, with 0.71 of the right
 * answers among the first ten; PostgreSQL's full text finds no misspelt word at all. Scoring every message with pg_trgm costs
 * 70 µs each.
 *
 * The messages that have a term for every word of the query (but `missing` of them), the best covered first. Visibility and
 * filters are conditions of the same statement, so what the viewer cannot see has no part in what is cut.
 *
 * @param scored messages that need no scoring any more
 */
export async function indexed (db: Db, viewer: Agent, query: Query, spellings: Map<string, Spellings>, filter: SearchFilter, missing: 0 | 1, limit: number, scored: number[]): Promise<Found> {
  const words = query.words.map(word => ({ letters: [...word.text].length, sets: setsOf(word, spellings), spelt: word.kind !== 'word' || spellings.has(word.text) }))
  // Words that are not spelt out are only judged; where there are no others, they are looked for as they are written.
  const telling = words.some(word => word.spelt) ? words.filter(word => word.spelt) : words
  const long = ({ sets }: { sets: Tier[][] }) => sets.some(tiers => union(tiers).length > GIN_MAX)
  const has = (scanned: boolean, { sets }: { sets: Tier[][] }) => sql`(${sql.join(sets.map(tiers => scanned || union(tiers).length > GIN_MAX ? hasOne(union(tiers)) : sql`t.terms && ${union(tiers)}::int4[]`), sql` and `)})`
  // One `&&` per word rather than one expression for all: GIN then skips by the rarest word. (Measured, database.md §5.1: one
  // boolean query over all spellings 37–52 ms, one operator per word 10–28 ms.)
  const all = (scanned: boolean, some = telling) => sql`(${sql.join(some.map(word => has(scanned, word)), sql` and `)})`
  const having = (scanned: boolean) => missing === 0
    ? all(scanned)
    : telling.length < 2 ? sql`false` : sql`(${sql.join(telling.map(lacking => all(scanned, telling.filter(word => word !== lacking))), sql` or `)})`
  const met = sql`array[${sql.join(words.map(({ sets }) => worth(sets)))}]::real[]`
  const coverage = sql.join(words.map(({ letters }, i) => sql`${letters}::real * met.words[${sql.lit(i + 1)}]`), sql` + `)
  const conditions = indexedConditions(viewer, filter)
  const order = newestFirst(filter)
  const toWalk = telling.every(long) ? sql`true` : sql`(select count(*) from sampled) >= ${COMMON_SHARE * SAMPLED}`
  return score(db, viewer, query, filter, limit, scored, sql`
    sample as materialized (select t.message_id, t.terms from message_terms t where ${conditions} order by ${order} limit ${SAMPLED}),
    sampled as materialized (select t.message_id, t.terms from sample t where ${having(true)}),
    -- Whether the sample holds all there is, and whether the words are common (or too many for GIN). One of the three branches runs.
    way as materialized (select (select count(*) from sample) < ${SAMPLED} as whole, ${toWalk} as common),
    compared as materialized (
      (select message_id, terms from sampled where (select whole from way) order by message_id desc limit ${COMPARED_MAX + 1})
      union all
      (select t.message_id, t.terms from message_terms t where (select common and not whole from way) and ${having(true)} and ${conditions} order by ${order} limit ${COMPARED_MAX + 1})
      union all
      -- "+ 0" keeps the planner on the terms.
      (select t.message_id, t.terms from message_terms t where (select not common and not whole from way) and ${ofSession(filter)} ${having(false)} and ${conditions} order by t.message_id + 0 desc limit ${COMPARED_MAX + 1})
    ),
    best as materialized (
      select t.message_id, met.words as met
      from compared t, lateral (select ${met} as words offset 0) met
      where t.message_id <> all(${scored}::bigint[])
      order by ${coverage} desc, t.message_id desc limit ${scoredMax(limit)})`)
}

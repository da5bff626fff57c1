import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { indexedConditions, newestFirst, ofSession, sample, SAMPLED, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { COMPARED_MAX, type Found, score, scoredMax } from './scored.js'
import type { TermHash } from './term-hash.js'
import { GIN_MAX, hasOne, inParts, setsOf, type Tier, union, worth } from './tiers.js'
import type { Spellings } from './vocabulary.js'

/**
 * Where at least this share of them has the words, looking on from newest to oldest ends sooner than collecting all
 * that have.
 */
const COMMON_SHARE = 0.06
/** How far is looked on: far enough for such a share; where it was only the sample's, the index is asked after all. */
const WALKED = 5000

/**
 * What else was measured for this step, in prototypes, per search in a session of 100 000 on two cores: a trigram GIN
 * index on the texts 0.9–7.7 s; GiST 350 ms at a tenth of the size; a 2048-bit signature per message, scanned 230 ms,
 * with 0.71 of the right answers among the first ten; PostgreSQL's full text finds no misspelt word at all. Scoring
 * every message with pg_trgm costs 70 µs each.
 *
 * The messages that have a term for every word of the query (but `missing` of them), the best covered first. Visibility
 * and filters are conditions of the same statement, so what the viewer cannot see has no part in what is cut.
 *
 * @param scored messages that need no scoring any more
 */
export async function indexed(
  db: Db,
  viewer: Agent,
  query: Query,
  spellings: Map<string, Spellings>,
  filter: SearchFilter,
  missing: 0 | 1,
  limit: number,
  scored: number[]
): Promise<Found> {
  const words = query.words.map(word => ({
    letters: [...word.text].length,
    sets: setsOf(word, spellings),
    spelt: word.kind !== 'word' || spellings.has(word.text)
  }))
  // Words that are not spelt out are only judged; where there are no others, they are looked for as they are written.
  const telling = words.some(word => word.spelt) ? words.filter(word => word.spelt) : words
  // Each time all words that must be there.
  const ways =
    missing === 0
      ? [telling]
      : telling.length < 2
        ? []
        : telling.map(lacking => telling.filter(word => word !== lacking))
  const having =
    ways.length === 0
      ? sql`false`
      : sql`(${sql.join(
          ways.map(
            some =>
              sql`(${sql.join(
                some.flatMap(({ sets }) => sets.map(tiers => hasOne(union(tiers)))),
                sql` and `
              )})`
          ),
          sql` or `
        )})`
  const met = sql`array[${sql.join(words.map(({ sets }) => worth(sets)))}]::real[]`
  const coverage = sql.join(
    words.map(({ letters }, i) => sql`${letters}::real * met.words[${sql.lit(i + 1)}]`),
    sql` + `
  )
  const conditions = indexedConditions(viewer, filter)
  return score(
    db,
    viewer,
    query,
    filter,
    scored,
    sql`
    sample as materialized (${sample(viewer, filter)}),
    sampled as materialized (select t.message_id, t.terms from sample t where ${conditions} and ${having}),
    -- Whether the sample holds all there is, and whether the words are common.
    way as materialized (select (select count(*) from sample) < ${SAMPLED} as whole, (select count(*) from sampled) >= ${COMMON_SHARE * SAMPLED} as common),
    walked as materialized (
      select t.message_id, t.terms from (select t.message_id, t.terms from message_terms t where (select common and not whole from way) and ${conditions} order by ${newestFirst(filter)} limit ${WALKED}) t
      where ${having} limit ${COMPARED_MAX + 1}),
    found as materialized (select (select whole from way) as in_sample, (select count(*) from walked) > ${COMPARED_MAX} as by_walking),
    -- One of the three branches runs.
    compared as materialized (
      (select message_id, terms from sampled where (select in_sample from found) order by message_id desc limit ${COMPARED_MAX + 1})
      union all
      (select message_id, terms from walked where (select by_walking and not in_sample from found))
      union all
      (select distinct on (message_id) message_id, terms from (${
        ways.length === 0
          ? sql`select * from sampled`
          : sql.join(
              ways.map(some => byIndex(some, filter, query.hash, conditions)),
              sql` union all `
            )
      }) indexed
       where (select not by_walking and not in_sample from found) order by message_id desc limit ${COMPARED_MAX + 1})
    ),
    best as materialized (
      select t.message_id, ${coverage} as coverage
      from compared t, lateral (select ${met} as words offset 0) met
      where t.message_id <> all(${scored}::bigint[])
      order by ${coverage} desc, t.message_id desc limit ${scoredMax(limit)})`
  )
}

/**
 * The rows that have all of some words, by GIN. One `&&` per word rather than one expression for all: GIN then skips by
 * the rarest word (measured: one boolean query over all spellings 37–52 ms, one operator per word 10–28 ms). But with
 * every row GIN advances all terms of a list, so a long one is asked for in parts, and of several long ones only the
 * shortest; the rest are looked for in the rows. (Measured on two busy cores, of a million messages, in a session of 10
 * 000: 1200 terms in one list 4 s, 3200 terms 17 s; in parts 30–50 ms.)
 */
function byIndex(
  words: Array<{ sets: Tier[][] }>,
  filter: SearchFilter,
  hash: TermHash,
  conditions: RawBuilder<boolean>
): RawBuilder<unknown> {
  const lists = words.flatMap(({ sets }) => sets.map(union)).sort((a, b) => a.length - b.length)
  const [shortest = []] = lists
  const others = lists
    .slice(1)
    .map(list => (list.length <= GIN_MAX ? sql` and t.terms && ${list}::int4[]` : sql` and ${hasOne(list)}`))
  const rows = (one: RawBuilder<unknown>) =>
    sql`select t.message_id, t.terms from message_terms t where ${ofSession(filter, hash)} t.terms && ${one}${sql.join(others, sql``)} and ${conditions}`
  // "+ 0" keeps the planner on the terms: it would walk along the session instead, hoping to fill the limit soon.
  if (shortest.length <= GIN_MAX)
    return sql`(${rows(sql`${shortest}::int4[]`)} order by t.message_id + 0 desc limit ${COMPARED_MAX + 1})`
  return sql`(select found.* from unnest(${inParts(shortest)}::text[]) part, lateral (${rows(sql`part::int4[]`)} offset 0) found)`
}

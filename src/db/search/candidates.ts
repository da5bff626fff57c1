import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import { messageColumns } from '../messages.js'
import type { Db } from '../schema.js'
import { readableMessages } from '../visibility.js'
import { indexedConditions, type SearchFilter } from './filter.js'
import type { Query, Word } from './query.js'
import { sessionTerm } from './terms.js'
import { type Candidate, firstOf, inAll, isExact, TEXT_MAX, wholeText } from './texts.js'
import type { Spellings } from './vocabulary.js'

/** Messages that are compared by how well their terms cover the query; the newest, where more have them. */
const COMPARED_MAX = 250
/** Messages that are read and scored, at least: about 0.2 ms each. */
const SCORED_MAX = 60
/** The newest messages that are looked through for the words before the index is asked: under 1 ms. */
const SAMPLED = 200
/** Where at least this share of them has the words, looking on from newest to oldest ends sooner than collecting all that have. */
const COMMON_SHARE = 0.03
/** Longer lists are looked for in the rows that the other words bring: GIN advances every term of a list with every row. */
const GIN_MAX = 300
/** From here on PostgreSQL makes a hash table of a list; `&&` compares every term with every other. */
const HASHED_FROM = 9

export interface Found {
  candidates: Candidate[]
  /** Whether a limit above has cut something off. */
  cut: boolean
}

/** One word of the query as terms, by how well they meet it. */
interface Tier { terms: number[], worth: number }

/**
 * What else was measured for this step, per search in a session of 100 000 on two cores: a trigram GIN index on the texts
 * 0.9–7.7 s; GiST 350 ms at a tenth of the size; a 2048-bit signature per message, scanned 230 ms, with 0.71 of the right
 * answers among the first ten; PostgreSQL's full text finds no misspelt word at all. Scoring every message with pg_trgm costs
 * 70 µs each.
 *
 * The messages that have a term for every word of the query (but `missing` of them), the best covered first. Visibility and
 * filters are conditions of the same statement, so what the viewer cannot see has no part in what is cut.
 *
 * @param known messages that need no scoring any more
 */
export async function indexed (db: Db, viewer: Agent, query: Query, spellings: Map<string, Spellings>, filter: SearchFilter, missing: 0 | 1, limit: number, known: number[]): Promise<Found> {
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
  return score(db, viewer, query, filter, known, sql`
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
      select t.message_id, ${coverage} as coverage
      from compared t, lateral (select ${met} as words offset 0) met
      where t.message_id <> all(${known}::bigint[])
      order by ${coverage} desc, t.message_id desc limit ${scoredMax(limit)})`)
}

/** The messages in which the words of the phrase stand side by side. Finds a phrase of common words wherever it is. */
export async function indexedPhrase (db: Db, viewer: Agent, query: Query, filter: SearchFilter, limit: number, known: number[]): Promise<Found> {
  return score(db, viewer, query, filter, known, sql`
    compared as materialized (
      select t.message_id, t.terms from message_terms t
      where ${ofSession(filter)} t.terms @> ${query.pairs}::int4[] and ${indexedConditions(viewer, filter)}
      order by t.message_id + 0 desc limit ${COMPARED_MAX + 1}),
    best as materialized (
      select t.message_id, 1::real as coverage from compared t
      where message_id <> all(${known}::bigint[]) order by message_id desc limit ${scoredMax(limit)})`)
}

/**
 * Which words of the query stand in some message that the viewer may see and the filter lets through, as typed or as part of a
 * longer word. One round trip.
 */
export async function standing (db: Db, viewer: Agent, words: readonly Word[], spellings: Map<string, Spellings>, filter: SearchFilter): Promise<Set<string>> {
  const conditions = indexedConditions(viewer, filter)
  const { rows } = await sql<{ n: number }>`
    with sample as materialized (select t.terms from message_terms t where ${conditions} order by ${newestFirst(filter)} limit ${SAMPLED})
    ${sql.join(words.map((word, n) => {
      const spelt = spellings.get(word.text)
      const terms = [...spelt?.starts ?? [], ...spelt?.inside ?? []]
      return sql`
        select ${n}::int as n where exists (select from sample t where ${hasOne(terms)})
          or (select count(*) from message_terms t where ${ofSession(filter)} t.terms && ${terms}::int4[] and ${conditions}) > 0`
    }), sql` union all `)}`.execute(db)
  return new Set(rows.map(({ n }) => (words[n] as Word).text))
}

/** @param steps common table expressions, of which `compared` has what met the conditions and `best` (message_id, coverage) what is to be scored */
async function score (db: Db, viewer: Agent, query: Query, filter: SearchFilter, known: number[], steps: RawBuilder<unknown>): Promise<Found> {
  const messages = sql`${readableMessages(db, viewer).where('m.id', 'in', sql<number>`(select message_id from best)`).select(messageColumns)}`
  const { rows: found } = await sql<Candidate & { fresh: number, compared: number }>`
    with ${steps}
    select m.*, left(w.text, ${TEXT_MAX}) as text, ${inAll(query, sql`w.text`)} as in_all, e.exact,
           case when e.exact then 1 else word_similarity(${query.phrase}, left(w.text, ${TEXT_MAX})) end as phrase_similarity,
           (select count(*) from compared where message_id <> all(${known}::bigint[])) as fresh, (select count(*) from compared) as compared
    from ${firstOf(sql`select m.*, best.coverage from (${messages}) m join best on best.message_id = m.id`, sql`m.coverage desc, m.id desc`)} m,
         lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w, lateral (select ${isExact(query, sql`w.text`)} as exact offset 0) e`.execute(db)
  const { fresh = 0, compared = 0 } = found[0] ?? {}
  return { candidates: found.map(({ fresh: _, compared: __, ...candidate }) => candidate), cut: fresh > found.length || compared > COMPARED_MAX }
}

/** As many as are asked for, if all of them match. */
function scoredMax (limit: number): number {
  return Math.max(SCORED_MAX, limit)
}

/** The session as one more term, for GIN. */
function ofSession ({ session_id }: SearchFilter): RawBuilder<unknown> {
  return session_id === undefined ? sql`` : sql`t.terms @> ${[sessionTerm(session_id)]}::int4[] and`
}

/** The order of an index, so that the newest rows can be walked along. */
function newestFirst ({ session_id }: SearchFilter): RawBuilder<unknown> {
  return session_id === undefined ? sql`t.workspace desc, t.message_id desc` : sql`t.message_id desc`
}

/** What a word requires: sets of tiers, of each of which one term must be there. */
function setsOf (word: Word, spellings: Map<string, Spellings>): Tier[][] {
  const spelt = spellings.get(word.text)
  if (word.kind !== 'word' || spelt === undefined) return asWritten(word)
  return [[{ terms: spelt.starts, worth: 1 }, { terms: spelt.inside, worth: 0.85 }, { terms: spelt.near, worth: 0.8 }].filter(tier => tier.terms.length > 0)]
}

function asWritten (word: Word): Tier[][] {
  return word.required.map(terms => [{ terms, worth: 1 }])
}

function union (tiers: Tier[]): number[] {
  return tiers.flatMap(tier => tier.terms)
}

/** How well a row meets a word: its best tier, the mean over what the word requires. */
function worth (sets: Tier[][]): RawBuilder<number> {
  const each = sets.map(tiers => sql`case ${sql.join(tiers.map(tier => sql`when ${hasOne(tier.terms)} then ${tier.worth}::real`), sql` `)} else 0 end`)
  return sql`(${sql.join(each, sql` + `)}) / ${sets.length}`
}

/** Whether the terms of `t` hold one of these, for where rows are looked through. */
function hasOne (terms: number[]): RawBuilder<boolean> {
  return terms.length < HASHED_FROM ? sql<boolean>`t.terms && ${terms}::int4[]` : sql<boolean>`exists (select from unnest(t.terms) term where term = any(${terms}::int4[]))`
}

import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import { messageColumns } from '../messages.js'
import type { Db } from '../schema.js'
import { readableMessages } from '../visibility.js'
import { indexedConditions, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { sessionTerm } from './terms.js'
import { type Candidate, isExact, TEXT_MAX, wholeText } from './texts.js'
import type { Spellings } from './vocabulary.js'

/** Index rows that are compared by how well they cover the query; the newest, where there are more. */
const COMPARED_MAX = 1000
/** Messages that are read and scored: about 0.1 ms each. */
const SCORED_MAX = 100

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
 * One `&&` per word rather than one expression for all: GIN then skips by the rarest word. (Measured, database.md §5.1: one
 * boolean query over all spellings 37–52 ms, one operator per word 10–28 ms.)
 */
export async function indexed (db: Db, viewer: Agent, query: Query, spellings: Map<string, Spellings>, filter: SearchFilter, missing: 0 | 1): Promise<Found> {
  const words = query.words.map(word => ({ letters: [...word.text].length, sets: setsOf(word, spellings), many: spellings.get(word.text)?.many === true }))
  // A word of too many spellings narrows nothing; where there are only such, they are looked for as they are.
  const telling = words.some(word => !word.many) ? words.filter(word => !word.many) : words
  const every = telling.map(({ sets }) => sql<boolean>`(${sql.join(sets.map(tiers => sql`t.terms && ${union(tiers)}::int4[]`), sql` and `)})`)
  const having = missing === 0
    ? sql.join(every, sql` and `)
    : sql`(${sql.join(every.map(has => sql`${has}::int`), sql` + `)} >= ${every.length - missing}) and t.terms && ${telling.flatMap(({ sets }) => sets.flatMap(union))}::int4[]`
  const inSession = filter.session_id === undefined ? sql`` : sql`t.terms @> ${[sessionTerm(filter.session_id)]}::int4[] and`
  const met = sql`array[${sql.join(words.map(({ sets }) => worth(sets)))}]::real[]`
  const coverage = sql.join(words.map(({ letters }, i) => sql`${letters}::real * met.words[${sql.lit(i + 1)}]`), sql` + `)
  return score(db, viewer, query, filter, sql`
    select t.message_id, met.words as met, ${coverage} as coverage
    from message_terms t, lateral (select ${met} as words offset 0) met
    where ${inSession} ${having} and ${indexedConditions(viewer, filter)}
    -- "+ 0" keeps the planner on the terms: it would walk the session instead, hoping to fill the limit soon.
    order by t.message_id + 0 desc limit ${COMPARED_MAX + 1}`)
}

/** The messages in which the words of the phrase stand side by side. Finds a phrase of common words wherever it is. */
export async function indexedPhrase (db: Db, viewer: Agent, query: Query, filter: SearchFilter): Promise<Found> {
  const inSession = filter.session_id === undefined ? sql`` : sql`t.terms @> ${[sessionTerm(filter.session_id)]}::int4[] and`
  return score(db, viewer, query, filter, sql`
    select t.message_id, ${query.words.map(() => 1)}::real[] as met, 1::real as coverage from message_terms t
    where ${inSession} t.terms @> ${query.pairs}::int4[] and ${indexedConditions(viewer, filter)}
    order by t.message_id + 0 desc limit ${COMPARED_MAX + 1}`)
}

async function score (db: Db, viewer: Agent, query: Query, filter: SearchFilter, rows: RawBuilder<unknown>): Promise<Found> {
  const { rows: found } = await sql<Candidate & { compared: number }>`
    with compared as materialized (${rows}),
    best as materialized (select message_id, met from compared order by coverage desc, message_id desc limit ${SCORED_MAX})
    select m.*, left(w.text, ${TEXT_MAX}) as text, ${isExact(query, sql`w.text`)} as exact,
           word_similarity(${query.phrase}, left(w.text, ${TEXT_MAX})) as phrase_similarity,
           best.met, (select count(*) from compared) as compared
    from best, (${readableMessages(db, viewer).where('m.id', 'in', sql<number>`(select message_id from best)`).select(messageColumns)}) m,
         lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w
    where best.message_id = m.id`.execute(db)
  const compared = found[0]?.compared ?? 0
  return { candidates: found.map(({ compared: _, ...candidate }) => candidate), cut: compared > SCORED_MAX }
}

/** What a word requires: sets of tiers, of each of which one term must be there. */
function setsOf (word: Query['words'][number], spellings: Map<string, Spellings>): Tier[][] {
  const spelt = spellings.get(word.text)
  if (word.kind !== 'word' || spelt === undefined) return word.required.map(terms => [{ terms, worth: 1 }])
  if (spelt.many) return [[{ terms: spelt.starts.slice(0, 1), worth: 1 }]]
  return [[{ terms: spelt.starts, worth: 1 }, { terms: spelt.inside, worth: 0.85 }, { terms: spelt.near, worth: 0.8 }].filter(tier => tier.terms.length > 0)]
}

function union (tiers: Tier[]): number[] {
  return tiers.flatMap(tier => tier.terms)
}

/** How well a row meets a word: its best tier, the mean over what the word requires. */
function worth (sets: Tier[][]): RawBuilder<number> {
  const each = sets.map(tiers => sql`case ${sql.join(tiers.map(tier => sql`when t.terms && ${tier.terms}::int4[] then ${tier.worth}::real`), sql` `)} else 0 end`)
  return sql`(${sql.join(each, sql` + `)}) / ${sets.length}`
}

import { type RawBuilder, sql } from 'kysely'
import { messageColumns } from '../messages/store/messages.js'
import { withinASecond } from '../postgres/statements.js'
import { readableMessages } from '../visibility/visibility.js'
import { indexedConditions } from './filter.js'
import { COMMON, type Rarity } from './rarity.js'
import { arrayOf, holds, holdsInRow, inArray, type Search } from './reach.js'
import type { Spelt } from './spellings.js'
import { type Candidate, firstOf, folding, lookedThrough, similarity } from './texts.js'
import { partTerms } from './query.js'
import { sessionTerm } from './terms.js'

/** Messages that are compared by what they hold; the newest, where more do. */
const COMPARED_MAX = 2000
/** The rarest words are looked for as long as together no more messages hold them. */
const RARE_SUM = 2000
/** Of the rarest words that are all common, messages that hold two of so many are looked for. */
const PAIRED = 4
/** Newest messages that are looked at first for what is common; where so many of them hold it, no others are looked at. */
const WALKED = 3000
const ENOUGH = 200
/** Messages that have every word, of which those that hold the whole phrase come first. */
const PHRASE_MAX = 300
/** Messages that are read and scored beyond as many as are asked for. */
const SCORED_MORE = 10
/** The same where words are misspelt: which of their forms a message has, only its text tells. */
const SCORED_MORE_MISSPELT = 30
/** How far apart in the session's order two messages may be to be beside each other. */
const BESIDE_MAX = 2

export interface Found {
  candidates: Candidate[]
  /** Whether a bound above has left something out. */
  cut: boolean
}

/** What a unit of the query is looked for as: its sets of terms, and what it weighs. */
interface Wanted {
  sets: number[][]
  weight: number
  count: number
}

/**
 * The messages that hold most of what is rare in the query, from the index, the best first. Visibility and filters are
 * conditions of the same statement, so what the viewer cannot see has no part in what is cut.
 *
 * What else was measured, in prototypes, per search in a session of 100 000 on two cores: a trigram GIN index on the
 * texts 0.9–7.7 s; GiST 350 ms; a 2048-bit signature per message, scanned, 230 ms with 0.71 of the right answers among
 * the first ten; PostgreSQL's full text with the words joined by OR 573 ms.
 */
export async function indexed(search: Search, rarity: Rarity, spelt: Spelt, all_words: boolean): Promise<Found> {
  const { db, viewer, filter, query, limit } = search
  const wanted = wantedOf(search, rarity, spelt)
  const ways = all_words ? allOf(wanted) : someOf(wanted)
  if (ways === undefined) return { candidates: [], cut: false }
  const old = rarity.has_old_rows && filter.session_id !== undefined
  const lists = (sets: number[][]) => sets.map(set => (old ? [...inArray(search, set), ...set] : inArray(search, set)))
  const array = sql`f.array`
  const total = wanted.reduce((sum, { weight }) => sum + weight, 0)
  const held = sql.join(
    wanted
      .filter(({ sets }) => sets.length > 0)
      .map(
        ({ sets, weight }) => sql`case when ${holdsInRow(array, lists(sets))} then ${weight / total}::real else 0 end`
      ),
    sql` + `
  )
  const conditions = indexedConditions(viewer, filter)
  const columns = sql`t.message_id, t.session_id, t.seq, ${arrayOf(filter)} as array`
  const newest = filter.session_id === undefined ? sql`t.workspace desc, t.message_id desc` : sql`t.message_id desc`
  const met = (sets: (array: RawBuilder<unknown>) => RawBuilder<boolean>) => sets(arrayOf(filter))
  const oldRows =
    old && filter.session_id !== undefined
      ? sql`union all (select t.message_id, t.session_id, t.seq, t.terms as array from message_terms t
          where t.words is null and t.terms @> ${[sessionTerm(query.hash, filter.session_id)]}::int4[]
            and ${ways.met(sql`t.terms`, sets => sets)} and ${conditions} limit ${sql.lit(COMPARED_MAX)})`
      : sql``
  const scored = limit + (spelt.size > 0 ? SCORED_MORE_MISSPELT : SCORED_MORE)
  const fold = folding(query.phrase)
  const whole = readableMessages(db, viewer)
    .where('m.id', '=', sql<number>`h.message_id`)
    .select(messageColumns)
  const messages = readableMessages(db, viewer)
    .where('m.id', '=', sql<number>`b.message_id`)
    .select(messageColumns)
  const { rows } = await withinASecond(
    db,
    sql<Candidate & { compared: number; complete: number }>`
    with newest as materialized (
      select ${columns} from message_terms t where ${sql.lit(ways.common)} and ${conditions} order by ${newest} limit ${sql.lit(WALKED)}),
    walked as materialized (select * from newest t where ${ways.met(sql`t.array`, sets => lists(sets))} limit ${sql.lit(COMPARED_MAX)}),
    -- "+ 0" keeps the planner on the terms: it would walk along the session instead, hoping to fill the limit soon.
    looked_up as materialized (
      select ${columns} from message_terms t
      where (select count(*) < ${sql.lit(ENOUGH)} from walked) and ${met(of => ways.met(of, sets => sets.map(set => inArray(search, set))))} and ${conditions}
      order by t.message_id + 0 desc limit ${sql.lit(COMPARED_MAX)}),
    found as materialized (select distinct on (message_id) * from (
      select * from walked union all select * from looked_up ${oldRows}) f order by message_id desc),
    held as materialized (
      select f.message_id, f.session_id, f.seq, (${held})::real as held,
        cardinality(f.array) / greatest(1, avg(cardinality(f.array)) over ()) as length from found f),
    warmed as materialized (
      select h.*,
        (case when h.seq - lag(seq) over near <= ${sql.lit(BESIDE_MAX)} then lag(held) over near else 0 end
        + case when lead(seq) over near - h.seq <= ${sql.lit(BESIDE_MAX)} then lead(held) over near else 0 end)::real as beside
      from held h window near as (partition by session_id order by seq)),
    whole as materialized (
      select h.message_id from (select * from warmed where held > 0.999 order by message_id desc limit ${sql.lit(PHRASE_MAX)}) h,
        lateral (${whole} offset 0) m
      where (select count(*) from warmed where held > 0.999) > ${sql.lit(SCORED_MORE)}
        and strpos(${lookedThrough(fold, filter.search_metadata)}, ${query.phrase}) > 0
      limit ${sql.lit(scored)}),
    best as materialized (
      select w.*, w.message_id in (select message_id from whole) as whole from warmed w
      order by whole desc, ${ranking(query.is_sentence)} desc, message_id desc limit ${sql.lit(scored)})
    select m.*, ${similarity(query)} as similarity, (select count(*) from found)::int as compared
    from ${firstOf(
      sql`select m.*, b.length, b.beside, b.whole, b.held from best b, lateral (${messages} offset 0) m`,
      sql`m.whole desc, m.held desc, m.id desc`
    )} m`
  )
  const compared = rows[0]?.compared ?? 0
  return {
    candidates: rows.map(({ compared: _, complete: __, ...candidate }) => candidate),
    cut: compared >= (ways.common ? ENOUGH : COMPARED_MAX)
  }
}

/** What a message weighs before its text is looked at: score.ts says the same of the text. */
function ranking(is_sentence: boolean): RawBuilder<number> {
  return is_sentence
    ? sql<number>`${normed(sql`w.held`, sql`w.length`)} + ${BESIDE}::real * w.beside`
    : sql<number>`round(w.held::numeric, 3) + 0.0001 * (${BESIDE}::real * w.beside - w.length)`
}

/** How much the messages beside one count for it, and how much its length: 0 is not at all. */
export const BESIDE = 0.45
export const LENGTH = 0.3

function normed(held: RawBuilder<unknown>, length: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${held} / (${1 - LENGTH}::real + ${LENGTH}::real * ${length})`
}

function wantedOf(search: Search, { counts, weights }: Rarity, spelt: Spelt): Wanted[] {
  // Function words are no terms; side by side they are.
  const { function_runs } = search.query
  if (function_runs.length > 0) return function_runs.map(run => ({ sets: [[run]], weight: 1, count: 1 }))
  return search.query.units.map((unit, i) => {
    const spellings = spelt.get(unit)
    const as_written =
      unit.parts === undefined || spellings === undefined ? unit.terms : partTerms(search.query.hash, unit)
    const known = spellings !== undefined && (unit.parts !== undefined || spellings.some(list => list.length > 0))
    return {
      sets: as_written
        .map((set, n) => [...set, ...(spellings?.[n] ?? []).map(({ term }) => term)])
        .filter(set => set.length > 0),
      weight: weights[i] as number,
      count: (counts[i] as number) + (known ? 1 : 0)
    }
  })
}

/** How candidates are looked for. */
interface Ways {
  /** Whether so many messages hold them that the newest are looked at first. */
  common: boolean
  met: (array: RawBuilder<unknown>, lists: (sets: number[][]) => number[][]) => RawBuilder<boolean>
}

/** Messages that have every word; undefined where one stands nowhere. */
function allOf(wanted: Wanted[]): Ways | undefined {
  const telling = wanted.filter(({ sets }) => sets.length > 0)
  if (telling.length === 0 || telling.some(({ count }) => count === 0)) return undefined
  return {
    common: telling.every(({ count }) => count >= COMMON),
    met: (array, lists) => holds(array, lists(telling.flatMap(({ sets }) => sets)))
  }
}

/** Messages that hold one of the rarest words or, where all are common, two of them. */
function someOf(wanted: Wanted[]): Ways | undefined {
  const telling = wanted.filter(({ sets, count }) => sets.length > 0 && count > 0).sort((a, b) => a.count - b.count)
  const [rarest] = telling
  if (rarest === undefined) return undefined
  const any = (array: RawBuilder<unknown>, some: Wanted[], lists: (sets: number[][]) => number[][]) =>
    sql<boolean>`(${sql.join(
      some.map(({ sets }) => holds(array, lists(sets))),
      sql` or `
    )})`
  if (rarest.count >= COMMON && telling.length > 1) {
    const few = telling.slice(0, PAIRED)
    return {
      common: true,
      met: (array, lists) =>
        sql<boolean>`(${sql.join(
          few.flatMap((a, i) => few.slice(i + 1).map(b => holds(array, lists([...a.sets, ...b.sets])))),
          sql` or `
        )})`
    }
  }
  let sum = 0
  const rare = telling.filter(({ count }) => (sum += count) <= RARE_SUM || count === rarest.count)
  return { common: rarest.count >= COMMON, met: (array, lists) => any(array, rare, lists) }
}

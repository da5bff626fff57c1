import { sql } from 'kysely'
import { messageColumns } from '../messages/store/messages.js'
import type { Choice, Chosen } from './candidates.js'
import { lengthened } from './norms.js'
import { forEachKind, inArray, literal, type Search } from './reach.js'
import { type Letters, lettersOf } from '../postgres/letters.js'
import { type Candidate, firstOf, folding, lookedThrough, similarity } from './texts.js'
import { isAscii } from './terms.js'

/** Messages that are read and scored beyond as many as are asked for. */
const SCORED_MORE = 10
/** The same where words are misspelt: which of their forms a message has, only its text tells. */
const SCORED_MORE_MISSPELT = 30
/** Messages that have every word, of which those that hold the whole phrase come first. */
const PHRASE_MAX = 300
/** Messages that are asked whether they hold what is common too. */
const ASKED_MAX = 300
const ASKED_MAX_ALL_WORDS = 1000

/** What holds so much of a query holds all of it. */
const ALL = 0.999

interface Values extends Letters {
  ids: number[]
  held: number[]
  ranks: number[]
  /** By what the share of what is common is divided, in the rank. */
  lengths: number[]
  common: string[]
  shares: number[]
  phrases: number
  most: number
}

interface Variant {
  is_ascii: boolean
  has_common: boolean
  search_metadata: boolean
}

/** Reads the best, which a part of the query that is common may put into another order. */
const read = forEachKind<Values, Omit<Candidate, 'length' | 'beside'>, Variant>(
  'search.read',
  ({ array, readable, workspace }, values, { is_ascii, has_common, search_metadata }) => {
    const message = readable()
      .where('m.id', '=', sql<number>`b.id`)
      .select(messageColumns)
    const text = lookedThrough(folding(values, is_ascii), search_metadata)
    return sql`
      with given as materialized (
        select * from unnest(${values.ids}::int8[], ${values.held}::real[], ${values.ranks}::real[],
          ${values.lengths}::real[]) as given (id, held, rank, length)),
      common as materialized (
        select terms::int4[] as terms, share
        from unnest(${values.common}::text[], ${values.shares}::real[]) c (terms, share)),
      ranked as materialized (${
        has_common
          ? sql`select g.id, g.held + c.held as held, g.rank + c.held / g.length as rank from given g, lateral (
              select coalesce(sum(c.share), 0)::real as held from message_terms t, common c
              where t.workspace = ${workspace} and t.message_id = g.id and ${array} && c.terms) c`
          : sql`select id, held, rank from given`
      }),
      whole as materialized (
        select b.id
        from (select id from ranked where held > ${sql.lit(ALL)} order by id desc limit ${values.phrases}) b,
          lateral (${message} offset 0) m
        where strpos(${text}, ${values.phrase}) > 0 limit ${values.most}),
      best as materialized (select r.*, r.id in (select id from whole) as whole from ranked r
        order by whole desc, rank desc, id desc limit ${values.most})
      select m.*, ${similarity(values)} as similarity
      from ${firstOf(
        sql`select m.*, b.whole, b.rank from best b, lateral (${message} offset 0) m`,
        sql`m.whole desc, m.rank desc, m.id desc`
      )} m`
  },
  ({ query, filter }, { common }) => ({
    is_ascii: isAscii(query.phrase),
    has_common: common.length > 0,
    search_metadata: filter.search_metadata
  })
)

/** The messages of a choice that are worth scoring, the best of them. One statement. */
export async function fetched(
  search: Search,
  { chosen, unlisted }: Choice,
  total: number,
  { all_words, is_misspelt }: { all_words: boolean; is_misspelt: boolean }
): Promise<Candidate[]> {
  if (chosen.length === 0) return []
  const most = search.limit + (is_misspelt ? SCORED_MORE_MISSPELT : SCORED_MORE)
  // Whether a phrase is among them matters where more hold every word than are scored.
  const of_common = unlisted.reduce((sum, { weight }) => sum + weight / total, 0)
  const has_phrases = chosen.filter(({ held }) => held + of_common > ALL).length > most
  const asked = chosen.slice(
    0,
    unlisted.length > 0 ? (all_words ? ASKED_MAX_ALL_WORDS : ASKED_MAX) : has_phrases ? PHRASE_MAX : most
  )
  const rows = await read(search, {
    ids: asked.map(({ id }) => id),
    held: asked.map(({ held }) => held),
    ranks: asked.map(({ rank }) => rank),
    lengths: asked.map(({ length }) => (search.query.is_sentence ? lengthened(length) : 1)),
    common: unlisted.map(({ sets }) => literal(inArray(search, sets[0] as number[]))),
    shares: unlisted.map(({ weight }) => weight / total),
    phrases: has_phrases ? PHRASE_MAX : 0,
    most,
    ...lettersOf(search.query)
  })
  const known = new Map(asked.map(of => [of.id, of]))
  return rows.map(row => {
    const { length, beside } = known.get(row.id) as Chosen
    return { ...row, length, beside }
  })
}

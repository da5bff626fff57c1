import { type RawBuilder, sql } from 'kysely'
import { type ListedRow, listing, type Postings, postingsIn, type Sets } from './postings.js'
import { forEachKind, inArray, type Search } from './reach.js'

/**
 * Newest messages that are looked at first for what is common; where so many of them hold it, no others are looked at.
 */
const WALKED = 3000
const ENOUGH = 200
/** Messages that are looked up where those are too few. */
const LOOKED_UP = 2000
/** Sets of terms that count; what a message has of more, its text tells. */
const SETS_MAX = 8

/** The sets are parameters, so there is a text for each number of them, and for whether all are wanted or two. */
interface Values {
  sets: number[][]
  all: boolean
  [set: number]: number[]
}
interface Variant {
  count: number
  all: boolean
}
const variantOf = (_: Search, { sets, all }: Values): Variant => ({ count: sets.length, all })
const places = (count: number, values: Values) => Array.from({ length: count }, (_, i) => sql`${values[i]}::int4[]`)

/** One of the newest messages after the other is looked at, until enough hold the sets. */
const walk = forEachKind<Values, ListedRow, Variant>(
  'search.walk',
  ({ array, met, in_session, workspace, session_id }, values, { count, all }) => {
    const sets = places(count, values)
    const held = sql.join(
      sets.map(set => sql`(listed && ${set})::int`),
      sql` + `
    )
    return listing(
      in_session,
      sql`(select message_id, seq, session_id, cardinality(listed) as size from (
          select t.message_id, t.seq, t.session_id, ${array} as listed from message_terms t
          where t.workspace = ${workspace} ${in_session ? sql`and t.session_id = ${session_id}` : sql``} and ${met}
          order by ${in_session ? sql`t.message_id desc` : sql`t.workspace desc, t.message_id desc`}
          limit ${sql.lit(WALKED)}) newest
        where ${held} >= ${sql.lit(all ? count : 2)} limit ${sql.lit(ENOUGH)})`
    )
  },
  variantOf
)

/** The same by the index. */
const lookUp = forEachKind<Values, ListedRow, Variant>(
  'search.look_up',
  ({ array, met, in_session }, values, { count, all }) => {
    const holding = places(count, values).map(set => sql`${array} && ${set}`)
    const pairs = holding.flatMap((one, i) => holding.slice(i + 1).map(other => sql`(${one} and ${other})`))
    const held: RawBuilder<unknown> = all ? sql.join(holding, sql` and `) : sql.join(pairs, sql` or `)
    // "+ 0" keeps the planner on the terms: it would walk along the session instead, hoping to fill the limit soon.
    return listing(
      in_session,
      sql`(select t.message_id, t.seq, t.session_id, cardinality(${array}) as size from message_terms t
        where (${held}) and ${met} order by t.message_id + 0 desc limit ${sql.lit(LOOKED_UP)})`
    )
  },
  variantOf
)

/** The newest messages that hold all of these or, where not all are wanted, two: all of them are common. */
export async function newestHolding(
  search: Search,
  wanted: readonly Sets[],
  all: boolean
): Promise<Postings & { cut: boolean }> {
  const sets = wanted
    .flatMap(of => (all ? of : of.slice(0, 1)))
    .slice(0, SETS_MAX)
    .map(terms => inArray(search, terms))
  const values = { ...sets, sets, all: all || sets.length === 1 }
  const walked = postingsIn(await walk(search, values), ENOUGH)
  if (!walked.complete) return { ...walked, cut: true }
  const found = postingsIn(await lookUp(search, values), LOOKED_UP)
  return { ...found, cut: !found.complete }
}

import { type RawBuilder, sql } from 'kysely'
import { forEachKind, inArray, literal, type Search } from './reach.js'

/** Messages of one word are listed up to here: what stands in more is common. */
export const COMMON = 1000
/** Up to so many waiting messages are counted. */
export const WAITING_COUNTED = 501

/** What a word, an identifier or a run of CJK is looked up by: a message must have one term of each set. */
export type Sets = ReadonlyArray<readonly number[]>

/** The messages that the viewer may see and that hold some sets of terms. */
export interface Postings {
  /** How many do, up to COMMON, whatever the search is narrowed by. */
  count: number
  /** Whether all are listed. */
  complete: boolean
  ids: number[]
  /** Where each stands: in one session what is next to each other differs by about one. 0: not known. */
  positions: number[]
  /** Terms of each. */
  sizes: number[]
}

export interface Looked {
  postings: Postings[]
  /** Messages that wait for the index, of all senders, up to WAITING_COUNTED. */
  waiting: number
  /** Public messages of the session, 0 where all are searched. */
  messages: number
  /** Whether rows of the session are from before terms were made as they are now. */
  has_old_rows: boolean
}

/** How a list comes from PostgreSQL, which prints arrays. */
export interface ListedRow {
  found: number
  ids: string | null
  positions: string | null
  sizes: string | null
}

interface Row extends ListedRow {
  waiting: number
  messages: number | null
  has_old_rows: boolean
  count: number | null
}

/** What a list is made of rows with message_id, seq, session_id and size. */
export function listing(in_session: boolean, rows: RawBuilder<unknown>): RawBuilder<ListedRow> {
  const position = in_session ? sql`coalesce(seq, 0)` : sql`coalesce((hashtext(session_id)::bigint << 20) + seq, 0)`
  return sql<ListedRow>`select count(*)::int as found, array_agg(message_id)::text as ids,
    array_agg(${position})::text as positions, array_agg(size)::text as sizes from ${rows} listed`
}

/** @param most how many are listed at most */
export function postingsIn([row]: readonly ListedRow[], most: number): Postings {
  const ids = numbers(row?.ids)
  return {
    count: row?.found ?? 0,
    complete: ids.length < most,
    ids,
    positions: numbers(row?.positions),
    sizes: numbers(row?.sizes)
  }
}

function numbers(text: string | null | undefined): number[] {
  return typeof text === 'string' ? (JSON.parse(`[${text.slice(1, -1)}]`) as number[]) : []
}

/**
 * What holds each of some sets, and what else has to be known before looking: one statement. Terms come as texts, since
 * PostgreSQL has no arrays of arrays of different lengths. Each list is looked up by one of two conditions, which GIN
 * serves: any of some terms, or every one.
 */
const look = forEachKind<{ any: string[]; all: string[]; more: string[] }, Row>('search.postings', (kind, values) => {
  const { array, seen, met, in_session, workspace, session_id } = kind
  const session = (column: string) => (in_session ? sql`and ${sql.ref(column)} = ${session_id}` : sql``)
  const rows = (lookup: RawBuilder<unknown>, condition: RawBuilder<unknown>) => sql`
    (select t.message_id, t.seq, t.session_id, cardinality(${array}) as size from message_terms t
      where ${lookup} and ${condition} limit ${sql.lit(COMMON)})`
  const any = sql`u.any_of <> '{}' and ${array} && u.any_of::int4[]
    and (u.more = '{}' or not exists (select from unnest(u.more::text[]) set where not ${array} && set::int4[]))`
  const all = sql`u.any_of = '{}' and ${array} @> u.all_of::int4[]`
  const listed = (condition: RawBuilder<unknown>) => sql`(${rows(any, condition)} union all ${rows(all, condition)})`
  const public_count = in_session
    ? sql`(select public_count from sessions where workspace = ${workspace} and id = ${session_id})`
    : sql`0`
  return sql<Row>`
    select one.*, p.*,
      ${kind.is_narrowed ? sql`(select count(*)::int from ${listed(seen)} counted)` : sql`p.found`} as count
    from (select
      (select count(*) from (select from search_pending where workspace = ${workspace} ${session('session_id')}
        limit ${sql.lit(WAITING_COUNTED)}) waiting)::int as waiting,
      ${public_count} as messages,
      exists (select from message_terms where workspace = ${workspace} ${session('session_id')} and words is null)
        as has_old_rows) one
    left join unnest(${values.any}::text[], ${values.all}::text[], ${values.more}::text[])
      with ordinality as u (any_of, all_of, more, n) on true
    left join lateral (${listing(in_session, listed(met))}) p on true
    order by u.n`
})

/** Looks up what holds each of these. */
export async function postingsOf(search: Search, asked: readonly Sets[]): Promise<Looked> {
  const [any, all, more]: [string[], string[], string[]] = [[], [], []]
  for (const sets of asked) {
    const several = sets.filter(({ length }) => length > 1).map(terms => inArray(search, terms))
    const single = inArray(
      search,
      sets.flatMap(terms => (terms.length > 1 ? [] : terms))
    )
    any.push(literal(several[0] ?? []))
    all.push(literal(single))
    more.push(
      `{${[...several.slice(1).map(literal), ...(several.length > 0 ? single.map(term => literal([term])) : [])]
        .map(set => `"${set}"`)
        .join(',')}}`
    )
  }
  const rows = await look(search, { any, all, more })
  const [first] = rows as [Row]
  return {
    postings: asked.map((_, i) => {
      const row = rows[i] as Row
      return { ...postingsIn([row], COMMON), count: row.count ?? 0 }
    }),
    waiting: first.waiting,
    messages: first.messages ?? 0,
    has_old_rows: first.has_old_rows
  }
}

import { type RawBuilder, sql } from 'kysely'
import { messageColumns } from '../messages/store/messages.js'
import { lettersOf } from '../postgres/letters.js'
import { withinASecond } from '../postgres/statements.js'
import { readableMessage } from '../visibility/visibility.js'
import { piecesOf } from './edits.js'
import { inScope, narrowed } from './filter.js'
import type { Unit } from './query.js'
import type { Search } from './reach.js'
import { isAscii } from './terms.js'
import { type Candidate, firstOf, folding, type Found, lookedThrough, similarity } from './texts.js'

/** Messages still to be indexed that one search looks at; the newest, where there are more. */
const LOOKED_AT = 20_000
/** Their content together, in bytes. */
const LOOKED_AT_BYTES = 20_000_000
/** Of these, the ones that are read and scored: about 0.2 ms each. */
const SCORED_MAX = 100
/** What a piece of a word is worth beside the word itself. */
const PIECE = 0.8

/**
 * While a great many messages wait for the index (after an import, or a long time without a worker), the newest of them
 * are looked at one by one. What is beyond is found when it is indexed, and the answer says that it is partial.
 *
 * First whether they can meet the query at all, by the pieces of its words that a typing error leaves whole: about 15
 * µs each. What does so best is read and scored.
 */
export async function unindexed(search: Search): Promise<Found> {
  const { db, viewer, filter, query, limit } = search
  const letters = lettersOf(query)
  // Message by message: how many wait PostgreSQL cannot know, since moments ago there were none.
  const message = (id: RawBuilder<number>) => readableMessage(db, viewer, id)
  const text = lookedThrough(folding(letters, isAscii(query.phrase)), filter.search_metadata)
  const lengths = query.units.map(({ text: word }) => sql.lit(word.length))
  const met = query.units.map(unit => mayMeet(unit, sql`t.text`))
  const { rows } = await withinASecond(
    db,
    sql<(Candidate | { id: null }) & { meeting: number; beyond: boolean }>`
    with waiting as materialized (
      select p.message_id, m.bytes
      from (select p.message_id from search_pending p
          where p.workspace = ${viewer.workspace} and ${inScope(viewer, filter, sql`p.session_id`)}
          order by p.message_id desc offset 0) p,
        lateral (${message(sql`p.message_id`)
          .where(narrowed(filter))
          .select(sql<number>`octet_length(m.content)`.as('bytes'))} offset 0) m
      order by p.message_id desc limit ${LOOKED_AT + 1}),
    looked_at as materialized (
      select message_id
      from (select message_id, sum(bytes) over (order by message_id desc) - bytes as before from waiting
        order by message_id desc limit ${LOOKED_AT}) w
      where before < ${LOOKED_AT_BYTES}),
    meeting as materialized (
      select l.message_id, strpos(t.text, ${query.phrase}) > 0 as exact, ${sql.join(
        lengths.map((of, i) => sql`${of} * met.words[${sql.lit(i + 1)}]`),
        sql` + `
      )} as coverage, 0 < all(met.words) as each
      from looked_at l, lateral (${message(sql`l.message_id`).select(text.as('text'))} offset 0) t,
        lateral (select array[${sql.join(met)}]::real[] as words offset 0) met
      where 0 < any(met.words)),
    best as materialized (select message_id as id, coverage from meeting order by exact desc, coverage desc, id desc
      limit ${Math.max(limit, SCORED_MAX)})
    select m.*, counted.*
    from (select (select count(*) from meeting where each) as meeting,
      (select count(*) from waiting) > (select count(*) from looked_at) as beyond) counted
    left join (
      select m.*, ${similarity(letters)} as similarity, 1::real as length, 0::real as beside
      from ${firstOf(
        sql`select m.*, b.coverage from best b, lateral (${message(sql`b.id`).select(messageColumns)} offset 0) m`,
        sql`m.coverage desc, m.id desc`
      )} m) m on true`
  )
  const [{ meeting, beyond }] = rows as [(typeof rows)[0]]
  const candidates = rows
    .filter(({ id }) => id !== null)
    .map(({ meeting: _, beyond: __, ...candidate }) => candidate as Candidate)
  return { candidates, cut: beyond || meeting > candidates.length }
}

/** How well a text may meet a word, 0 where it cannot. */
function mayMeet({ kind, text: word, parts }: Unit, text: RawBuilder<unknown>): RawBuilder<number> {
  const stands = (part: string) => sql`strpos(${text}, ${part}) > 0`
  const pieces = kind === 'word' ? piecesOf(word) : (parts ?? []).filter(part => part.length > 2)
  const rest =
    pieces.length === 0
      ? sql`0`
      : sql`${PIECE}::real * (${sql.join(
          pieces.map(piece => sql`(${stands(piece)})::int`),
          sql` + `
        )}) / ${sql.lit(pieces.length)}`
  return sql<number>`case when ${stands(word)} then 1 else ${rest} end`
}

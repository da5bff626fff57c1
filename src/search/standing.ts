import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { plannedEachTime } from '../postgres/statements.js'
import { readableMessage } from '../visibility/visibility.js'
import { indexedConditions, ofSession, sample, type SearchFilter } from './filter.js'
import type { Query, Word } from './query.js'
import { standsIn, wholeText } from './texts.js'
import { hasOne, inParts } from './tiers.js'
import type { Spellings } from './vocabulary.js'

/**
 * Which words of the query stand in some message that the viewer may see and the filter lets through, as typed or as
 * part of a longer word. One round trip.
 *
 * The index says where to look, the text says whether: among the spellings are words of messages that the viewer cannot
 * see, and a word that collides with one of them stands for nothing. (Each list is a materialized step, which ends with
 * the first that holds: asked for one row, PostgreSQL would walk along the session, hoping to meet it soon.)
 */
export async function standing(
  db: Db,
  viewer: Agent,
  { hash }: Query,
  words: readonly Word[],
  spellings: Map<string, Spellings>,
  filter: SearchFilter
): Promise<Set<string>> {
  const conditions = indexedConditions(viewer, filter)
  const lists = words.map(({ text }) => {
    const spelt = spellings.get(text)
    return [...(spelt?.starts ?? []), ...(spelt?.inside ?? [])]
  })
  const message = readableMessage(db, viewer, sql`t.message_id`).select(['m.sender', 'm.content', 'm.metadata'])
  const holds = (rows: RawBuilder<unknown>, { text }: Word) => sql`exists (
    select from ${rows}, lateral (${message} offset 0) m, lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w where ${standsIn(text, sql`w.text`)})`
  const { rows } = await plannedEachTime(
    db,
    sql<{ n: number }>`
    with sample as materialized (select t.message_id, t.terms from (${sample(viewer, filter)}) t where ${conditions}),
    ${sql.join(
      lists.map(
        (terms, n) => sql`
      ${sql.ref(`holding_${n}`)} as materialized (select t.message_id from unnest(${inParts(terms)}::text[]) part, lateral (
        select t.message_id from message_terms t where ${ofSession(filter, hash)} t.terms && part::int4[] and ${conditions} offset 0) t)`
      )
    )}
    ${sql.join(
      words.map(
        (word, n) => sql`
      select ${n}::int as n where ${holds(sql`(select t.message_id from sample t where ${hasOne(lists[n] as number[])}) t`, word)} or ${holds(sql`${sql.ref(`holding_${n}`)} t`, word)}`
      ),
      sql` union all `
    )}`
  )
  return new Set(rows.map(({ n }) => (words[n] as Word).text))
}

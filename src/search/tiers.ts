import { type RawBuilder, sql } from 'kysely'
import type { Word } from './query.js'
import { INSIDE, MISSPELT, WORD_START } from './rank.js'
import type { Spellings } from './vocabulary.js'

/** The words of a query as terms, and SQL for how a row `t` of the index meets them. */

/** From here on PostgreSQL makes a hash table of a list; `&&` compares every term with every other. */
const HASHED_FROM = 9

/** Most terms that GIN is asked for at once. */
export const GIN_MAX = 64

/** One word of the query as terms, by how well they meet it. */
export interface Tier {
  terms: number[]
  worth: number
}

/** What a word requires: sets of tiers, of each of which one term must be there. */
export function setsOf(word: Word, spellings: Map<string, Spellings>): Tier[][] {
  const spelt = spellings.get(word.text)
  if (spelt === undefined) return asWritten(word)
  return [
    [
      { terms: spelt.starts, worth: WORD_START },
      { terms: spelt.inside, worth: INSIDE },
      { terms: spelt.near, worth: MISSPELT }
    ].filter(tier => tier.terms.length > 0)
  ]
}

function asWritten(word: Word): Tier[][] {
  return word.required.map(terms => [{ terms, worth: WORD_START }])
}

export function union(tiers: Tier[]): number[] {
  return tiers.flatMap(tier => tier.terms)
}

/** How well a row meets a word: its best tier, the mean over what the word requires. */
export function worth(sets: Tier[][]): RawBuilder<number> {
  const each = sets.map(
    tiers =>
      sql`case ${sql.join(
        tiers.map(tier => sql`when ${hasOne(tier.terms)} then ${tier.worth}::real`),
        sql` `
      )} else 0 end`
  )
  return sql`(${sql.join(each, sql` + `)}) / ${sets.length}`
}

/** Whether the terms of `t` hold one of these, for where rows are looked through. */
export function hasOne(terms: number[]): RawBuilder<boolean> {
  return terms.length < HASHED_FROM
    ? sql<boolean>`t.terms && ${terms}::int4[]`
    : sql<boolean>`exists (select from unnest(t.terms) term where term = any(${terms}::int4[]))`
}

/** A long list in parts that GIN is asked for one after the other, as PostgreSQL writes arrays. */
export function inParts(terms: number[]): string[] {
  return Array.from(
    { length: Math.ceil(terms.length / GIN_MAX) },
    (_, i) => `{${terms.slice(i * GIN_MAX, (i + 1) * GIN_MAX).join(',')}}`
  )
}

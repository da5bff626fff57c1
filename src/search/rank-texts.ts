import { sql } from 'kysely'
import { lettersOf } from '../postgres/letters.js'
import type { Db } from '../postgres/schema.js'
import { withinASecond } from '../postgres/statements.js'
import { createBreaks } from './breaks.js'
import { parseQuery, type Query } from './query.js'
import { MESSAGES_MIN, weightOf } from './rarity.js'
import { scorer } from './score.js'
import { termHashes } from './secret.js'
import { asSearched, similarity, SIMILARITY_MAX } from './texts.js'

/** Texts whose word_similarity is asked for, beyond as many as are wanted. */
const MORE = 10

/** A text that is ranked: what it is of, and its parts. */
export interface Ranked<T> {
  of: T
  texts: string[]
}

/**
 * The texts that match a query, best first: the same scores as messages have (score.ts), of texts that no index holds.
 * How rare a word is is counted among these.
 */
export async function rankTexts<T>(
  db: Db,
  workspace: string,
  text: string,
  given: ReadonlyArray<Ranked<T>>,
  threshold: number,
  limit: number
): Promise<Array<{ of: T; score: number }>> {
  const query = parseQuery((await termHashes(db))(workspace), text)
  if (query.units.length === 0 || given.length === 0) return []
  const all = given.map(({ of, texts }) => ({ of, texts: texts.map(asSearched) }))
  const mean = all.reduce((sum, { texts }) => sum + sizeOf(texts), 0) / all.length
  const met = scorer(query, { counts: query.units.map(() => 0), weights: query.units.map(() => 1) })
  const counts = query.units.map(() => 0)
  const candidates: Array<{ of: T; texts: string[]; length: number }> = []
  const pause = createBreaks()
  for (const { of, texts } of all) {
    const length = sizeOf(texts) / Math.max(1, mean)
    const { met: held } = met({ texts, similarity: 0, length, beside: 0 })
    for (const [i, how] of held.entries()) if (how > 0) counts[i] = (counts[i] as number) + 1
    if (held.some(how => how > 0)) candidates.push({ of, texts, length })
    await pause()
  }
  const weights = counts.map(count => weightOf(count, Math.max(all.length, MESSAGES_MIN)))
  const score = scorer(query, { counts, weights })
  const scored = candidates
    .map(candidate => ({ candidate, score: score({ ...candidate, similarity: 0, beside: 0 }).score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit + MORE)
  const similarities = await similaritiesOf(
    db,
    query,
    scored.map(({ candidate }) => candidate.texts.join(' '))
  )
  return scored
    .map(({ candidate }, i) => ({
      of: candidate.of,
      score: score({ ...candidate, similarity: similarities[i] as number, beside: 0 }).score
    }))
    .filter(({ score: of }) => of > 0 && of >= threshold)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
}

function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}

async function similaritiesOf(db: Db, query: Query, texts: string[]): Promise<number[]> {
  const beginnings = texts.map(text => text.slice(0, SIMILARITY_MAX))
  const { rows } = await withinASecond(
    db,
    sql<{ similarity: number }>`select ${similarity(lettersOf(query), sql`given.text`)} as similarity
      from unnest(${beginnings}::text[]) with ordinality given (text, n) order by given.n`
  )
  return rows.map(row => row.similarity)
}

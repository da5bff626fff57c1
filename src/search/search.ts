import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { indexed } from './candidates.js'
import { mayHaveErrors } from './edits.js'
import { fill, pendingCount } from './fill.js'
import type { SearchFilter } from './filter.js'
import { lookThrough } from './look-through.js'
import { indexedPhrase } from './phrase.js'
import { parseQuery, type Query } from './query.js'
import { LACKS_A_WORD_MAX } from './rank.js'
import { recentExact, recentHolding } from './recent.js'
import { Results, type SearchResult } from './results.js'
import type { Found } from './scored.js'
import { termHashes } from './secret.js'
import { standing } from './standing.js'
import { unindexed } from './unindexed.js'
import { addMisspelt, isSpeltOut, type Spellings, typed, withOtherNumbers } from './vocabulary.js'

export type { SearchFilter } from './filter.js'
export type { SearchResult } from './results.js'

export interface SearchAnswer {
  results: SearchResult[]
  /** Whether something may have been left out: too much met the query, or too much waits to be indexed. */
  partial: boolean
}

/** Up to so many waiting messages a search indexes itself before it looks: about 0.1 ms each. */
const INDEXED_FIRST = 500

/**
 * How long it goes on with that: long texts take a tenth of a second each, if all their words are new. So it takes few
 * of them at a time, which short texts do not come to; what it does not get to is looked at as it is. (Without a bound:
 * 60 texts of 60 000 characters, 4 s.)
 */
const INDEXING_MS = 200
const BYTES_AT_A_TIME = 150_000

/** Words of a phrase that, once found as it is written, is not looked for word by word. */
const LONG_PHRASE = 5

/**
 * The messages a viewer may see that match a query, best first, newest first among equals. The steps, each a file:
 *
 *   query.ts         the query taken apart, into terms by the database's secret (secret.ts)
 *   fill.ts          what was written a moment ago is indexed first (else unindexed.ts looks at it)
 *   recent.ts        exact matches among the newest messages; often that is the whole answer
 *   phrase.ts        the messages that have the words side by side, from the index
 * vocabulary.ts    the words that a query word may stand for, misspelt (edits.ts) or in the other number
 * (other-number.ts) candidates.ts    the messages that have one for each, from the index look-through.ts  those among
 * the newest that hold words too short or too common for that standing.ts      which words are nowhere, and so may have
 * two errors rank.ts          how well each message matches results.ts       the best of them preview.ts       where
 * they match
 *
 * Each further step is taken only while results are few, which is decided from what the viewer may see.
 */
export async function search(
  db: Db,
  viewer: Agent,
  text: string,
  filter: SearchFilter,
  threshold: number,
  limit: number
): Promise<SearchAnswer> {
  const query = parseQuery((await termHashes(db))(viewer.workspace), text)
  if (query.words.length === 0) return { results: [], partial: false }
  const results = new Results(query, threshold)
  const tail = (await indexWaiting(db, viewer, filter)) ? NOTHING : await unindexed(db, viewer, query, filter, limit)
  results.add(tail, 0)
  results.add({ candidates: await recentExact(db, viewer, query, filter, limit), cut: false }, 0)
  if (results.exact < limit) await lookUp(db, viewer, query, filter, results, threshold, limit)
  if (results.count === 0 && query.is_question) results.add(tail, 1)
  if (results.count === 0 && threshold <= LACKS_A_WORD_MAX) results.add(tail, 0, true)
  return { results: results.best(limit), partial: results.partial }
}

const NOTHING: Found = { candidates: [], cut: false }

async function lookUp(
  db: Db,
  viewer: Agent,
  query: Query,
  filter: SearchFilter,
  results: Results,
  threshold: number,
  limit: number
): Promise<void> {
  if (query.pairs.length > 0)
    results.add(await indexedPhrase(db, viewer, query, query.pairs, filter, limit, results.scored), 0)
  if (results.exact >= limit) return
  // A phrase so long is nowhere else but where it stands, there perhaps with a longer word at either end.
  if (results.exact > 0 && query.words.length >= LONG_PHRASE && query.inner_pairs.length > 0) {
    results.add(await indexedPhrase(db, viewer, query, query.inner_pairs, filter, limit, results.scored), 0)
    return
  }
  // Where a word may be lacking, all are judged anew.
  const inIndex = (spellings: Map<string, Spellings>, missing: 0 | 1) =>
    indexed(db, viewer, query, spellings, filter, missing, limit, missing === 0 ? results.scored : [])
  const holding = await recentHolding(db, viewer, query, filter)
  const spelt = query.words.filter((word, i) => isSpeltOut(word, holding[i] as number))
  if (spelt.length < query.words.length) {
    const asWritten = await inIndex(new Map(), 0)
    results.add(asWritten, 0)
    if (results.count >= limit || asWritten.cut) return
    if (spelt.length === 0 && query.words.every(({ kind }) => kind === 'word'))
      results.add(await lookThrough(db, viewer, query, filter, limit), 0)
  }
  const spellings = await typed(db, viewer.workspace, query.hash, spelt)
  const asTyped = spelt.length > 0 ? await inIndex(spellings, 0) : NOTHING
  results.add(asTyped, 0)
  // Where more have the words as typed than are scored, others would not come before them.
  if (results.count < limit && !asTyped.cut) {
    if (results.exact > 0) {
      // What stands somewhere just as it was typed was not mistyped; but who asks for `errors` is glad of an `error`
      // too.
      const inNumbers = withOtherNumbers(query.hash, spelt.length > 0 ? spelt : query.words, spellings)
      if (inNumbers !== undefined) results.add(await inIndex(inNumbers, 0), 0)
    } else if (spellings.size > 0) {
      const misspelt = await addMisspelt(db, viewer.workspace, query.hash, spelt, 1, spellings)
      const inNumbers = withOtherNumbers(query.hash, spelt, spellings)
      if (misspelt || inNumbers !== undefined) results.add(await inIndex(inNumbers ?? spellings, 0), 0)
      if (results.count === 0) await lookUpTwoErrors(db, viewer, query, spellings, filter, results, limit)
    }
  }
  if (results.count > 0 || query.words.length < 2) return
  // A message that lacks a word answers a question; to anything else it is worth LACKS_A_WORD_MAX at most.
  if (query.is_question) results.add(await inIndex(spellings, 1), 1)
  else if (threshold <= LACKS_A_WORD_MAX) results.add(await inIndex(spellings, 1), 0, true)
}

/** Two errors are looked for in words that stand nowhere the viewer may see. */
async function lookUpTwoErrors(
  db: Db,
  viewer: Agent,
  query: Query,
  spellings: Map<string, Spellings>,
  filter: SearchFilter,
  results: Results,
  limit: number
): Promise<void> {
  const misspelt = query.words.filter(word => spellings.has(word.text) && mayHaveErrors(word.text, 2))
  if (misspelt.length === 0) return
  const stands = await standing(db, viewer, query, misspelt, spellings, filter)
  const nowhere = misspelt.filter(({ text }) => !stands.has(text))
  if (nowhere.length === 0) return
  if (await addMisspelt(db, viewer.workspace, query.hash, nowhere, 2, spellings))
    results.add(await indexed(db, viewer, query, spellings, filter, 0, limit, results.scored), 0)
}

/** @returns whether nothing waits any more: where a lot does, it is left to the worker */
async function indexWaiting(db: Db, viewer: Agent, { session_id }: SearchFilter): Promise<boolean> {
  const scope = { workspace: viewer.workspace, session_id }
  let waiting = await pendingCount(db, scope, INDEXED_FIRST + 1)
  if (waiting > INDEXED_FIRST) return false
  const begun = performance.now()
  while (waiting > 0 && performance.now() - begun < INDEXING_MS) {
    const done = await fill(db, scope, INDEXED_FIRST, BYTES_AT_A_TIME)
    waiting = done === 0 ? 0 : waiting - done
  }
  return waiting <= 0
}

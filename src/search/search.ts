import type { Agent } from '../kernel/agent.js'
import { isTooLong } from '../postgres/faults.js'
import type { Db } from '../postgres/schema.js'
import type { Wanted } from './candidates.js'
import { fill, pendingCount } from './fill.js'
import type { SearchFilter } from './filter.js'
import { newest } from './newest.js'
import { COMMON, type Looked, type Postings, postingsOf, type Sets, WAITING_COUNTED } from './postings.js'
import { parseQuery, partTerms, type Unit } from './query.js'
import { commonness, rarityOf } from './rarity.js'
import type { Search } from './reach.js'
import { Results, type SearchResult } from './results.js'
import { termHashes } from './secret.js'
import { addSpellings, type Spelt } from './spellings.js'
import type { Found } from './texts.js'
import { unindexed } from './unindexed.js'

export type { SearchFilter } from './filter.js'
export type { SearchResult } from './results.js'

export interface SearchAnswer {
  results: SearchResult[]
  /** Whether something may have been left out: too much met the query or waits to be indexed, or it took too long. */
  partial: boolean
}

/**
 * How long a search goes on indexing what waits: long texts take a tenth of a second each, if all their words are new.
 * So it takes few of them at a time, which short texts do not come to; what it does not get to is looked at as it is.
 */
const INDEXING_MS = 200
const BYTES_AT_A_TIME = 150_000

/**
 * The messages a viewer may see that match a query, best first, newest first among equals. The steps, each a file:
 *
 * 1. query.ts takes the query apart, into terms by the database's secret (secret.ts).
 * 2. rarity.ts counts in how many messages each word stands, of those that the viewer may see.
 * 3. fill.ts indexes what was written a moment ago; where too much waits, unindexed.ts looks at it.
 * 4. spellings.ts finds other spellings of words that are rare or unknown (edits.ts).
 * 5. candidates.ts finds the messages that hold most of what is rare; newest.ts those that the index cannot find.
 * 6. score.ts judges each by its text, and preview.ts shows where it matches.
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
  if (query.units.length === 0) return { results: [], partial: false }
  const array = filter.session_id === undefined ? 'terms' : 'words'
  const of: Search = { db, viewer, filter, query, limit, threshold, array }
  const results = new Results(of)
  try {
    await look(of, results)
  } catch (error) {
    if (!isTooLong(error)) throw error
    results.partial = true
  }
  return { results: results.best(), partial: results.partial }
}

async function look(of: Search, results: Results): Promise<void> {
  const { query, threshold } = of
  const { units } = query
  const all_words = !query.is_sentence && threshold >= LACKING_MAX
  const { isCommon, remember } = commonness(of)
  const asked = units.filter(unit => unit.terms.length > 0 && !isCommon(unit))
  let looked = await lookUp(of, asked)
  let waiting: Found | undefined
  if (looked.waiting > 0) {
    // What waits is read before the index is asked again: so a message that the worker indexes meanwhile is in one of
    // the two.
    if (!(await indexWaiting(of, looked.waiting))) waiting = await unindexed(of)
    looked = await lookUp(of, asked)
  }
  const postings = new Map(asked.map((unit, i) => [unit, looked.postings[i] as Postings]))
  const counts = units.map(unit => postings.get(unit)?.count ?? (unit.terms.length > 0 ? COMMON : 0))
  for (const [unit, { count }] of postings) remember(unit, count)
  const rarity = rarityOf(units, counts, looked.messages)
  const spelt: Spelt = new Map()
  results.judgeBy(rarity, spelt)
  if (waiting !== undefined) results.add(waiting)
  if (units.every(({ terms }) => terms.length === 0)) {
    const runs = query.function_runs.map(run => [[run]])
    if (runs.length > 0) {
      const { postings: held } = await lookUp(of, runs)
      await results.find(
        runs.map((sets, i) => ({ sets, weight: 1, postings: held[i] })),
        { all_words: true, is_misspelt: false }
      )
    }
    if (results.exact < of.limit) results.add(await newest(of, units))
    return
  }
  const wanted = units.map(({ terms: sets }, i): Wanted => ({
    sets,
    weight: rarity.weights[i] as number,
    postings: postings.get(units[i] as Unit)
  }))
  if ((await addSpellings(of, rarity, 1, spelt)).cut) results.partial = true
  await results.find(await withSpellings(of, wanted, spelt), { all_words, is_misspelt: spelt.size > 0 })
  if (results.count > 0) return
  const unknown = units.filter((_, i) => counts[i] === 0)
  if (unknown.length > 0) {
    const { any, cut } = await addSpellings(of, rarity, 2, spelt)
    if (cut) results.partial = true
    if (any) await results.find(await withSpellings(of, wanted, spelt), { all_words, is_misspelt: true })
    if (results.count === 0 && units.some((unit, i) => isUnindexed(unit, counts[i] as number)))
      results.add(await newest(of, units))
  }
}

/** Whether a word may stand in texts although the index does not know it: a function word, or letters inside a word. */
function isUnindexed({ kind, text, terms }: Unit, count: number): boolean {
  return terms.length === 0 || (kind === 'word' && count === 0 && text.length < SHORT)
}

/** Looks units up; in the plain terms, where a session has rows from before there were others. */
async function lookUp(of: Search, units: ReadonlyArray<Unit | Sets>): Promise<Looked> {
  const sets = units.map(unit => ('terms' in unit ? unit.terms : unit))
  const looked = await postingsOf(of, sets)
  if (!looked.has_old_rows || of.array === 'terms') return looked
  of.array = 'terms'
  return postingsOf(of, sets)
}

/** What is wanted where words may be spelt in other ways. */
async function withSpellings(of: Search, wanted: Wanted[], spelt: Spelt): Promise<Wanted[]> {
  const sets = [...spelt].flatMap(([unit, spellings]): Array<[unit: Unit, sets: number[][]]> => {
    if (unit.parts === undefined && spellings.every(list => list.length === 0)) return []
    const as_written = unit.parts === undefined ? unit.terms : partTerms(of.query.hash, unit)
    const all = as_written.map((set, n) => [...set, ...(spellings[n] ?? []).map(({ term }) => term)])
    return [[unit, all.filter(set => set.length > 0)]]
  })
  if (sets.length === 0) return wanted
  const { postings } = await postingsOf(
    of,
    sets.map(([, all]) => all)
  )
  const { units } = of.query
  return wanted.map((one, i) => {
    const n = sets.findIndex(([unit]) => unit === units[i])
    return n === -1 ? one : { ...one, sets: (sets[n] as (typeof sets)[0])[1], postings: postings[n] }
  })
}

/** From this threshold on no message is a result that lacks a word of a query in keywords (score.ts). */
const LACKING_MAX = 59
/** Shorter words are not looked for inside others by the vocabulary. */
const SHORT = 4

/**
 * @returns whether nothing waits any more; false: a lot waits, and is left to the worker, or another process has begun
 *   to index it and does not go on, perhaps because its connection is broken
 */
async function indexWaiting({ db, viewer, filter: { session_id } }: Search, counted: number): Promise<boolean> {
  if (counted >= WAITING_COUNTED) return false
  const scope = { workspace: viewer.workspace, session_id }
  const begun = performance.now()
  let waiting = counted
  try {
    while (waiting > 0 && performance.now() - begun < INDEXING_MS) {
      const done = await fill(db, scope, WAITING_COUNTED, BYTES_AT_A_TIME)
      waiting = done === 0 ? 0 : waiting - done
    }
  } catch (error) {
    if (isTooLong(error)) return false
    throw error
  }
  // In one session the oldest messages are indexed first, so those that were counted are indexed. Across sessions,
  // newer ones may have been indexed in their place.
  return (waiting <= 0 && session_id !== undefined) || (await pendingCount(db, scope, 1)) === 0
}

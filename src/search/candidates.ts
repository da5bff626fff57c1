import { BESIDE, lengthened } from './norms.js'
import { newestHolding } from './common.js'
import { COMMON, type Postings, type Sets } from './postings.js'
import type { Search } from './reach.js'

/** The rarest words are looked for as long as together no more messages hold them. */
const RARE_SUM = 2000
/** Of the rarest words that are all common, messages that hold two of so many are looked for. */
const PAIRED = 4
/** How far apart in a session's order two messages may be to be beside each other. */
const BESIDE_MAX = 2

/** What a unit of the query is looked for as. */
export interface Wanted {
  sets: Sets
  weight: number
  /** Undefined where it is known to be common. */
  postings: Postings | undefined
}

/** A message that may be a result, by what of the query's weight it holds, and what the messages beside it do. */
export interface Chosen {
  id: number
  /** As shares, 0–1. */
  held: number
  beside: number
  /** How long it is beside the others that were found: 1 is their mean. */
  length: number
  rank: number
}

export interface Choice {
  /** The best first. */
  chosen: Chosen[]
  /** What is common, and so has not counted yet. */
  unlisted: Wanted[]
  /** Whether a bound has left something out. */
  cut: boolean
}

/**
 * The messages that hold most of what is rare in the query.
 *
 * What else was measured, in prototypes, per search in a session of 100 000 on two cores: a trigram GIN index on the
 * texts 0.9–7.7 s; GiST 350 ms; a 2048-bit signature per message, scanned, 230 ms with 0.71 of the right answers
 * among the first ten; PostgreSQL's full text with the words joined by OR 573 ms.
 */
export async function choose(search: Search, wanted: readonly Wanted[], all_words: boolean): Promise<Choice> {
  const nothing: Choice = { chosen: [], unlisted: [], cut: false }
  const total = wanted.reduce((sum, { weight }) => sum + weight, 0)
  const told = wanted.filter(({ sets }) => sets.length > 0)
  if (all_words && told.some(({ postings }) => postings?.count === 0)) return nothing
  const telling = told.filter(({ postings }) => postings?.count !== 0)
  const listed = telling.filter(({ postings }) => postings?.complete === true).sort((a, b) => countOf(a) - countOf(b))
  const unlisted = telling.filter(({ postings }) => postings?.complete !== true)
  if (listed.length > 0) {
    let sum = 0
    const rare = all_words ? listed.slice(0, 1) : listed.filter((of, i) => (sum += countOf(of)) <= RARE_SUM || i === 0)
    const found = held(listed, rare, total, all_words ? listed.length : 1)
    return {
      chosen: ranked(search, found),
      unlisted,
      cut: !all_words && rare.length < telling.length && sum > RARE_SUM
    }
  }
  if (unlisted.length === 0) return nothing
  const some = all_words ? unlisted : unlisted.slice(0, PAIRED)
  const { cut, ...postings } = await newestHolding(
    search,
    some.map(({ sets }) => sets),
    all_words
  )
  const common = [{ sets: [], weight: 0, postings }]
  const found = held(common, common, total, 1)
  return { chosen: ranked(search, found), unlisted, cut }
}

function countOf({ postings }: Wanted): number {
  return postings?.ids.length ?? COMMON
}

interface Held {
  id: number
  position: number
  size: number
  held: number
  /** How many of the listed units it holds. */
  units: number
}

/** What each message that holds one of the rare units holds of all that are listed. */
function held(listed: readonly Wanted[], rare: readonly Wanted[], total: number, least: number): Held[] {
  const found = new Map<number, Held>()
  for (const of of [...rare, ...listed.filter(one => !rare.includes(one))]) {
    const { ids, positions, sizes } = of.postings as Postings
    const is_rare = rare.includes(of)
    const share = of.weight / total
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number
      const known = found.get(id)
      if (known !== undefined) {
        known.held += share
        known.units++
      } else if (is_rare)
        found.set(id, { id, position: positions[i] as number, size: sizes[i] as number, held: share, units: 1 })
    }
  }
  const all = [...found.values()]
  return least === 1 ? all : all.filter(({ units }) => units >= least)
}

/** In the order of what they hold; for a sentence of what those beside them hold too. */
function ranked({ query }: Search, found: Held[]): Chosen[] {
  const mean = found.reduce((sum, { size }) => sum + size, 0) / Math.max(1, found.length)
  found.sort((a, b) => a.position - b.position)
  const near = (i: number, j: number) => {
    const [one, other] = [found[i] as Held, found[j]]
    return other !== undefined && one.position !== 0 && Math.abs(one.position - other.position) <= BESIDE_MAX
      ? other.held
      : 0
  }
  return found
    .map(({ id, held, size }, i): Chosen => {
      const length = size / Math.max(1, mean)
      const beside = near(i, i - 1) + near(i, i + 1)
      const rank = query.is_sentence
        ? held / lengthened(length) + BESIDE * beside
        : Math.round(held * 1000) / 1000 + 0.0001 * (BESIDE * beside - length)
      return { id, held, beside, length, rank }
    })
    .sort((a, b) => b.rank - a.rank || b.id - a.id)
}

/** What a searcher found for one query: the numbers of messages, best first; -1 for one of another session. */
export type Found = number[]

export interface Measure {
  queries: number
  /** The share of right messages among the first ten, of as many as could be there. */
  recall: number
  /** One over the place of the first right message; 0 where none is among the ten. */
  mrr: number
  /** The share of what was returned that is not right, over the queries that returned anything. */
  falsePositives: number
  /** The share of queries that returned nothing. */
  empty: number
}

export const TOP = 10

export function measure(answers: Array<{ right: Set<number>; found: Found }>): Measure {
  const mean = (numbers: number[]) => (numbers.length === 0 ? 0 : numbers.reduce((a, b) => a + b, 0) / numbers.length)
  const tens = answers.map(({ right, found }) => ({ right, found: found.slice(0, TOP) }))
  return {
    queries: answers.length,
    recall: mean(
      tens
        .filter(({ right }) => right.size > 0)
        .map(({ right, found }) => found.filter(seq => right.has(seq)).length / Math.min(TOP, right.size))
    ),
    mrr: mean(
      tens.map(({ right, found }) => {
        const at = found.findIndex(seq => right.has(seq))
        return at === -1 ? 0 : 1 / (at + 1)
      })
    ),
    falsePositives: mean(
      tens
        .filter(({ found }) => found.length > 0)
        .map(({ right, found }) => found.filter(seq => !right.has(seq)).length / found.length)
    ),
    empty: mean(answers.map(({ found }) => Number(found.length === 0)))
  }
}

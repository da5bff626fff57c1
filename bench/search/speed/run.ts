import type { Db } from '../../../src/postgres/schema.js'
import { search } from '../../../src/search/search.js'
import { TOP } from '../measure.js'
import { THRESHOLD } from '../ours.js'
import { VIEWER } from '../viewer.js'
import type { Question } from './questions.js'

export interface Timing {
  kind: string
  ms: number
  failed: boolean
}

/** Asks one question after the other, so many at a time, until the time is up; what is running then is waited for. */
export async function run(
  db: Db,
  session_id: string | undefined,
  questions: Question[],
  concurrency: number,
  budget_ms: number
): Promise<Timing[]> {
  const timings: Timing[] = []
  const begin = performance.now()
  // The first tenth warms caches and is not counted.
  const counted = begin + budget_ms * 0.1
  const end = begin + budget_ms
  let next = 0
  const one = async () => {
    while (performance.now() < end) {
      const { kind, text } = questions[next++ % questions.length] as Question
      const started = performance.now()
      const failed = await ask(db, session_id, text).then(
        () => false,
        () => true
      )
      const stopped = performance.now()
      if (started >= counted) timings.push({ kind, ms: stopped - started, failed })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  return timings
}

export async function ask(db: Db, session_id: string | undefined, text: string) {
  return search(db, VIEWER, text, { session_id, scope: 'all', search_metadata: true }, THRESHOLD, TOP)
}

/** The time below which a share of them stayed. */
export function percentile(timings: Array<{ ms: number }>, of: number): number | undefined {
  const sorted = timings.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(of * sorted.length) - 1)]
}

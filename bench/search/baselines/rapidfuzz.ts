import type pg from 'pg'
import { TOP } from '../measure.js'
import type { Searcher } from './searcher.js'
import { wratio } from './wratio.js'

/**
 * Scores every text in this process; the texts are those the other baselines have (baselines/postgres.ts makes the
 * table).
 */
export async function rapidfuzzSearcher(pool: pg.Pool): Promise<Searcher> {
  let texts: Array<{ seq: number; whole: string }> | undefined
  return {
    name: 'WRatio ≥ 60 (JS)',
    every: size => (size <= 2000 ? 1 : size <= 20_000 ? 12 : 0),
    async find(query) {
      texts ??= (await pool.query<{ seq: number; whole: string }>('select seq, whole from bench_texts')).rows
      const score = wratio(query)
      return texts
        .map(({ seq, whole }) => ({ seq, score: score(whole) }))
        .filter(found => found.score >= 60)
        .sort((a, b) => b.score - a.score || b.seq - a.seq)
        .slice(0, TOP)
        .map(found => found.seq)
    }
  }
}

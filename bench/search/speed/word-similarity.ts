import type pg from 'pg'
import type { Db } from '../../../src/postgres/schema.js'
import { VIEWER } from '../viewer.js'
import type { Session } from './layout.js'
import type { Question } from './questions.js'
import { ask, percentile } from './run.js'

export interface Ratio {
  session: Session
  query: string
  ours_ms: number
  word_similarity_ms: number
}

/**
 * What PostgreSQL's word_similarity takes for every message of a session, beside what our search takes for the same
 * question in the same run.
 */
export async function compareWithWordSimilarity(
  db: Db,
  pool: pg.Pool,
  session: Session,
  questions: Question[]
): Promise<Ratio[]> {
  const ratios: Ratio[] = []
  for (const { text } of questions) {
    const ours: Array<{ ms: number }> = []
    for (let i = 0; i < 3; i++) ours.push({ ms: await timed(() => ask(db, session.id, text)) })
    const theirs = await timed(() =>
      pool.query(
        `
      select id from messages where workspace = '${VIEWER.workspace}' and session_id = $1 and word_similarity($2, content) >= 0.6
      order by word_similarity($2, content) desc limit 10`,
        [session.id, text]
      )
    )
    ratios.push({ session, query: text, ours_ms: percentile(ours, 0.5) as number, word_similarity_ms: theirs })
  }
  return ratios
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

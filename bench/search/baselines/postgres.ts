import type pg from 'pg'
import { visibleTo } from '../../../src/visibility/visibility.js'
import type { Db } from '../../../src/postgres/schema.js'
import { sql } from 'kysely'
import { TOP } from '../measure.js'
import { VIEWER } from '../viewer.js'
import type { Searcher } from './searcher.js'

/**
 * What PostgreSQL offers by itself, over a table of the session's visible texts, made for the purpose: sender, content
 * and metadata in one, as a naive user of these functions would have it.
 */
export async function postgresSearchers(db: Db, pool: pg.Pool, session_id: string): Promise<Searcher[]> {
  await sql`
    create table bench_texts as
    select m.seq, t.whole, to_tsvector('simple', t.whole) as words
    from messages m, lateral (select m.sender || ' ' || m.content || case when m.metadata = '{}' then '' else ' ' || m.metadata::text end as whole) t
    where m.workspace = ${VIEWER.workspace} and m.session_id = ${session_id} and ${visibleTo(VIEWER, 'm')}`.execute(db)
  await sql`create index on bench_texts using gin (words)`.execute(db)
  await sql`analyze bench_texts`.execute(db)
  const find = (text: string) => async (query: string) =>
    (await pool.query<{ seq: number }>(text, [query])).rows.map(row => row.seq)
  const scored = (score: string) =>
    find(`
    select seq from (select seq, ${score} as score from bench_texts offset 0) scored
    where score >= 0.6 order by score desc, seq desc limit ${TOP}`)
  // pg_trgm takes about 70 µs for a message: a session of 10 000 costs most of a second for each query.
  const everyFew = (size: number) => (size <= 2000 ? 1 : size <= 20_000 ? 6 : 0)
  return [
    { name: 'similarity ≥ .6', every: everyFew, find: scored('similarity($1, whole)') },
    { name: 'word_similarity ≥ .6', every: everyFew, find: scored('word_similarity($1, whole)') },
    {
      name: 'full text',
      every: () => 1,
      find: find(`
        select seq from bench_texts, websearch_to_tsquery('simple', $1) q
        where words @@ q order by ts_rank(words, q) desc, seq desc limit ${TOP}`)
    }
  ]
}

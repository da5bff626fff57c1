import { TOP } from '../measure.js'
import { VIEWER } from '../viewer.js'
import type { Side } from './side.js'

/** PostgreSQL's own full text: the words of a query joined by OR or by AND, the best by ts_rank. */
export type FullText = (session_id: string, words: string[], joined: 'or' | 'and') => Promise<unknown>

/** A table beside the messages, as a program would have it that searches by full text; made for the purpose. */
export async function fullText({ pool }: Side): Promise<FullText> {
  await pool.query(`
    create table bench_words as
    select id, session_id, visibility, sender, sender_type, to_tsvector('english', sender || ' ' || content) as words
    from messages`)
  await pool.query('create index on bench_words using gin (words)')
  await pool.query('create index on bench_words (session_id)')
  await pool.query('alter table bench_words add primary key (id)')
  await pool.query('vacuum analyze bench_words')
  return (session_id, words, joined) =>
    pool.query({
      name: 'full_text',
      text: `
        select m.* from (
          select id from bench_words, to_tsquery('english', $1) q
          where words @@ q and session_id = $2 and (visibility = 'public' or (visibility = 'private' and sender = $3)
            or (visibility = 'agent_only' and sender_type = $4))
          order by ts_rank(words, q) desc, id desc limit ${TOP}) best join messages m on m.workspace = $5 and m.id = best.id`,
      values: [
        words.join(joined === 'or' ? ' | ' : ' & '),
        session_id,
        VIEWER.agent_id,
        VIEWER.agent_type,
        VIEWER.workspace
      ]
    })
}

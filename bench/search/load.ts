import type pg from 'pg'
import type { Message } from './corpus.js'
import { VIEWER } from './viewer.js'

/** One message on its way into the database. */
export interface Row extends Message {
  session_id: string
}

const ROWS = 1000

/**
 * The rows as the service would have written them: messages in the order given, each session's counters as they stand
 * after its last.
 */
export async function load(
  pool: pg.Pool,
  rows: Iterable<Row>,
  told: (count: number) => void = () => {}
): Promise<void> {
  const counters = new Map<string, { last_seq: number; public_count: number; last: string }>()
  let batch: Row[] = []
  let count = 0
  for (const row of rows) {
    const of = counters.get(row.session_id) ?? { last_seq: 0, public_count: 0, last: '' }
    counters.set(row.session_id, {
      last_seq: row.seq,
      public_count: of.public_count + Number(row.visibility === 'public'),
      last: row.timestamp
    })
    batch.push(row)
    if (batch.length < ROWS) continue
    await insert(pool, batch)
    count += batch.length
    batch = []
    told(count)
  }
  if (batch.length > 0) await insert(pool, batch)
  const sessions = [...counters]
  await pool.query(
    `
    insert into sessions (workspace, id, purpose, created_by, last_seq, public_count, last_message_at)
    select '${VIEWER.workspace}', id, 'bench ' || id, 'coordinator', last_seq, public_count, last
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[]) as session (id, last_seq, public_count, last)`,
    [
      sessions.map(([id]) => id),
      sessions.map(([, of]) => of.last_seq),
      sessions.map(([, of]) => of.public_count),
      sessions.map(([, of]) => of.last)
    ]
  )
}

async function insert(pool: pg.Pool, rows: Row[]): Promise<void> {
  const column = (pick: (row: Row) => unknown) => rows.map(pick)
  await pool.query(
    `
    insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, timestamp)
    select '${VIEWER.workspace}', session_id, seq, sender, sender_type, content, visibility, metadata::jsonb, timestamp
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
      with ordinality as row (session_id, seq, sender, sender_type, content, visibility, metadata, timestamp, n)
    order by n`,
    [
      column(row => row.session_id),
      column(row => row.seq),
      column(row => row.sender),
      column(row => row.sender_type),
      column(row => row.content),
      column(row => row.visibility),
      column(row => JSON.stringify(row.metadata)),
      column(row => row.timestamp)
    ]
  )
}

/** Session ids as the service forms them. */
export function sessionId(number: number): string {
  return `session_${number.toString(16).padStart(16, '0')}`
}

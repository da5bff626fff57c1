import type pg from 'pg'
import { contents } from '../kit/requests.js'

/** Rows as the last release would have written them, made by PostgreSQL itself. */

/** Messages of one session, and sessions that are written at the same time. */
const LENGTH = 100
const AT_ONCE = 10
const BATCH = 100_000
const TEXTS = 500
const AGENTS = 1000

/** Session ids as the service forms them; the number is SQL. */
const sessionOf = (number: string) => `'session_' || lpad(to_hex(${number}), 16, '0')`
const session = sessionOf(`(n / ${LENGTH * AT_ONCE}) * ${AT_ONCE} + n % ${AT_ONCE}`)

/** Terms of a message are about as many as its words. */
function terms(content: string): string {
  const words = [...new Set(content.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? ['none'])]
  return `{${words.map((word, i) => (i * 2_654_435_761 + word.length * 40_503) | 0).join(',')}}`
}

const FILLS: Array<{ what: string; one_in: number; sql: string }> = [
  {
    what: 'messages',
    one_in: 1,
    sql: `insert into messages (session_id, seq, sender, sender_type, content, visibility, metadata, timestamp)
      select ${session}, n % ${LENGTH * AT_ONCE} / ${AT_ONCE} + 1, 'agent-' || n % ${AGENTS}, 'bench',
        case when n % 50 = 3 then '@agent-7 ' else '' end || said.contents[1 + n % ${TEXTS}],
        case when n % 20 = 7 then 'private' else 'public' end, said.metadata[1 + n % ${TEXTS}]::jsonb,
        now() - make_interval(secs => ($3 - n) * 0.1)
      from generate_series($1::int, $2::int) n, (select $4::text[] as contents, $5::text[] as metadata, $6::text[]) said
      order by n`
  },
  {
    what: 'rows of the search index',
    one_in: 1,
    sql: `insert into message_terms_rows (message_id, session_id, sender, sender_type, visibility, timestamp, terms)
      select n + 1, ${session}, 'agent-' || n % ${AGENTS}, 'bench',
        case when n % 20 = 7 then 'private' else 'public' end, now() - make_interval(secs => ($3 - n) * 0.1),
        said.terms[1 + n % ${TEXTS}]::int4[]
      from generate_series($1::int, $2::int) n, (select $4::text[], $5::text[], $6::text[] as terms) said order by n`
  },
  {
    what: 'audit rows',
    one_in: 1,
    sql: `insert into audit_log (timestamp, event_type, agent_id, session_id, action, resource, result, request_id)
      select now() - make_interval(secs => ($3 - n) * 0.1), 'message_added', 'agent-' || n % ${AGENTS}, ${session},
        'add_message', 'message:' || n + 1, 'success', md5(n::text)
      from generate_series($1::int, $2::int) n, (select $4::text[], $5::text[], $6::text[]) said order by n`
  },
  {
    what: 'values of memory',
    one_in: 10,
    sql: `insert into agent_memory (agent_id, key, value, value_size, version)
      select 'agent-' || n % ${AGENTS}, 'key ' || n, said.metadata[1 + n % ${TEXTS}]::jsonb,
        octet_length(said.metadata[1 + n % ${TEXTS}]), 1 + n % 50
      from generate_series($1::int, $2::int) n, (select $3::int, $4::text[], $5::text[] as metadata, $6::text[]) said`
  },
  {
    what: 'changes of sessions',
    one_in: 50,
    sql: `insert into session_changes (session_id, seq, kind, message_id, from_visibility, to_visibility, changed_by)
      select ${sessionOf('n / 2')}, 1000 + n, 'visibility_changed', n, 'private', 'public', 'agent-1'
      from generate_series($1::int, $2::int) n, (select $3::int, $4::text[], $5::text[], $6::text[]) said`
  },
  {
    what: 'words',
    one_in: 50,
    sql: `insert into search_words_rows (word) select md5(n::text)
      from generate_series($1::int, $2::int) n, (select $3::int, $4::text[], $5::text[], $6::text[]) said`
  },
  {
    what: 'sessions',
    one_in: LENGTH,
    sql: `insert into sessions (id, purpose, created_by, last_seq, public_count, last_message_at)
      select ${sessionOf('n')}, 'bench ' || n, 'agent-1', ${LENGTH}, ${LENGTH}, now()
      from generate_series($1::int, $2::int) n, (select $3::int, $4::text[], $5::text[], $6::text[]) said`
  }
]

/** Two at a time. Indexes are dropped first and made again at the end, which is faster. */
export async function fill(pool: pg.Pool, messages: number, say: (text: string) => void): Promise<void> {
  const said = contents(TEXTS)
  const values = [
    said.map(({ content }) => content),
    said.map(({ metadata }) => JSON.stringify(metadata)),
    said.map(({ content }) => terms(content))
  ]
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(`
    select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and not i.indisunique`)
  for (const { name } of indexes) await pool.query(`drop index ${name}`)
  for (const { what, one_in, sql } of FILLS) {
    const count = Math.floor(messages / one_in)
    say(`${count} ${what}`)
    const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, i) => i * BATCH)
    await twoAtATime(batches, from =>
      pool.query(sql, [from, Math.min(count, from + BATCH) - 1, count, ...values]).then(() => {})
    )
  }
  await pool.query(`insert into agents (agent_id, agent_type, last_seen_at)
    select 'agent-' || n, 'bench', now() from generate_series(0, ${AGENTS - 1}) n`)
  say(`${indexes.length} indexes`)
  await twoAtATime(indexes, ({ definition }) => pool.query(definition).then(() => {}))
  await pool.query('analyze')
  await pool.query('checkpoint')
}

async function twoAtATime<T>(of: T[], run: (one: T) => Promise<void>): Promise<void> {
  const left = of.values()
  const work = async () => {
    for (const one of left) await run(one)
  }
  await Promise.all([work(), work()])
}

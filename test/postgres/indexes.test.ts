import { createHash } from 'node:crypto'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pino from 'pino'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { memoryTopic, sessionTopic } from '../../src/kernel/events.js'
import { changesForMany } from '../../src/feed/store/feed.js'
import { applyRetention } from '../../src/lifecycle/store/retention.js'
import type { Schema } from '../../src/postgres/schema.js'
import { acrossWorkspaces, inWorkspace, unscoped } from '../../src/postgres/scope.js'
import type { RunStatement } from '../../src/postgres/scoped-connection.js'
import { queryWithPrefix } from '../../src/postgres/pg-internals.js'
import { guardPool } from '../../src/postgres/guarded-pool.js'
import { versionsOf } from '../../src/feed/store/topics.js'
import { snapshotNow } from '../../src/feed/store/cursor-snapshots.js'
import { type Grown, grown, readSeqRanges } from '../../src/feed/store/workspace-feed.js'
import { type As, environment, JWT_SECRET, ok } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { openService } from '../support/database.js'
import { indexAll } from '../support/index-all.js'

/**
 * Every page that is read is read by an index: the plans of the statements that the tools really send, on tables of
 * some size.
 */

const { url, drop } = await createDatabase()
t.teardown(drop)
const config = loadConfig(environment(url))
const { pool, client: newClient, installation, close } = openService(t, url, { max: 4 })

const {
  rows: [version]
} = await pool.query<{ server_version: string }>('show server_version')
const { server_version } = version as { server_version: string }

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'One-Time Filter'?: string
  Plans?: Plan[]
}
let plans: Array<{ statement: string; plan: Plan }> = []

/** Each statement is explained before it is run, by whom it is run. */
const explaining: RunStatement = async (client, prefix, statement) => {
  const { text, values } = statement
  if (/^(\/\*[^*]*\*\/|[\s(])*(select|with|insert|update|delete)\b/i.test(text) && !text.includes('set_config')) {
    type Explained = { 'QUERY PLAN': Array<{ Plan: Plan }> }
    const note = ({ rows: [row] }: { rows: Explained[] }) =>
      plans.push({ statement: text, plan: (row as Explained)['QUERY PLAN'][0]?.Plan as Plan })
    note(await queryWithPrefix<Explained>(client, prefix, { text: `explain (format json) ${text}`, values }))
    // The one plan for all values, which PostgreSQL tells from 16 on, and of a statement without any.
    if (statement.plan === 'once' && !/^1[0-5]\b/.test(server_version))
      note(await client.query<Explained>(`explain (format json, generic_plan) ${text}`))
  }
  return queryWithPrefix(client, prefix, statement)
}

const database = unscoped(guardPool(pool), installation, explaining)
const db = inWorkspace(database, 'default')
const app = await buildApp({
  config,
  database: {
    db: database,
    pool,
    lastGoodAt: () => 0,
    lastFault: () => undefined,
    watch: database,
    installation,
    max_age_ms: 0,
    client: newClient,
    close
  },
  jwt_secrets: [JWT_SECRET],
  replica: 'test-replica',
  logger: pino({ level: 'silent' })
})
await app.server.ready()
t.teardown(() => app.server.close())

const SESSION = 'session_0000000000000007'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')
/** Stands in one message of SESSION. */
const WORD = md5('w500')
  .replace(/\d/g, digit => 'ghijklmnop'.charAt(Number(digit)))
  .slice(0, 12)
const swapped = (word: string, at: number) =>
  word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2)
const AGENT: As = { agent_id: 'agent-3', agent_type: 'type-1' }
const ADMIN: As = { agent_id: 'agent-3', admin: true }

// Plans depend on whether autovacuum has come by. It never does, and what it does is done below.
const { rows: tables } = await pool.query<{ name: string }>(
  'select quote_ident(tablename) as name from pg_tables where schemaname = current_schema()'
)
for (const { name } of tables) await pool.query(`alter table ${name} set (autovacuum_enabled = false)`)

// 20 000 sessions, one of them of 600 messages; 20 000 messages, audit rows and memory entries, 4000 changes.
await pool.query(`
  insert into sessions (id, purpose, created_by, created_at, last_seq, public_count)
  select 'session_' || lpad(to_hex(n), 16, '0'), 'Purpose number ' || md5(n::text), 'agent-'
    || n % 50, now() - n * interval '1 minute', 1000, 8 from generate_series(1, 20000) n;
  insert into messages (session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id,
    timestamp)
  select 'session_' || lpad(to_hex(case when n <= 600 then 7 else n % 2000 + 1 end), 16, '0'), n, 'agent-'
    || n % 20, 'type-' || n % 3, 'Message number ' || md5(n::text) || ' ' || left(translate(md5('w'
      || n), '0123456789', 'ghijklmnop'), 12),
         (array['public', 'public', 'public', 'public', 'public', 'public', 'private', 'agent_only',
           'admin_only', 'public'])[n % 10 + 1], jsonb_build_object('n', n),
             case when n % 5 = 0 then n - 1 end, now() - n * interval '1 second'
  from generate_series(1, 20000) n;
  insert into session_changes (session_id, seq, kind, message_id, from_visibility, to_visibility, changed_by)
  select 'session_' || lpad(to_hex(n % 2000 + 1), 16, '0'), 100000 + n, 'visibility_changed', n, 'private',
    'public', 'agent-1' from generate_series(1, 4000) n;
  insert into agent_memory (agent_id, session_id, key, value, value_size, updated_at, expires_at)
  select 'agent-' || n % 100, case when n % 4 = 0 then 'session_'
    || lpad(to_hex(n % 2000 + 1), 16, '0') else '' end, 'key '
      || md5(n::text), to_jsonb(n), 5, now() - n * interval '1 second',
        case when n % 7 = 0 then now() + interval '1 day' end
  from generate_series(1, 20000) n;
  insert into audit_log (timestamp, event_type, agent_id, session_id, action, result, request_id)
  select now() - n * interval '1 second', (array['message_added', 'memory_set', 'session_created',
    'permission_denied'])[n % 4 + 1], 'agent-' || n % 100, 'session_'
      || lpad(to_hex(n % 2000 + 1), 16, '0'), 'add_message', 'success', md5(n::text)
  from generate_series(1, 20000) n;
  insert into tokens (jti, agent_id, agent_type, issued_at, expires_at, revoked_at)
  select md5(n::text), 'agent-' || n % 100, 'x', now(), now() + interval '1 day', case when n % 10 = 0 then now() end
  from generate_series(1, 5000) n;
  insert into idempotency_keys (agent_id, key, request_hash, answer)
  select 'agent-' || n % 100, md5(n::text), '\\x00', '{}' from generate_series(1, 50000) n;
  insert into read_cursors (agent_id, session_id, last_read_seq)
  select 'agent-' || n % 50, 'session_' || lpad(to_hex(n % 2000 + 1), 16, '0'), n % 900 from generate_series(1, 2000) n;
  insert into session_presence (session_id, agent_id, agent_type, last_seen_at)
  select 'session_' || lpad(to_hex(n % 2000 + 1), 16, '0'), 'agent-' || n % 100, 'x', now() - n * interval '0.1 seconds'
  from generate_series(1, 10000) n
  on conflict do nothing;
  insert into search_pending (workspace, session_id, message_id) select workspace, session_id, id from messages`)
const plain = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
await indexAll(plain)
// The worker does this while nothing waits: what GIN has put off makes an index dearer than reading the whole table.
await pool.query('select merge_put_off()')
// What waits for the index is not vacuumed: its emptied pages would be cut off, and a table of no pages is read whole.
await pool.query(
  `vacuum analyze ${tables
    .map(({ name }) => name)
    .filter(name => name !== 'search_pending')
    .join(', ')}`
)
await pool.query('analyze search_pending')
const message_id = Number(
  (
    await pool.query<{ id: number }>('select id from messages where session_id = $1 and visibility = $2 limit 1', [
      SESSION,
      'public'
    ])
  ).rows[0]?.id
)
const key = (
  await pool.query<{ key: string }>(
    "select key from agent_memory where agent_id = 'agent-3' and session_id = '' limit 1"
  )
).rows[0]?.key
const cursor = (tool: string, as: As, args = {}) =>
  ok(app, tool, { ...args, limit: 5 }, as).then(answer => answer.next_cursor as string)

/** Tables that grow without end. */
const LARGE = new Set([
  'messages',
  'message_terms_rows',
  'search_words_rows',
  'session_purposes_rows',
  'search_pending',
  'audit_log',
  'agent_memory',
  'session_changes',
  'sessions',
  'tokens',
  'idempotency_keys',
  'read_cursors',
  'session_presence'
])

function scans(plan: Plan): string[] {
  // PostgreSQL 15 still shows what is never run: to an admin no change shows a message, it saw them all.
  if (plan['One-Time Filter'] === 'false') return []
  return [
    ...(plan['Node Type'] === 'Seq Scan' && LARGE.has(plan['Relation Name'] ?? '')
      ? [plan['Relation Name'] as string]
      : []),
    ...(plan.Plans ?? []).flatMap(scans)
  ]
}

const READS: Array<[tool: string, args: Record<string, unknown>, as?: As]> = [
  ['get_session', { session_id: SESSION }],
  ['get_session', { session_id: SESSION }, ADMIN],
  ['list_sessions', {}],
  ['list_sessions', { created_by: 'agent-3' }],
  ['list_sessions', { query: 'Purpose number' }],
  ['list_sessions', { query: md5('1234').slice(0, 12), created_by: 'agent-34' }],
  ['list_sessions', { query: swapped(md5('1234').slice(0, 12), 5) }],
  ['list_sessions', { active: true, cursor: await cursor('list_sessions', AGENT, { active: true }) }],
  ['list_sessions', { created_by: 'agent-3', cursor: await cursor('list_sessions', AGENT, { created_by: 'agent-3' }) }],
  ['get_messages', { session_id: SESSION }],
  ['get_messages', { session_id: SESSION }, ADMIN],
  ['get_messages', { session_id: SESSION, order: 'asc', limit: 10, offset: 20 }],
  ['get_messages', { session_id: SESSION, after_seq: 300, limit: 10 }],
  ['get_messages', { session_id: SESSION, after_seq: 300, limit: 10 }, ADMIN],
  ['get_messages', { session_id: SESSION, before_seq: 300, limit: 10 }],
  ['get_messages', { session_id: SESSION, sender: 'agent-3' }],
  ['get_messages', { session_id: SESSION, visibility_filter: 'private' }],
  ['get_messages', { session_id: SESSION, parent_message_id: message_id }],
  ['wait_for_messages', { session_id: SESSION, after_seq: 300, sender: 'agent-3', timeout_seconds: 0 }],
  ['wait_for_messages', { session_id: SESSION, timeout_seconds: 0.2 }],
  ['search_by_sender', { session_id: SESSION, sender: 'agent-3' }],
  ['search_by_timerange', { session_id: SESSION, start_time: '2020-01-01', end_time: '2999-01-01' }],
  ['search_context', { session_id: SESSION, query: 'number' }],
  ['search_context', { session_id: SESSION, query: 'mesage numbr', sender: 'agent-3' }],
  ['search_context', { session_id: SESSION, query: WORD }],
  ['search_context', { query: WORD }],
  ['search_context', { query: WORD }, ADMIN],
  ['search_context', { query: `number ${swapped(WORD, 5)} message` }],
  ['search_context', { query: WORD.slice(3, 10) }],
  ['search_context', { session_id: SESSION, query: swapped(swapped(WORD, 3), 8) }],
  ['search_context', { query: swapped(swapped(WORD, 3), 8) }],
  ['search_context', { query: 'ag' }],
  ['get_memory', { key }],
  ['list_memory', {}],
  ['list_memory', { session_id: 'all' }],
  ['list_memory', { session_id: SESSION }],
  ['list_memory', { prefix: 'key a' }],
  ['list_memory', { cursor: await cursor('list_memory', AGENT) }],
  ['get_audit_log', {}, ADMIN],
  ['get_audit_log', { cursor: await cursor('get_audit_log', ADMIN) }, ADMIN],
  ['get_audit_log', { agent_id: 'agent-3' }, ADMIN],
  ['get_audit_log', { session_id: SESSION }, ADMIN],
  ['get_audit_log', { event_type: 'memory_set' }, ADMIN],
  ['get_audit_log', { agent_id: 'agent-3', event_type: 'memory_set', start_time: '2020-01-01' }, ADMIN]
]

const WRITES: typeof READS = [
  ['add_message', { session_id: SESSION, content: 'x', idempotency_key: 'k1' }],
  ['add_message', { session_id: SESSION, content: 'x', parent_message_id: message_id }],
  ['set_message_visibility', { message_id, visibility: 'private' }, ADMIN],
  ['update_session', { session_id: SESSION, purpose: 'x' }, ADMIN],
  ['mark_read', { session_id: SESSION, up_to_seq: 500 }],
  ['mark_read', { session_id: SESSION }],
  ['get_session', { session_id: SESSION }],
  ['set_memory', { key: 'new', value: 1 }],
  ['delete_memory', { key: 'new' }]
]

await t.test('search has something to look up', async t => {
  t.equal((await sql<{ n: number }>`select count(*)::int as n from message_terms`.execute(plain)).rows[0]?.n, 20_000)
  const { results } = await ok(app, 'search_context', { query: swapped(swapped(WORD, 3), 8) }, ADMIN)
  t.equal(results.length, 1)
})

for (const [tool, args, as = AGENT] of [...READS, ...WRITES]) {
  await t.test(`${tool} by ${Object.keys(args).join(', ') || 'nothing'}${as.admin ? ', as an admin' : ''}`, async t => {
    plans = []
    await ok(app, tool, args, as)
    t.ok(plans.length > 0, 'there are statements')
    // The followers of revocations and of presence share the pool; what they read is judged too.
    t.same(
      plans.flatMap(({ statement, plan }) =>
        scans(plan).map(table => `${table}: ${statement.replace(/\s+/g, ' ').slice(0, 200)}`)
      ),
      []
    )
  })
}

t.test('revocations are read by their index', async t => {
  plans = []
  for (let tries = 0; !plans.some(({ statement }) => statement.includes('revoked_at')) && tries < 200; tries++)
    await new Promise(resolve => setTimeout(resolve, 20))
  t.ok(plans.some(({ statement }) => statement.includes('revoked_at')))
  t.same(
    plans.flatMap(({ plan }) => scans(plan)),
    []
  )
  t.equal(
    (await sql<{ n: number }>`select count(*)::int as n from tokens where revoked_at is not null`.execute(db)).rows[0]
      ?.n,
    500
  )
})

t.test('which workspaces keep things for how long is read by an index', async t => {
  plans = []
  t.same(await applyRetention({ db: acrossWorkspaces(database), publish: () => {}, stopping: () => false }, 0), {
    messages: 0,
    sessions: 0
  })
  t.ok(plans.some(({ statement }) => statement.includes('retention')))
  t.same(
    plans.flatMap(({ plan }) => scans(plan)),
    []
  )
})

t.test('what is read for those who follow, and looked at each second', async t => {
  const viewers = ['agent-1', 'agent-2', 'agent-3'].map(agent_id => ({
    workspace: 'default',
    agent_id,
    agent_type: 'type-1',
    permissions: ['read' as const]
  }))
  plans = []
  t.ok((await changesForMany(db, viewers, SESSION, 300, 400))?.changesOf(0).length)
  await changesForMany(db, viewers, SESSION, 100_000, 100_100)
  await versionsOf(
    acrossWorkspaces(database),
    Array.from({ length: 200 }, (_, n) => sessionTopic('default', `session_${(n + 1).toString(16).padStart(16, '0')}`))
  )
  await versionsOf(
    acrossWorkspaces(database),
    viewers.map(({ agent_id }) => memoryTopic('default', agent_id))
  )
  t.ok(plans.length >= 4)
  t.same(
    plans.flatMap(({ statement, plan }) =>
      scans(plan).map(table => `${table}: ${statement.replace(/\s+/g, ' ').slice(0, 200)}`)
    ),
    []
  )
})

t.test('what all sessions have grown by is read by an index, and only that', async t => {
  const since = await snapshotNow(db, 'default')
  await ok(app, 'add_message', { session_id: SESSION, content: 'x' }, AGENT)
  await ok(app, 'set_message_visibility', { message_id, visibility: 'public' }, ADMIN)
  plans = []
  const { sessions } = await grown(db, 'default', since)
  t.equal(sessions.length, 1)
  const { first, last } = sessions[0] as Grown
  const viewers = [{ workspace: 'default', agent_id: 'agent-3', agent_type: 'type-1', permissions: ['read' as const] }]
  await readSeqRanges(db, viewers, [{ session_id: SESSION, after: first - 1, until: last }])
  t.ok(plans.length >= 3)
  t.same(
    plans.flatMap(({ statement, plan }) =>
      scans(plan).map(table => `${table}: ${statement.replace(/\s+/g, ' ').slice(0, 200)}`)
    ),
    []
  )
})

import type pg from 'pg'
import pino from 'pino'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { sessionTopic } from '../../src/kernel/events.js'
import { changesForMany } from '../../src/feed/store/feed.js'
import { acrossWorkspaces, inWorkspace } from '../../src/postgres/scope.js'
import { versionsOf } from '../../src/feed/store/topics.js'
import { snapshotNow } from '../../src/feed/store/cursor-snapshots.js'
import { type Grown, grown, readSeqRanges } from '../../src/feed/store/workspace-feed.js'
import { type As, environment, JWT_SECRET, ok } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { openOwner, openService } from '../support/database.js'
import { indexAll } from '../support/index-all.js'

/**
 * No statement reads a table that grows without end to its end, where one session has all messages and one agent all
 * else: PostgreSQL's statistics then say that an index saves nothing. PostgreSQL itself tells how many rows each
 * statement has read, by auto_explain, of the plan that it has run.
 */

const MESSAGES = 40_000
/** What is unread is counted up to 10 000, public messages and others. Nothing reads more. */
const READ_MAX = 25_000

const { url, drop } = await createDatabase()
t.teardown(drop)
const owner = openOwner(t, url)
const setup = openService(t, url, { max: 1 })
const name = new URL(url).pathname.slice(1)
for (const setting of [
  "session_preload_libraries = 'auto_explain'",
  'auto_explain.log_min_duration = 0',
  'auto_explain.log_analyze = on',
  'auto_explain.log_timing = off',
  "auto_explain.log_format = 'json'",
  // The service lets PostgreSQL send it warnings, and nothing below.
  "auto_explain.log_level = 'warning'",
  // Not into the server's own log too.
  'log_min_messages = panic'
])
  await setup.pool.query(`alter database "${name}" set ${setting}`)

const SESSION = 'session_0000000000000001'
const AGENT: As = { agent_id: 'agent-1', agent_type: 'type-1' }
const OTHERS: As = { agent_id: 'agent-2', agent_type: 'type-2' }
const ADMIN: As = { agent_id: 'agent-3', admin: true }
/** In one message of a thousand. */
const RARE = 'quetzalcoatl'

const { rows: tables } = await setup.pool.query<{ name: string }>(
  'select tablename as name from pg_tables where schemaname = current_schema()'
)
// What autovacuum does is done below, once.
for (const { name } of tables) await setup.pool.query(`alter table "${name}" set (autovacuum_enabled = false)`)
await setup.pool.query(`
  insert into sessions (id, purpose, created_by, last_seq, public_count)
  select 'session_' || lpad(to_hex(n), 16, '0'), 'Purpose number ' || n, 'agent-1',
    case n when 1 then ${MESSAGES} else 0 end, case n when 1 then ${MESSAGES / 2} else 0 end
  from generate_series(1, 2000) n;
  insert into messages (session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id,
    timestamp)
  select '${SESSION}', n, case when n % 1000 = 1 then 'agent-2' else 'agent-1' end,
    case when n % 1000 = 1 then 'type-2' else 'type-1' end,
    'Message ' || n || ' says word' || n % 100 ||
    repeat(' and so on', 30) || case when n % 1000 = 0 then ' ${RARE}' else '' end,
    (array['public', 'private'])[n % 2 + 1], jsonb_build_object('n', n % 100),
    case when n % 5 = 0 then n - 1 end, now() - (${MESSAGES} - n) * interval '1 second'
  from generate_series(1, ${MESSAGES}) n;
  insert into agent_memory (agent_id, session_id, key, value, value_size, updated_at)
  select 'agent-1', case when n % 2 = 0 then '${SESSION}' else '' end, 'key ' || n, to_jsonb(n), 5,
    now() - n * interval '1 second' from generate_series(1, ${MESSAGES}) n;
  insert into audit_log (timestamp, event_type, agent_id, session_id, action, result, request_id)
  select now() - n * interval '1 second', 'message_added', 'agent-1', '${SESSION}', 'add_message', 'success', n::text
  from generate_series(1, ${MESSAGES}) n;
  insert into search_pending (workspace, session_id, message_id) select workspace, session_id, id from messages`)
await indexAll(owner)
await setup.pool.query('select merge_put_off()')
await setup.pool.query('vacuum analyze')

let read: Array<{ rows: number; of: string; statement: string }> = []

interface Plan {
  'Relation Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

function* nodesOf(plan: Plan): Generator<Plan> {
  yield plan
  for (const part of plan.Plans ?? []) yield* nodesOf(part)
}

/** Notes how many rows of each table a statement has read. */
function note({ message }: { message?: string | undefined }): void {
  const told = /^duration: .* plan:\n/.exec(message ?? '')
  if (told === null) return
  const { 'Query Text': statement, Plan: plan } = JSON.parse((message as string).slice(told[0].length)) as {
    'Query Text': string
    Plan: Plan
  }
  const rows = new Map<string, number>()
  for (const node of nodesOf(plan)) {
    const of = node['Relation Name']
    if (of === undefined) continue
    const each =
      (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
    rows.set(of, (rows.get(of) ?? 0) + each * (node['Actual Loops'] ?? 0))
  }
  for (const [of, count] of rows)
    read.push({ rows: count, of, statement: statement.replace(/\s+/g, ' ').slice(0, 200) })
}

const database = openService(t, url, { max: 4 })
database.pool.on('connect', (client: pg.PoolClient) => {
  client.on('notice', note)
})
const app = await buildApp({
  config: loadConfig(environment(url)),
  database,
  jwt_secrets: [JWT_SECRET],
  replica: 'test-replica',
  logger: pino({ level: 'silent' })
})
await app.server.ready()
t.teardown(() => app.server.close())
const db = inWorkspace(database.db, 'default')

const one = (await ok(app, 'get_messages', { session_id: SESSION, order: 'asc', limit: 1 }, ADMIN)) as {
  messages: Array<{ id: number }>
}
const message_id = (one.messages[0] as { id: number }).id
const nextOf = async (tool: string, as: As, args: Record<string, unknown> = {}) =>
  ((await ok(app, tool, { ...args, limit: 5 }, as)) as { next_cursor: string }).next_cursor

const CALLS: Array<[tool: string, args: Record<string, unknown>, as?: As]> = [
  ['list_sessions', {}],
  ['list_sessions', { query: 'Purpose' }],
  ['get_session', { session_id: SESSION }],
  ['get_session', { session_id: SESSION }, OTHERS],
  ...[AGENT, OTHERS, ADMIN].flatMap((as): Array<[string, Record<string, unknown>, As]> => [
    ['get_messages', { session_id: SESSION }, as],
    ['get_messages', { session_id: SESSION, order: 'asc', limit: 10, offset: 20 }, as],
    ['get_messages', { session_id: SESSION, after_seq: MESSAGES / 2, limit: 10 }, as],
    ['get_messages', { session_id: SESSION, before_seq: MESSAGES / 2, limit: 10 }, as],
    ['get_messages', { session_id: SESSION, sender: 'agent-2' }, as],
    ...['private', 'agent_only', 'direct'].map((visibility_filter): [string, Record<string, unknown>, As] => [
      'get_messages',
      { session_id: SESSION, visibility_filter, limit: 10 },
      as
    ]),
    ['get_messages', { session_id: SESSION, parent_message_id: message_id }, as],
    ['wait_for_messages', { session_id: SESSION, after_seq: MESSAGES - 100, timeout_seconds: 0 }, as],
    ['search_by_sender', { session_id: SESSION, sender: 'agent-2' }, as],
    ['search_by_timerange', { session_id: SESSION, start_time: '2020-01-01', end_time: '2100-01-01' }, as],
    ['search_context', { session_id: SESSION, query: RARE }, as],
    ['search_context', { session_id: SESSION, query: 'which message says word7 or word8?' }, as],
    ['search_context', { session_id: SESSION, query: 'quetzalcaotl' }, as],
    ['search_context', { query: RARE }, as]
  ]),
  ['get_memory', { key: 'key 1' }],
  ['list_memory', {}],
  ['list_memory', { session_id: 'all' }],
  ['list_memory', { session_id: SESSION }],
  ['list_memory', { cursor: await nextOf('list_memory', AGENT) }],
  ['search_memory', { query: 'key 17' }],
  ['get_audit_log', {}, ADMIN],
  ['get_audit_log', { cursor: await nextOf('get_audit_log', ADMIN) }, ADMIN],
  ['get_audit_log', { agent_id: 'agent-1' }, ADMIN],
  ['get_audit_log', { session_id: SESSION }, ADMIN],
  ['list_agents', {}],
  ['list_tasks', { session_id: SESSION }],
  ['add_message', { session_id: SESSION, content: 'x' }],
  ['add_message', { session_id: SESSION, content: 'x', to: ['agent-2'], visibility: 'direct' }],
  ['get_inbox', {}, OTHERS],
  ['add_message', { session_id: SESSION, content: 'x', parent_message_id: message_id }, ADMIN],
  ['set_message_visibility', { message_id, visibility: 'private' }, ADMIN],
  ['update_session', { session_id: SESSION, purpose: 'x' }, ADMIN],
  ['mark_read', { session_id: SESSION, up_to_seq: 500 }],
  ['mark_read', { session_id: SESSION }],
  ['set_memory', { key: 'new', value: 1 }],
  ['delete_memory', { key: 'new' }]
]

/** PostgreSQL plans a prepared statement anew five times, and may then take one plan for all values. */
const TIMES = 7

async function readsLittle(t: Test, work: () => Promise<unknown>): Promise<void> {
  read = []
  await work()
  t.ok(read.length > 0, 'PostgreSQL told what it has read')
  t.same(
    read.filter(({ rows }) => rows > READ_MAX),
    []
  )
}

for (const [tool, args, as = AGENT] of CALLS)
  await t.test(`${tool} by ${Object.keys(args).join(', ') || 'nothing'}, ${as.agent_id}`, t =>
    readsLittle(t, async () => {
      for (let i = 0; i < TIMES; i++) await ok(app, tool, args, as)
    })
  )

await t.test('what is read for those who follow', async t => {
  const viewers = ['agent-1', 'agent-2'].map(agent_id => ({
    workspace: 'default',
    agent_id,
    agent_type: 'type-1',
    permissions: ['read' as const]
  }))
  const since = await snapshotNow(db, 'default')
  await ok(app, 'add_message', { session_id: SESSION, content: 'x' }, AGENT)
  await readsLittle(t, async () => {
    for (let i = 0; i < TIMES; i++) {
      await changesForMany(db, viewers, SESSION, MESSAGES - 100, MESSAGES)
      await changesForMany(db, viewers, SESSION, MESSAGES / 2, MESSAGES / 2 + 50)
      await versionsOf(acrossWorkspaces(database.db), [sessionTopic('default', SESSION)])
      const { sessions } = await grown(db, 'default', since)
      const { first, last } = sessions[0] as Grown
      await readSeqRanges(db, viewers, [{ session_id: SESSION, after: first - 100, until: last }])
    }
  })
})

await t.test('the test notices a statement that reads on', async t => {
  read = []
  await database.pool.query("select count(*) from messages where content like '%no such text%'")
  t.ok(read.some(({ rows, of }) => of === 'messages' && rows >= MESSAGES))
})

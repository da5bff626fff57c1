import { execFile } from 'node:child_process'
import { access, readdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, Finding } from '../kit/bench.js'
import { cpuOfPostgres } from '../kit/cpu.js'
import type { OwnDatabase } from '../kit/postgres.js'
import { addMessages, CONNECTIONS, contents, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide, type Side } from '../kit/rounds.js'
import { startService } from '../kit/service.js'
import { served } from './with.js'

const run = promisify(execFile)

const CLIENTS = 16
const THREADS = 2

/**
 * A message's row as the service writes it, and nothing else: no session's counter, no audit row, nothing for search.
 */
const SCRIPT = `\\set n :n + 1
\\set session random(1, ${CONNECTIONS})
insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id)
values ('default', 'session_' || lpad(to_hex(:session::int), 16, '0'), (:base)::bigint + (:client_id)::bigint * 1000000 + (:n)::bigint, 'agent-' || (:client_id)::int, 'bench', (:content)::text, 'public', (:metadata)::jsonb, null);
`

/**
 * All that a message is: its session's counters, its row, its audit row. Only what waits for the search index is left
 * out.
 */
const WHOLE = `\\set session random(1, ${CONNECTIONS})
with s as (
  update sessions set last_seq = last_seq + 1, public_count = public_count + 1, content_bytes = content_bytes + octet_length((:content)::text), last_message_at = clock_timestamp()
  where workspace = 'default' and id = (select id from pgbench_sessions where n = (:session)::int) and is_active returning id, last_seq
), m as (
  insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id)
  select 'default', s.id, s.last_seq, 'agent-' || (:client_id)::int, 'whole', (:content)::text, 'public', (:metadata)::jsonb, null from s returning id, session_id
)
insert into audit_log (workspace, event_type, agent_id, session_id, action, resource, result, request_id, metadata)
select 'default', 'message_added', 'agent-' || (:client_id)::int, m.session_id, 'add_message', 'message:' || m.id, 'success', 'bench', '{}' from m;
`

/** How near the service comes to what PostgreSQL itself takes, one insert a commit. */
export async function pgbench(bench: Bench): Promise<Finding> {
  const program = await findPgbench()
  if (program === undefined) {
    return {
      rows: [
        {
          measure: `add_message ÷ pgbench, ${CLIENTS} clients`,
          a: '',
          b: '',
          ratio: '',
          spread: '',
          bar: '≥ 0.6',
          verdict: 'skipped'
        }
      ],
      notes: ['pgbench: it is neither in PATH nor in /usr/lib/postgresql/*/bin, so this was not measured']
    }
  }
  const one = await served(bench, 'pgbench')
  const second = await startService(bench.program, bench.cleanup, { database_url: one.database.url })
  const { tokens, sessions, service, database } = one
  await bench.load.prepare('one', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  await bench.load.prepare('two', {
    senders: addMessages(connection => (connection % 2 === 0 ? service : second).port, tokens, sessions),
    expect: SUCCESS
  })
  await database.query(
    'create table pgbench_sessions as select row_number() over (order by id)::int as n, id from sessions'
  )
  await database.query('create unique index on pgbench_sessions (n) include (id)')
  await database.query('vacuum analyze pgbench_sessions')
  const sides = [
    loadSide(bench, 'one serve', 'one', [service]),
    await pgbenchSide(bench, program, database, {
      name: 'pgbench',
      script: SCRIPT,
      sender_type: 'bench',
      from_seq: 100_000_000
    }),
    await pgbenchSide(bench, program, database, { name: 'whole', script: WHOLE, sender_type: 'whole', from_seq: 0 }),
    loadSide(bench, 'two serves', 'two', [service, second])
  ]
  const measured = await alternate(bench, sides)
  await second.stop()
  await one.end()
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} connections ÷ pgbench -M prepared, ${CLIENTS} clients`,
        measured,
        'one serve',
        'pgbench',
        0.6
      ),
      ratioRow('two serve processes on that database ÷ the same', measured, 'two serves', 'pgbench'),
      ratioRow(
        "add_message ÷ pgbench of the row, its session's counters and its audit row",
        measured,
        'one serve',
        'whole'
      )
    ],
    notes: sideNotes(measured).map(note => `pgbench: ${note}`)
  }
}

interface Script {
  name: string
  script: string
  sender_type: string
  from_seq: number
}

async function pgbenchSide(
  { dir, seconds, postgres }: Bench,
  program: string,
  { url, query }: OwnDatabase,
  { name, script, sender_type, from_seq }: Script
): Promise<Side> {
  const file = join(dir, `${name}.sql`)
  await writeFile(file, script)
  const inserted = async (): Promise<number> => {
    const [row] = await query<{ count: number }>(
      'select count(*)::int as count from messages where sender_type = $1 and seq > $2',
      [sender_type, from_seq]
    )
    return row?.count as number
  }
  // Of middling length, since pgbench has one text for all.
  const [typical] = contents(1000)
    .sort((a, b) => size(a) - size(b))
    .slice(500)
  const { content, metadata } = typical as NonNullable<typeof typical>
  // Its address in the environment: a failed command is told with all its arguments, and there is a password in it.
  const { hostname, port, username, password, pathname } = new URL(url)
  const database = pathname.slice(1)
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password }
  let base = 0
  return {
    name,
    async round() {
      base += 1_000_000_000
      const before = await inserted()
      const cpu = cpuOfPostgres(postgres.pid)
      const { stdout } = await run(
        program,
        [
          '-n',
          '-M',
          'prepared',
          '-c',
          String(CLIENTS),
          '-j',
          String(THREADS),
          '-T',
          String(Math.max(1, Math.round(seconds))),
          '-f',
          file,
          '-D',
          `base=${base}`,
          '-D',
          'n=0',
          '-D',
          `content=${content}`,
          '-D',
          `metadata=${JSON.stringify(metadata)}`,
          database
        ],
        { timeout: (seconds + 30) * 1000, env }
      )
      const after = cpuOfPostgres(postgres.pid)
      const rate = Number(/tps = ([\d.]+) \(without initial/.exec(stdout)?.[1])
      const count = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1])
      if (!(rate > 0) || (await inserted()) - before !== count)
        throw new Error(`pgbench did not insert what it said:\n${stdout}`)
      return {
        rate,
        cpu: { service: 0, processes: 1, postgres: (((after ?? NaN) - (cpu ?? NaN)) * 1000) / count, load: NaN }
      }
    }
  }
}

const size = ({ content, metadata }: { content: string; metadata: unknown }) =>
  content.length + JSON.stringify(metadata).length

async function findPgbench(): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(debian, version, 'bin'))
  ]
  for (const folder of folders) {
    const path = join(folder, 'pgbench')
    if (
      folder !== '' &&
      (await access(path).then(
        () => true,
        () => false
      ))
    )
      return path
  }
  return undefined
}

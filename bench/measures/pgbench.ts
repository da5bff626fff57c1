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

/** A message's row as the service writes it, and nothing else: no session's counter, no audit row, nothing for search. */
const SCRIPT = `\\set n :n + 1
\\set session random(1, ${CONNECTIONS})
insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id)
values ('default', 'session_' || lpad(to_hex(:session::int), 16, '0'), (:base)::bigint + (:client_id)::bigint * 1000000 + (:n)::bigint, 'agent-' || (:client_id)::int, 'bench', (:content)::text, 'public', (:metadata)::jsonb, null);
`

/** How near the service comes to what PostgreSQL itself takes, one insert a commit. */
export async function pgbench (bench: Bench): Promise<Finding> {
  const program = await findPgbench()
  if (program === undefined) {
    return {
      rows: [{ measure: `add_message ÷ pgbench, ${CLIENTS} clients`, a: '', b: '', ratio: '', spread: '', bar: '≥ 0.6', verdict: 'skipped' }],
      notes: ['pgbench: it is neither in PATH nor in /usr/lib/postgresql/*/bin, so this was not measured']
    }
  }
  const one = await served(bench, 'pgbench')
  const second = await startService(bench.program, bench.cleanup, { database_url: one.database.url })
  const { tokens, sessions, service, database } = one
  await bench.load.prepare('one', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  await bench.load.prepare('two', { senders: addMessages(connection => (connection % 2 === 0 ? service : second).port, tokens, sessions), expect: SUCCESS })
  const sides = [loadSide(bench, 'one serve', 'one', [service]), await pgbenchSide(bench, program, database), loadSide(bench, 'two serves', 'two', [service, second])]
  const measured = await alternate(bench, sides)
  await second.stop()
  await one.end()
  return {
    rows: [
      ratioRow(`add_message, ${CONNECTIONS} connections ÷ pgbench -M prepared, ${CLIENTS} clients`, measured, 'one serve', 'pgbench', 0.6),
      ratioRow('two serve processes on that database ÷ the same', measured, 'two serves', 'pgbench')
    ],
    notes: sideNotes(measured).map(note => `pgbench: ${note}`)
  }
}

async function pgbenchSide ({ dir, seconds, postgres }: Bench, program: string, { url, query }: OwnDatabase): Promise<Side> {
  const script = join(dir, 'insert.sql')
  await writeFile(script, SCRIPT)
  // Of middling length, since pgbench has one text for all.
  const [typical] = contents(1000).sort((a, b) => size(a) - size(b)).slice(500)
  const { content, metadata } = typical as NonNullable<typeof typical>
  // Its address in the environment: a failed command is told with all its arguments, and there is a password in it.
  const { hostname, port, username, password, pathname } = new URL(url)
  const database = pathname.slice(1)
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password }
  let base = 0
  return {
    name: 'pgbench',
    async round () {
      base += 1_000_000_000
      const before = await inserted(query)
      const cpu = cpuOfPostgres(postgres.pid)
      const { stdout } = await run(program, [
        '-n', '-M', 'prepared', '-c', String(CLIENTS), '-j', String(THREADS), '-T', String(Math.max(1, Math.round(seconds))), '-f', script,
        '-D', `base=${base}`, '-D', 'n=0', '-D', `content=${content}`, '-D', `metadata=${JSON.stringify(metadata)}`, database
      ], { timeout: (seconds + 30) * 1000, env })
      const after = cpuOfPostgres(postgres.pid)
      const rate = Number(/tps = ([\d.]+) \(without initial/.exec(stdout)?.[1])
      const count = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1])
      if (!(rate > 0) || await inserted(query) - before !== count) throw new Error(`pgbench did not insert what it said:\n${stdout}`)
      return { rate, cpu: { service: 0, processes: 1, postgres: ((after ?? NaN) - (cpu ?? NaN)) * 1000 / count, load: NaN } }
    }
  }
}

const size = ({ content, metadata }: { content: string, metadata: unknown }) => content.length + JSON.stringify(metadata).length

async function inserted (query: OwnDatabase['query']): Promise<number> {
  const [row] = await query<{ count: number }>("select count(*)::int as count from messages where sender_type = 'bench' and seq > 100000000")
  return row?.count as number
}

async function findPgbench (): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(debian, version, 'bin'))]
  for (const folder of folders) {
    const path = join(folder, 'pgbench')
    if (folder !== '' && await access(path).then(() => true, () => false)) return path
  }
  return undefined
}

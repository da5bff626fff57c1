import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../src/postgres/embedded/index.js'
import { compiled, runProgram, runToEnd } from '../helper.js'
import { databaseFor, sql } from '../support/other-database.js'
import { temporaryFolder } from '../support/own-server.js'

/** A restore while others use the database: another restore, a service, or whoever ends its connections. */

const file = join(await temporaryFolder(t), 'all.backup')
const newDatabase = (empty = true) => databaseFor(t, empty)

const from = await newDatabase(false)
// Random, so that a part of the file holds parts of the rows.
await sql(
  from.url,
  `insert into agent_memory (workspace, agent_id, session_id, key, value, value_size)
   select w, 'ada', '', n::text, to_jsonb(string_agg(md5(random()::text || n || m), '')), 10
   from unnest(array['north', 'south']) w, generate_series(1, 10) n, generate_series(1, 2000) m group by w, n`
)
await runToEnd(['backup', 'create', file], from.env)
const backup = await readFile(file)

/** A restore that has stored the workspace north, and waits for the rest of its input. */
async function halfWay(env: Record<string, string>) {
  const child = spawn(process.execPath, [compiled(), 'backup', 'restore', '-'], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['pipe', 'ignore', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdin.on('error', () => {})
  child.stdin.write(backup.subarray(0, Math.floor(backup.length * 0.75)))
  const until = Date.now() + 20_000
  while (!said.includes('Restored the workspace north') && Date.now() < until && child.exitCode === null)
    await new Promise(resolve => setTimeout(resolve, 20))
  return {
    async finish() {
      const closed = once(child as ChildProcess, 'close')
      child.stdin.end(backup.subarray(Math.floor(backup.length * 0.75)))
      const [code] = (await closed) as [number]
      return { code, said }
    }
  }
}

t.test('another restore: the first one finishes', async t => {
  const { env } = await newDatabase()
  const first = await halfWay(env)
  const second = await runToEnd(['backup', 'restore', file], env)
  t.match(second, { code: 1, stderr: /^Another process restores a backup into this database right now\.\n$/ })
  const port = String(await freePort())
  const early = { ...env, MIGRATE_ON_START: 'false', PORT: port }
  const service = await runProgram(t, ['serve'], early, { ready: /not ready yet: restore not finished/ })
  const health = await fetch(`http://127.0.0.1:${port}/health/ready`)
  t.match([health.status, await health.json()], [503, { reason: 'restore not finished' }])
  t.equal(await service.stop(), 0)
  t.match(await runToEnd(['serve'], env), { code: 1, stderr: /The restore of a backup is not finished/ })
  t.match(await first.finish(), { code: 0, said: /The restore is complete/ })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0 })
})

t.test('several that begin at once: one finishes, and the others say in one sentence why they do not', async t => {
  const { env } = await newDatabase()
  const all = await Promise.all(Array.from({ length: 4 }, () => runToEnd(['backup', 'restore', file], env)))
  t.equal(all.filter(({ code }) => code === 0).length, 1)
  for (const { code, stderr } of all)
    if (code !== 0) t.match(stderr, /^(Another process restores a backup|The database is not empty)[^\n]*\n$/)
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0 })
})

t.test('a service that runs: it must be stopped first', async t => {
  const { url, env } = await newDatabase()
  const service = await runProgram(t, ['serve'], env)
  t.match(await runToEnd(['backup', 'restore', file], env), {
    code: 1,
    stderr: /^The service [^ ]+ uses this database\. Stop it, and run the same command again\.\n$/
  })
  t.same(await sql(url, 'select from agent_memory limit 1'), [], 'nothing was stored')
  t.equal((await fetch(`${service.url}/health/ready`)).status, 200)
  t.equal(await service.stop(), 0)
  t.match(await runToEnd(['backup', 'restore', file], env), { code: 0 })
})

t.test('connections that end: the same command goes on', async t => {
  const { url, env } = await newDatabase()
  const first = await halfWay(env)
  await sql(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`
  )
  const { code, said } = await first.finish()
  t.equal(code, 1)
  t.match(said, /\nThe connection to the database was lost\. Run the same command again: it goes on where it was\.\n$/)
  t.match(await runToEnd(['backup', 'restore', file], env), { code: 0, stderr: /Already there: the workspace north/ })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0 })
})

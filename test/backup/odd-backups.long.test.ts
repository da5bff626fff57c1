import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { writeLines } from '../../src/backup/compressed-lines.js'
import { backupLines } from '../../src/backup/create-backup.js'
import { connectAsOwner } from '../../src/postgres/connect.js'
import { upTo } from '../../src/postgres/migrate.js'
import { API_KEY, compiled, runProgram, runToEnd } from '../helper.js'
import { databaseFor, sql } from '../support/other-database.js'
import { temporaryFolder } from '../support/own-server.js'
import { post } from '../support/rest.js'

/** Backups of databases that are unlike others, and backups that go wrong. */

const folder = await temporaryFolder(t)
const newDatabase = (empty = true) => databaseFor(t, empty)

const ask =
  (url: string) =>
  (tool: string, args: unknown, agent = 'ada') =>
    post(url, tool, args, { key: API_KEY, agent })

t.test('numbers that were given out do not come again', async t => {
  const file = join(folder, 'numbers')
  const from = await newDatabase(false)
  const first = await runProgram(t, ['serve'], from.env)
  const { session_id } = await ask(first.url)('create_session', { purpose: 'numbers' })
  const lease = async (url: string) => {
    const { leases } = await ask(url)('acquire_lease', { names: ['deploy'], ttl_seconds: 3600 })
    const { name, token } = leases[0]
    await ask(url)('release_lease', { leases: [{ name, token }] })
    return token as number
  }
  for (let n = 0; n < 3; n++) await lease(first.url)
  const token = await lease(first.url)
  for (let n = 0; n < 5; n++) await ask(first.url)('set_memory', { key: 'gone', value: n })
  const { version } = await ask(first.url)('set_memory', { key: 'kept', value: 1 })
  await ask(first.url)('add_message', { session_id, content: 'stays' })
  const { session_id: closed } = await ask(first.url)('create_session', { purpose: 'to be deleted' })
  const { message_id } = await ask(first.url)('add_message', { session_id: closed, content: 'the last one' })
  await sql(from.url, `delete from messages where id = ${message_id}`)
  t.equal(await first.stop(), 0)

  t.match(await runToEnd(['backup', 'create', file], from.env), { code: 0 })
  const { env } = await newDatabase()
  t.match(await runToEnd(['backup', 'restore', file], env), { code: 0 })
  const second = await runProgram(t, ['serve'], env)
  t.ok((await lease(second.url)) > token, 'the token of a lease')
  const again = await ask(second.url)('set_memory', { key: 'kept', value: 2, if_version: version })
  t.ok(again.version > version, 'the version of a value')
  const next = await ask(second.url)('add_message', { session_id, content: 'goes on' })
  t.ok(next.message_id > message_id, 'the id of a message, even if that message was deleted')
  t.equal(await second.stop(), 0)
})

t.test('a workspace that only the database has is a difference', async t => {
  const file = join(folder, 'workspaces')
  const { url, env } = await newDatabase(false)
  t.match(await runToEnd(['backup', 'create', file], env), { code: 0 })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0 })
  await sql(url, "insert into retention (workspace, days) values ('north', 5)")
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), {
    code: 1,
    stderr: /the workspace north: only in the database/
  })
})

t.test('what was changed outside the rows is found too', async t => {
  const file = join(folder, 'outside')
  const { url, env } = await newDatabase(false)
  await sql(url, "insert into retention (workspace, days) values ('north', 5), ('south', 6)")
  t.match(await runToEnd(['backup', 'create', file], env), { code: 0 })
  const text = gunzipSync(await readFile(file)).toString()
  for (const [from, to] of [
    [/\["part","north"\]/, '["part","nowhere"]'],
    [/"migration":"[^"]*"/, '"migration":"0001-initial"'],
    [/"lease_tokens":"\d+"/, '"lease_tokens":"0"'],
    // A whole part, and its number.
    [/\["part","south"\][^]*?\n\["end".*\n/, '']
  ] as const) {
    t.match(text, from)
    const changed = join(folder, 'changed')
    await writeFile(
      changed,
      gzipSync(text.replace(from, to).replace('"parts":3', to === '' ? '"parts":2' : '"parts":3'))
    )
    t.match(await runToEnd(['backup', 'verify', changed], {}), { code: 1, stderr: /changed or damaged/ }, `${to}`)
  }
})

t.test('large values among small ones take little memory', async t => {
  const file = join(folder, 'large')
  const { url, env } = await newDatabase(false)
  await sql(
    url,
    `insert into agent_memory (workspace, agent_id, session_id, key, value, value_size)
     select 'default', 'ada', '', to_char(n, 'FM0000'),
       to_jsonb(case when n <= 1000 then 'small' else repeat('x', 4000000) end), 10
     from generate_series(1, 1060) n`
  )
  const made = await runToEnd(['backup', 'create', file], { ...env, NODE_OPTIONS: '--max-old-space-size=96' })
  t.match(made, { code: 0 }, made.stderr.slice(0, 300))
  t.match(await runToEnd(['backup', 'verify', file], {}), { code: 0, stdout: /: 106\d rows/ })
})

t.test('nobody reads on: that is a failure, and the file that is not finished goes', async t => {
  const { url, env } = await newDatabase(false)
  // Random, or it would fit into the pipe.
  await sql(
    url,
    `insert into agent_memory (workspace, agent_id, session_id, key, value, value_size)
     select 'default', 'ada', '', n::text, to_jsonb(string_agg(md5(random()::text || n || m), '')), 10
     from generate_series(1, 30) n, generate_series(1, 2000) m group by n`
  )
  const start = (to: string) =>
    spawn(process.execPath, [compiled(), 'backup', 'create', to], {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
  const piped = start('-')
  let said = ''
  piped.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  piped.stdout.once('data', () => piped.stdout.destroy())
  const [code] = (await once(piped, 'close')) as [number]
  t.equal(code, 1)
  t.match(said, /not complete/)

  const file = join(folder, 'stopped')
  const stopped = start(file)
  const unfinished = async () => (await readdir(folder)).filter(name => name.endsWith('.unfinished'))
  while (stopped.exitCode === null && (await unfinished()).length === 0) await new Promise(r => setTimeout(r, 5))
  stopped.kill('SIGTERM')
  await once(stopped, 'close')
  t.same(await unfinished(), [])
})

t.test('a backup of an older version is brought up to date, and can be compared only before', async t => {
  const older = await newDatabase()
  const { db, close } = connectAsOwner({
    url: older.url,
    max: 1,
    connect_timeout_ms: 10_000,
    statement_timeout_ms: 0,
    application_name: 'tests',
    onIdleError: () => {}
  })
  const file = join(folder, 'older')
  try {
    t.equal(await upTo(db, '0092-tasks'), true)
    await sql(
      older.url,
      `insert into sessions (workspace, id, purpose, created_by)
       values ('default', 'session_0123456789abcdef', 'The old aardvark', 'ada')`
    )
    await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(tx => writeLines(createWriteStream(file), backupLines(tx)))
  } finally {
    await close()
  }
  const { env } = await newDatabase()
  t.match(await runToEnd(['backup', 'restore', file], env), { code: 0 })
  const status = await runToEnd(['migrate', 'status'], env)
  t.match(status.stdout, /^applied/m)
  t.notMatch(status.stdout, /^missing/m)
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 1, stderr: /cannot be compared/ })
  const running = await runProgram(t, ['serve'], env)
  const { sessions } = await ask(running.url)('list_sessions', {})
  t.match(sessions, [{ purpose: 'The old aardvark' }])
  t.equal(await running.stop(), 0)
})

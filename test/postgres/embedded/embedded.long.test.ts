import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { test } from 'tap'
import { EmbeddedError, openEmbedded, serverAccount } from '../../../src/postgres/embedded/index.js'
import { alive, ended, folder, kill, open, postmasterPid, program, query, quick, until } from './helper.js'

t.jobs = 2

test('the first start makes a database, a restart finds it on the same port', async t => {
  const dataDir = join(await folder(t), 'a deep & "odd" folder', 'x'.repeat(120))
  const first = await open(t, dataDir)
  t.equal(first.adopted, false)
  t.same(first.notices, [])
  t.equal(first.dataDir, dataDir)
  await query(first.url, 'create extension pg_trgm; create table kept (n int); insert into kept values (1)')
  const [row] = await query(
    first.url,
    `select cardinality(show_trgm('привет')) > 0 as letters, current_setting('jit') as jit,
    current_setting('timezone') as timezone, current_setting('server_encoding') as encoding`
  )
  t.same(row, { letters: true, jit: 'off', timezone: 'UTC', encoding: 'UTF8' })

  const file = join(dataDir, 'postgres.json')
  const connection = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  t.match(connection, {
    url: first.url,
    pid: await postmasterPid(dataDir),
    database: 'shared_context',
    port: Number(new URL(first.url).port)
  })
  const { password } = new URL(first.url)
  if (process.platform !== 'win32') {
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.equal((await stat(join(dataDir, 'postgres'))).mode & 0o077, 0)
    const processes = execFileSync('ps', ['axeww', '-o', 'pgid=,pid=,args='], { encoding: 'utf8', maxBuffer: 1e8 })
    t.notOk(processes.includes(password), 'no password in the arguments or environment of a process')
    const line = processes
      .split('\n')
      .map(each => each.trim().split(/\s+/))
      .find(each => Number(each[1]) === connection.pid)
    t.equal(line?.[0], String(connection.pid), 'Ctrl-C in our terminal does not reach PostgreSQL')
  }
  const started = connection.pid as number
  await Promise.all([first.close(), first.close()])
  await first.close()
  t.notOk(await alive(started))
  t.notOk((await readFile(join(dataDir, 'postgres.log'), 'utf8')).includes(password))
  t.same((await readdir(dataDir)).sort(), ['postgres', 'postgres.json', 'postgres.log'])

  const second = await open(t, dataDir)
  t.equal(second.url, first.url)
  t.same(await query(second.url, 'select n from kept'), [{ n: 1 }])
})

test('a second server is refused and told who is there; commands join', async t => {
  const dataDir = join(await folder(t), 'data')
  const server = await program(t, dataDir, 'serve')
  await t.rejects(openEmbedded({ dataDir, mode: 'serve', settings: quick }), {
    name: 'InUseError',
    message: new RegExp(`process ${server.pid}, since`)
  })

  const pid = await postmasterPid(dataDir)
  const command = await open(t, dataDir, 'join')
  t.equal(command.url, server.url)
  t.equal(command.adopted, true)
  t.same(await query(command.url, 'select 1 as n'), [{ n: 1 }])
  await command.close()
  t.equal(await postmasterPid(dataDir), pid, 'it leaves the database running')
  await ended(server.child, 'SIGTERM')
  t.equal(await postmasterPid(dataDir), undefined, 'the server does not')
})

test('commands start the database by themselves; the last one stops it', async t => {
  const dataDir = join(await folder(t), 'data')
  const [one, two] = await Promise.all([open(t, dataDir, 'join'), program(t, dataDir, 'join')])
  t.equal(one.url, two.url)
  t.equal(Number(one.adopted) + Number(two.adopted), 1, 'one of them started it')
  await one.close()
  t.same(await query(two.url as string, 'select 1 as n'), [{ n: 1 }])
  await ended(two.child, 'SIGTERM')
  t.equal(await postmasterPid(dataDir), undefined)
})

test('a server takes over from a command, which then leaves it alone', async t => {
  const dataDir = join(await folder(t), 'data')
  const command = await open(t, dataDir, 'join')
  const server = await open(t, dataDir, 'serve')
  t.equal(server.adopted, true)
  await command.close()
  t.same(await query(server.url, 'select 1 as n'), [{ n: 1 }])
  const late = await open(t, dataDir, 'join')
  await server.close()
  t.same(await query(late.url, 'select 1 as n'), [{ n: 1 }], 'and a command keeps it for as long as it needs')
  await late.close()
  t.equal(await postmasterPid(dataDir), undefined)
})

test('a killed server leaves an orphan, which the next one adopts; with it killed too, nothing is lost', async t => {
  const dataDir = join(await folder(t), 'data')
  const first = await program(t, dataDir, 'serve')
  const orphan = await postmasterPid(dataDir)
  await query(first.url as string, 'create table kept (n int); insert into kept values (1)')
  await ended(first.child, 'SIGKILL')

  const second = await program(t, dataDir, 'serve')
  t.match(second, { adopted: true, url: first.url })
  t.equal(await postmasterPid(dataDir), orphan)
  await query(second.url as string, 'insert into kept values (2)')
  await Promise.all([ended(second.child, 'SIGKILL'), kill(orphan as number)])

  const third = await open(t, dataDir)
  t.match(third, { adopted: false, url: first.url })
  t.same(await query(third.url, 'select n from kept order by n'), [{ n: 1 }, { n: 2 }])
})

test('of several that start at once on an empty folder, one server wins and every command is served', async t => {
  const dataDir = join(await folder(t), 'data')
  const all = await Promise.all([
    program(t, dataDir, 'serve'),
    program(t, dataDir, 'serve'),
    program(t, dataDir, 'join'),
    open(t, dataDir, 'join')
  ])
  const refused = all.filter(each => 'refused' in each)
  t.equal(refused.length, 1)
  t.match(refused[0], { refused: true, message: /already uses the database/ })
  const urls = new Set(all.flatMap(each => each.url ?? []))
  t.equal(urls.size, 1)
  t.same(await query([...urls][0] as string, 'select 1 as n'), [{ n: 1 }])
  t.same(
    (await readdir(dataDir)).filter(name => name.includes('.new-')),
    []
  )
})

test('a database that dies under a server comes back where it was', async t => {
  const dataDir = join(await folder(t), 'data')
  const lines: string[] = []
  const server = await open(t, dataDir, 'serve', { log: line => lines.push(line) })
  const command = await open(t, dataDir, 'join')
  const pid = await postmasterPid(dataDir)
  await query(server.url, 'create table kept as select 1 as n')
  await kill(pid as number)
  const works = async () =>
    await query(server.url, 'select n from kept').then(
      rows => rows.length === 1,
      () => false
    )
  await until(works)
  await until(async () => lines.some(line => line.includes('is back')))
  t.not(await postmasterPid(dataDir), pid)
  t.equal(
    (JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8')) as { pid: number }).pid,
    await postmasterPid(dataDir)
  )

  // Only its session is ended, as when PostgreSQL restarts its sessions after a crash of one.
  const back = lines.length
  await query(
    server.url,
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '% serve %'"
  )
  await until(async () => lines.slice(back).some(line => line.includes('still running')))
  await t.rejects(
    openEmbedded({ dataDir, mode: 'serve', settings: quick }),
    { message: new RegExp(`process ${process.pid}`) },
    'the lock is held again'
  )
  t.notOk(lines.join().includes(new URL(server.url).password))
  await Promise.all([command.close(), server.close()])
  t.equal(await postmasterPid(dataDir), undefined)
})

test('closing while the database is down leaves nothing behind', async t => {
  const dataDir = join(await folder(t), 'data')
  const server = await open(t, dataDir)
  await kill((await postmasterPid(dataDir)) as number)
  await server.close()
  t.equal(await postmasterPid(dataDir), undefined)
})

test('a stranger with the number of the last postmaster does not keep us out', async t => {
  const dataDir = join(await folder(t), 'data')
  const first = await program(t, dataDir, 'serve')
  await Promise.all([ended(first.child, 'SIGKILL'), kill((await postmasterPid(dataDir)) as number)])
  const account = await serverAccount(join(dataDir, 'postgres'))
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore', ...(account && { uid: account.uid, gid: account.gid }) })
  t.teardown(() => {
    stranger.kill()
  })
  const lockFile = join(dataDir, 'postgres/postmaster.pid')
  const lines = (await readFile(lockFile, 'utf8')).split('\n')
  await writeFile(lockFile, [stranger.pid, ...lines.slice(1)].join('\n'))
  const server = await open(t, dataDir)
  t.same(await query(server.url, 'select 1 as n'), [{ n: 1 }])
  t.ok(await alive(stranger.pid as number))
})

test('a first start that was killed half-way is forgotten', async t => {
  const dataDir = join(await folder(t), 'data')
  const draft = join(dataDir, 'postgres.new-2147483646-00000000')
  await mkdir(join(draft, 'data'), { recursive: true, mode: 0o711 })
  await writeFile(join(draft, 'data/PG_VERSION'), '18\n')
  await chmod(dataDir, 0o711)
  await utimes(draft, 1, 1)
  const server = await open(t, dataDir)
  t.same(await query(server.url, 'select 1 as n'), [{ n: 1 }])
  t.same((await readdir(dataDir)).sort(), ['postgres', 'postgres.json', 'postgres.log'])
})

test('a database of another major version is refused', async t => {
  const dataDir = join(await folder(t), 'data')
  await mkdir(join(dataDir, 'postgres'), { recursive: true })
  await chmod(dataDir, 0o711)
  await writeFile(join(dataDir, 'postgres/PG_VERSION'), '9.6\n')
  const refusal = await openEmbedded({ dataDir, mode: 'serve', settings: quick }).catch((error: unknown) => error)
  t.type(refusal, EmbeddedError)
  t.match(refusal, { message: /written by PostgreSQL 9\.6.*cannot read it/ })
  for (const [bytes, what] of [
    ['', 'empty'],
    ['\u0000\u0001\ufffd', 'damaged']
  ] as const) {
    await writeFile(join(dataDir, 'postgres/PG_VERSION'), bytes)
    const message = new RegExp(`PG_VERSION is ${what}, so the database may be too\\. Restore the folder`)
    await t.rejects(openEmbedded({ dataDir, mode: 'serve', settings: quick }), { message })
  }
})

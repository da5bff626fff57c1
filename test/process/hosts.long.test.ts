import t from 'tap'
import { environment, runProgram, runToEnd } from '../helper.js'
import { administer } from '../support/database.js'
import { ownServer } from '../support/own-server.js'
import { quietPort } from '../support/ports.js'
import { post, until } from '../support/rest.js'

/** A URL with several hosts, of which one takes writes. */

/** The address of a database on these servers, in this order. */
function list(urls: string[], parameters: Record<string, string>): string {
  const { username, password, pathname } = new URL(urls[0] as string)
  const hosts = urls.map(url => new URL(url).host).join(',')
  const query = new URLSearchParams({ sslmode: 'disable', ...parameters }).toString()
  return `postgres://${username}:${password}@${hosts}${pathname}?${query}`
}

const at = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).href

t.test('starts past a dead host and a standby, and follows a failover', async t => {
  const primary = await ownServer(t)
  await primary.stop()
  const standby = await primary.standby(t)
  await primary.start()
  await standby.start()
  for (const args of [['serve'], ['migrate', 'up']])
    t.same(
      await runToEnd(args, environment(standby.url)),
      {
        code: 1,
        stdout: '',
        stderr:
          'The database server is read-only: it is a standby, or a former primary. ' +
          'Point DATABASE_URL (or MIGRATION_DATABASE_URL) at the primary.\n'
      },
      'the standby alone is refused'
    )
  const dead = at(primary.url, await quietPort())
  const url = list([dead, standby.url, primary.url], { target_session_attrs: 'read-write' })
  const program = await runProgram(t, ['serve'], environment(url, { LOG_LEVEL: 'warn' }))
  const { session_id } = await post(program.url, 'create_session', { purpose: 'several hosts' })
  let acknowledged = 0
  for (; acknowledged < 10; acknowledged++)
    t.match(await post(program.url, 'add_message', { session_id, content: `before ${acknowledged}` }), { status: 200 })
  const [{ in_recovery, lsn }] = await administer(
    primary.url,
    'select pg_is_in_recovery() as in_recovery, pg_current_wal_flush_lsn() as lsn'
  )
  t.equal(in_recovery, false)
  const [{ count }] = await administer(primary.url, 'select count(*)::int as count from messages')
  t.equal(count, 10, 'written at the primary')
  await until('the standby has everything', async () => {
    const [{ has }] = await administer(standby.url, `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as has`)
    return has === true
  })

  await primary.stop('immediate')
  const statuses = new Set<number>()
  const write = async () => {
    const { status } = await post(program.url, 'add_message', { session_id, content: 'after' })
    statuses.add(status)
    if (status === 200) acknowledged++
    return status
  }
  t.equal(await write(), 503, 'meanwhile nothing is written')
  t.equal((await post(program.url, 'get_messages', { session_id })).status, 503, 'nor read from a standby')
  await standby.promote()
  await until('writes go to the new primary', async () => (await write()) === 200, 30_000)
  for (let i = 0; i < 10; i++) t.equal(await write(), 200)
  t.same([...statuses].sort(), [200, 503])
  const [after] = await administer(standby.url, 'select count(*)::int as count from messages')
  t.equal(after.count, acknowledged, 'all that was acknowledged is there')
  await until('ready', async () => (await fetch(`${program.url}/health/ready`)).status === 200)
  await until('hints arrive from there', async () =>
    /^event_hints_mode\{mode="listen"\} 1$/m.test(await (await fetch(`${program.url}/metrics`)).text())
  )
  t.equal(await program.stop(), 0)
})

t.test('where no host takes writes, the start says of each why', async t => {
  const primary = await ownServer(t)
  await (await runProgram(t, ['serve'], environment(primary.url))).stop()
  await administer(primary.url, 'alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
  const dead = at(primary.url, await quietPort())
  const program = await runProgram(t, ['serve'], environment(list([dead, primary.url], {})), { ready: /Waiting up to/ })
  const [line = ''] = program.output().split('\n')
  t.match(
    line,
    /^No server of DATABASE_URL can be used \(127\.0\.0\.1:\d+: .*ECONNREFUSED.*; 127\.0\.0\.1:\d+: .*read-only/
  )
  t.notMatch(program.output(), new RegExp(new URL(primary.url).password), 'and not the password')
  await administer(primary.url, 'alter system reset default_transaction_read_only', 'select pg_reload_conf()')
  await until('ready', () => /ready at/.test(program.output()))
  t.equal(await program.stop(), 0)
})

t.test('a socket, in each form of the URL', async t => {
  let dir = ''
  const server = await ownServer(t, {
    prepare: async clusterDir => {
      dir = clusterDir
      return { unix_socket_directories: clusterDir }
    }
  })
  const { username, password, port } = new URL(server.url)
  const status = (url: string) => runToEnd(['migrate', 'status'], { DATABASE_URL: url })
  for (const url of [
    `postgres://${username}:${password}@/postgres?host=${dir}&port=${port}`,
    `postgres://${username}:${password}@${encodeURIComponent(dir)}:${port}/postgres`,
    `postgres:///postgres?host=${dir}&port=${port}&user=${username}&password=${password}&sslmode=require`
  ])
    t.match(await status(url), { code: 0 }, url.replace(password, '…'))
  const { stderr } = await runToEnd(['migrate', 'status'], {
    DATABASE_URL: `postgres://${username}:wrong@/postgres?host=${dir}&port=${port}`
  })
  t.equal(stderr, 'The database refuses the user or the password of DATABASE_URL.\n')
  const program = await runProgram(
    t,
    ['serve'],
    environment(`postgres://${username}:${password}@/postgres?host=${dir}&port=${Number(port) + 1}`),
    { ready: /Waiting up to/ }
  )
  t.match(program.output(), `There is no socket ${dir}/.s.PGSQL.${Number(port) + 1}. Check that PostgreSQL runs`)
  await program.stop('SIGKILL')
})

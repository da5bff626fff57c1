import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { administer } from '../support/database.js'
import { ownServer } from '../support/own-server.js'
import { openProxy } from '../support/proxy.js'
import { post, until } from '../support/rest.js'

t.test('a primary hands over to its standby and lives on read-only', async t => {
  const primary = await ownServer(t)
  await primary.stop()
  const standby = await primary.standby(t)
  await primary.start()
  await standby.start()
  const proxy = await openProxy(t, primary.url)
  const program = await runProgram(t, ['serve'], environment(proxy.url))
  const ready = async () => (await fetch(`${program.url}/health/ready`)).status
  const { session_id } = await post(program.url, 'create_session', { purpose: 'failover' })
  let acknowledged = 0
  for (; acknowledged < 20; acknowledged++) await post(program.url, 'add_message', { session_id, content: 'before' })
  const [{ lsn }] = await administer(primary.url, 'select pg_current_wal_flush_lsn() as lsn')
  await until(
    'the standby has everything',
    async () =>
      (await administer(standby.url, `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as has`))[0].has === true
  )

  // Clients write, read and wait while it happens.
  interface Called {
    began: number
    at: number
    client: number
    tool: string
    status: number
    code?: string
    total_count?: number
  }
  const answers: Called[] = []
  let over = false
  const started = Date.now()
  async function callAgainAndAgain(client: number, tool: string, args: object): Promise<void> {
    while (!over) {
      const began = Date.now() - started
      const { status, code, total_count } = await post(program.url, tool, args)
      answers.push({ began, at: Date.now() - started, client, tool, status, code, total_count })
      if (status === 200 && tool === 'add_message') acknowledged++
      await new Promise(resolve => setTimeout(resolve, 40))
    }
  }
  const clients = [1, 2, 3, 4].flatMap(n => [
    callAgainAndAgain(n, 'add_message', { session_id, content: `writer ${n}` }),
    callAgainAndAgain(n, 'get_messages', { session_id, limit: 1 })
  ])
  await new Promise(resolve => setTimeout(resolve, 500))
  await administer(primary.url, 'alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
  // What the primary has acknowledged until then reaches the standby before it is promoted, as a careful operator would
  // see to.
  await until('not ready while the only server is read-only', async () => (await ready()) === 503)
  t.match(await (await fetch(`${program.url}/health/ready`)).json(), { reason: 'database read-only' })
  const [{ end }] = await administer(primary.url, 'select pg_current_wal_flush_lsn() as end')
  await until(
    'the standby has everything again',
    async () =>
      (await administer(standby.url, `select pg_last_wal_replay_lsn() >= '${end}'::pg_lsn as has`))[0].has === true
  )
  const demoted_at = Date.now() - started
  await standby.promote()
  proxy.target = standby.url
  await until('ready on the new primary', async () => (await ready()) === 200)
  const ready_at = Date.now() - started
  await new Promise(resolve => setTimeout(resolve, 3000))
  over = true
  await Promise.all(clients)

  const count = (holds: (answer: (typeof answers)[number]) => boolean) => answers.filter(holds).length
  t.same(
    answers.filter(({ status }) => status !== 200 && status !== 503),
    [],
    'nothing but answers and 503'
  )
  t.same(
    answers.filter(
      ({ status, code }) => status === 503 && code !== 'DATABASE_UNAVAILABLE' && code !== 'SERVICE_UNAVAILABLE'
    ),
    []
  )
  t.ok(
    count(({ tool, status, at }) => tool === 'add_message' && status === 200 && at > ready_at) > 20,
    'writes succeed on the new primary'
  )
  t.equal(
    count(({ status, began }) => status !== 200 && began > ready_at + 1000),
    0,
    'once it is ready, everything succeeds'
  )
  const first = answers.find(({ tool, status, at }) => tool === 'add_message' && status === 200 && at > demoted_at)
  t.ok(first !== undefined && first.at - demoted_at < 30_000, 'within 30 s')
  t.comment(
    `the first write on the new primary ${(first?.at ?? NaN) - demoted_at} ms after it was ` +
      `promoted; ${count(({ status }) => status === 503)} of ${answers.length} calls were ` +
      'answered with 503'
  )
  const { total_count } = await post(program.url, 'get_messages', { session_id, limit: 1 })
  t.equal(total_count, acknowledged, 'nothing acknowledged is lost')
  for (const n of [1, 2, 3, 4]) {
    const totals = answers
      .filter(({ client, tool, status }) => client === n && tool === 'get_messages' && status === 200)
      .map(({ total_count }) => total_count as number)
    t.ok((totals.at(-1) as number) <= total_count, 'nothing is counted that is not there at the end')
    t.same(
      totals.filter((total, i) => i > 0 && total < (totals[i - 1] as number)),
      [],
      `reader ${n} never goes back to an old state`
    )
  }
  t.equal(await program.stop(), 0)
})

t.test('a server that starts on a standby says so, and is not ready', async t => {
  const primary = await ownServer(t)
  const first = await runProgram(t, ['serve'], environment(primary.url))
  await first.stop()
  await administer(primary.url, 'alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
  const program = await runProgram(t, ['serve'], environment(primary.url, { MIGRATE_ON_START: 'false', PORT: '0' }), {
    ready: /not ready yet: database read-only/
  })
  t.notMatch(program.output(), /is ready at/)
  await administer(primary.url, 'alter system reset default_transaction_read_only', 'select pg_reload_conf()')
  await until('ready', () => /is ready at/.test(program.output()))
  t.equal(await program.stop(), 0)
})

import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer } from '../support/database.js'
import { post, until } from '../support/rest.js'

t.test('connections that have reached their age are replaced, and no call fails for it', async t => {
  const { url, name, drop } = await createDatabase()
  t.teardown(drop)
  const program = await runProgram(
    t,
    ['serve'],
    environment(url, {
      DATABASE_CONNECTION_MAX_AGE_MS: '800',
      DATABASE_POOL_MAX: '4',
      RATE_LIMIT_AGENT_PER_MINUTE: '0'
    })
  )
  const { session_id } = await post(program.url, 'create_session', { purpose: 'age' })
  const connections = async (): Promise<number[]> => {
    const rows = await administer(
      url,
      `select pid from pg_stat_activity where datname = '${name}' and application_name like 'shared-context-server%'`
    )
    return rows.map(({ pid }) => pid as number)
  }
  const first = new Set(await connections())
  t.ok(first.size > 1)
  const seen = new Set(first)
  const statuses = new Map<number, number>()
  let over = false
  const callers = Array.from({ length: 6 }, async (_, n) => {
    while (!over) {
      const { status } =
        n % 2 === 0
          ? await post(program.url, 'add_message', { session_id, content: 'x' })
          : await post(program.url, 'get_messages', { session_id, limit: 5 })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  // The one for hints is replaced at its next heartbeat.
  await until('every connection of the beginning is gone', async () => {
    const now = await connections()
    for (const pid of now) seen.add(pid)
    return now.every(pid => !first.has(pid))
  })
  for (let i = 0; i < 10; i++) {
    for (const pid of await connections()) seen.add(pid)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  over = true
  await Promise.all(callers)
  t.comment(`${seen.size} connections, ${JSON.stringify(Object.fromEntries(statuses))}`)
  t.same([...statuses.keys()], [200], 'no call has failed')
  t.ok(seen.size > 2 * first.size, 'and those that came have gone too')
  t.equal(await program.stop(), 0)
})

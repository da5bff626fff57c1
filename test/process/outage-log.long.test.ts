import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { ownServer } from '../support/own-server.js'
import { post, until } from '../support/rest.js'

const PRIVATE = 'zebra-crossing-7731'

t.test('an outage of ten seconds is a few lines of the log, and no secret is in them', async t => {
  const server = await ownServer(t)
  const program = await runProgram(
    t,
    ['serve'],
    environment(server.url, { LOG_LEVEL: 'info', LOG_FORMAT: 'json', RATE_LIMIT_AGENT_PER_MINUTE: '0' })
  )
  const { session_id } = await post(program.url, 'create_session', { purpose: PRIVATE })
  const { token } = await post(program.url, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  const bearer = { headers: { authorization: `Bearer ${token}` } }
  await post(program.url, 'add_message', { session_id, content: PRIVATE })
  const waiting = post(program.url, 'wait_for_messages', { session_id, timeout_seconds: 25 }, bearer)
  const before = program.output().length

  await server.stop('immediate')
  const statuses = new Map<number, number>()
  const end = performance.now() + 10_000
  const callers = Array.from({ length: 4 }, async (_, n) => {
    while (performance.now() < end) {
      const { status } = await [
        () => post(program.url, 'add_message', { session_id, content: PRIVATE, idempotency_key: PRIVATE }),
        () => post(program.url, 'set_memory', { key: PRIVATE, value: PRIVATE }),
        () => post(program.url, 'search_context', { query: PRIVATE }, bearer),
        () => post(program.url, 'get_messages', { session_id }, bearer)
      ][n]!()
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })
  await Promise.all(callers)
  await server.start()
  await until('ready', async () => (await fetch(`${program.url}/health/ready`)).status === 200)
  await post(program.url, 'add_message', { session_id, content: 'after' })
  await waiting
  t.same([...statuses.keys()], [503])

  const output = program.output().slice(before)
  const lines = output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { level: number; msg: string; err?: { reason?: string; code?: string } })
  const warnings = lines.filter(({ level }) => level >= 40)
  const counts = new Map<string, number>()
  for (const { msg } of warnings) counts.set(msg, (counts.get(msg) ?? 0) + 1)
  t.comment(`${statuses.get(503)} calls refused; ${JSON.stringify(Object.fromEntries(counts))}`)
  t.ok((statuses.get(503) ?? 0) > 40, 'many calls were refused')
  t.ok(counts.size > 2, 'the log says what did not happen')
  for (const [words, times] of counts) t.ok(times <= 1, `${words}: ${times}`)
  t.ok(
    warnings.some(({ err }) =>
      /terminating connection|Connection terminated|ECONNREFUSED|starting up/.test(err?.reason ?? '')
    ),
    'in the words of PostgreSQL or of the system'
  )
  const password = decodeURIComponent(new URL(server.url).password)
  for (const [what, secret] of Object.entries({ password, token: token as string, content: PRIVATE }))
    t.notOk(program.output().includes(secret), `no ${what}`)
  t.equal(await program.stop(), 0)
})

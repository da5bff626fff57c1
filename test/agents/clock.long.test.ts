import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DatabaseClock } from '../../src/agents/clock.js'
import { ADMIN_API_KEY, environment, listen, runProgram, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { startIssuer, AUDIENCE } from '../support/issuer.js'
import { post, until } from '../support/rest.js'

/** Tokens and keys end by the database's clock, on every replica, whatever its own clock says. */

t.setTimeout(300_000)

const LIBRARY = readdirSync('/usr/lib', { withFileTypes: true })
  .map(({ name }) => join('/usr/lib', name, 'faketime', 'libfaketimeMT.so.1'))
  .find(existsSync)
const skip = LIBRARY === undefined ? 'libfaketime is not installed: this did not run' : false
const HOURS_2 = 7200

t.test('replicas whose clocks are wrong', { skip }, async t => {
  const database = await createDatabase()
  t.teardown(() => database.drop())
  const issuer = await startIssuer(t)
  const start = (FAKETIME: string) =>
    runProgram(
      t,
      ['serve'],
      environment(database.url, {
        LOG_LEVEL: 'info',
        OIDC_ISSUER: issuer.url,
        OIDC_AUDIENCE: AUDIENCE,
        ...(FAKETIME !== '' && { LD_PRELOAD: LIBRARY as string, FAKETIME })
      })
    )
  const right = await start('')
  for (const [what, faketime, offset] of [
    ['two hours ahead', '+2h', HOURS_2],
    ['two hours behind', '-2h', -HOURS_2]
  ] as const) {
    const wrong = await start(faketime)
    for (const [made, used] of [
      [right, wrong],
      [wrong, right],
      [wrong, wrong]
    ] as const) {
      const place = (one: unknown) => (one === wrong ? 'there' : 'elsewhere')
      const where = `${what}, made ${place(made)}, used ${place(used)}`
      const lists = async (headers: Record<string, string>) =>
        (await post(used.url, 'list_sessions', {}, { key: '', agent: '', headers })).status as number
      // The test shares its clock with the database.
      const endsInTime = async (kind: string, expires_at: string, headers: Record<string, string>) => {
        const first = await lists(headers)
        // On a busy machine it may have ended by then.
        if (Date.now() < Date.parse(expires_at)) t.equal(first, 200, `${kind}: good at first (${where})`)
        await until(`${kind} has ended`, async () => (await lists(headers)) === 401, 60_000)
        t.ok(Date.now() > Date.parse(expires_at) - 1000, `${kind}: good to its end (${where})`)
      }
      const args = { agent_id: 'a', agent_type: 'x' }
      const day = await post(made.url, 'authenticate_agent', args)
      t.ok(Math.abs(Date.parse(day.expires_at) - Date.now() - 86_400_000) < 60_000, `a token of a day (${where})`)
      t.equal(await lists({ authorization: `Bearer ${day.token}` }), 200)
      const token = await post(made.url, 'authenticate_agent', { ...args, expires_in: 4 })
      const narrow = await post(
        made.url,
        'create_token',
        { expires_in: 4 },
        { headers: { authorization: `Bearer ${day.token}` } }
      )
      const key = await post(made.url, 'create_api_key', { ...args, expires_in: 4 }, { key: ADMIN_API_KEY })
      const outside = { expires_at: new Date(Date.now() + 4000).toISOString(), token: '' }
      outside.token = issuer.token({ exp: Math.floor(Date.parse(outside.expires_at) / 1000) })
      await Promise.all([
        endsInTime('a token', token.expires_at, { authorization: `Bearer ${token.token}` }),
        endsInTime('a narrowed token', narrow.expires_at, { authorization: `Bearer ${narrow.token}` }),
        endsInTime('a key', key.expires_at, { 'x-api-key': key.api_key, 'x-agent-id': 'a' }),
        endsInTime('an outside token', outside.expires_at, { authorization: `Bearer ${outside.token}` })
      ])
    }
    const metrics = await (await fetch(`${wrong.url}/metrics`)).text()
    const gauge = Number(/^clock_offset_seconds (\S+)$/m.exec(metrics)?.[1])
    t.ok(Math.abs(gauge - offset) < 10, `${what}: the metric says ${gauge}`)
    t.equal(wrong.output().match(/the clock of this replica differs/g)?.length, 1, `${what}: and the log, once`)
    await wrong.stop()
  }
  t.notMatch(right.output(), /the clock of this replica/, 'a right clock is not worth a line')
})

t.test('the metric of a replica whose clock is right', async t => {
  const app = await startApp(t)
  await listen(app)
  const gauge = Number(/^clock_offset_seconds (\S+)$/m.exec((await app.server.inject('/metrics')).body)?.[1])
  t.ok(Math.abs(gauge) < 30, String(gauge))
})

t.test('what is said of a clock that is wrong, and right again', async t => {
  const said: Array<[boolean, number]> = []
  const clock = new DatabaseClock((isOff, offset) => {
    said.push([isOff, offset])
  })
  const read = (seconds: number, took_ms = 0) => {
    const now = performance.now()
    clock.set(Date.now() + seconds * 1000, now - took_ms, now)
  }
  t.ok(Math.abs(clock.now() - Date.now()) < 1000, 'before it is read it is the own one')
  for (const seconds of [0, 29, 31, 60, 28, 31, 20, 0, -31, -10]) read(seconds)
  t.same(said, [
    [true, -31],
    [false, -20],
    [true, 31],
    [false, 10]
  ])
  read(500, 5000)
  t.ok(Math.abs(clock.offset_seconds - 10) < 1, 'a reading that took long is not believed')
})

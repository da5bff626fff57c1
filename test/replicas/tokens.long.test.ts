import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { ownServer } from '../support/own-server.js'
import { post, until } from '../support/rest.js'

/**
 * Tokens on three replicas: a refresh happens once, and a revocation is known to each in time, also while all are busy
 * and after the database was away.
 */

/** The contract's 2 s, and what a busy machine adds. */
const KNOWN_MS = 6000

const server = await ownServer(t)
const first = await runProgram(t, ['serve'], environment(server.url))
const replicas = [
  first,
  ...(await Promise.all([1, 2].map(() => runProgram(t, ['serve'], environment(server.url)))))
].map(({ url }) => url)
const at = (n: number) => replicas[n % replicas.length] as string
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const issue = async (agent_id: string) =>
  (await post(at(0), 'authenticate_agent', { agent_id, agent_type: 't' })).token as string
const everywhere = (token: string) =>
  Promise.all(replicas.map(url => post(url, 'list_sessions', { limit: 1 }, bearer(token))))
const refusedEverywhere = (token: string) =>
  until(
    'refused on every replica',
    async () => (await everywhere(token)).every(({ code }) => code === 'TOKEN_REVOKED'),
    KNOWN_MS
  )

t.test('of refreshes that race on several replicas one wins, and a replay is refused on each', async t => {
  for (let round = 0; round < 10; round++) {
    const token = await issue(`racer-${round}`)
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) => post(at(n), 'refresh_token', {}, bearer(token)))
    )
    const won = answers.filter(({ success }) => success === true)
    t.equal(won.length, 1)
    t.same(
      answers.filter(({ success }) => success !== true).map(({ code }) => code),
      Array.from({ length: 8 }, () => 'TOKEN_REVOKED')
    )
    for (const url of replicas) t.equal((await post(url, 'refresh_token', {}, bearer(token))).code, 'TOKEN_REVOKED')
    t.ok(
      (await everywhere(won[0].token)).every(({ success }) => success === true),
      'the new one is good on each'
    )
  }
})

t.test('while every replica is busy', async t => {
  const { session_id } = await post(at(0), 'create_session', { purpose: 'busy' })
  let over = false
  const load = Array.from({ length: 48 }, async (_, n) => {
    while (!over)
      await post(
        at(n),
        n % 2 === 0 ? 'add_message' : 'search_context',
        n % 2 === 0 ? { session_id, content: 'busy' } : { session_id, query: 'busy' }
      )
  })
  try {
    for (let round = 0; round < 3; round++) {
      const token = await issue('busy')
      t.ok((await everywhere(token)).every(({ success }) => success === true))
      t.match(await post(at(round), 'revoke_token', {}, bearer(token)), { revoked: 1 })
      await refusedEverywhere(token)
    }
  } finally {
    over = true
    await Promise.all(load)
  }
})

t.test('after the database was away', async t => {
  const [ended, kept] = [await issue('ended'), await issue('kept')]
  t.match(await post(at(1), 'revoke_token', {}, bearer(ended)), { revoked: 1 })
  await server.stop()
  // Long enough that what is known is not trusted any more.
  await new Promise(resolve => setTimeout(resolve, 2500))
  for (const answer of await everywhere(kept)) t.match(answer, { status: 503, code: 'DATABASE_UNAVAILABLE' })
  for (const answer of await everywhere(ended))
    t.ok(
      answer.code === 'TOKEN_REVOKED' || answer.code === 'DATABASE_UNAVAILABLE',
      'nobody is let in who was not to be'
    )
  await server.start()
  await until(
    'each replica is back',
    async () => (await everywhere(kept)).every(({ status }) => status === 200),
    30_000
  )
  for (const answer of await everywhere(ended))
    t.equal(answer.code, 'TOKEN_REVOKED', 'what was revoked before stays so')
  t.match(await post(at(2), 'revoke_token', {}, bearer(kept)), { revoked: 1 })
  await refusedEverywhere(kept)
})

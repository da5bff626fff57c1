import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'

/** An ordinary key makes searching as dear as it can: variants of one word, in the messages and in the query. */

const VARIANTS = 3000
const app = await startApp(t, {
  RATE_LIMIT_AGENT_PER_MINUTE: '0',
  RATE_LIMIT_KEY_PER_MINUTE: '0',
  RATE_LIMIT_ADDRESS_PER_MINUTE: '0'
})
const session_id = await newSession(app)
const letters = 'bcdfghjklmnpqrstvwxz'
const variant = (n: number) =>
  `quokk${letters.charAt(n % 20)}${letters.charAt(Math.floor(n / 20) % 20)}${letters.charAt(Math.floor(n / 400) % 20)}a`
for (let from = 0; from < VARIANTS; from += 100)
  await ok(app, 'add_messages', {
    session_id,
    messages: Array.from({ length: 100 }, (_, i) => ({ content: `${variant(from + i)} ${variant(from + i + 7)}` }))
  })
const mine = await newSession(app, { agent_id: 'honest' })
await ok(app, 'add_message', { session_id: mine, content: 'the walrus of the harbour' }, { agent_id: 'honest' })

const queries = [
  Array.from({ length: 35 }, (_, n) => variant(n * 83).replace('a', 'e')).join(' '),
  Array.from({ length: 35 }, (_, n) => `quok${letters.charAt(n % 20)}`).join(' '),
  Array.from({ length: 60 }, (_, n) => `okk${letters.charAt(n % 20)}`).join(' '),
  'quokk '.repeat(80),
  Array.from({ length: 35 }, (_, n) => variant(n)).join('-')
].map(query => query.slice(0, 500))

t.test('each is answered, and says so where something is left out', async t => {
  for (const query of queries)
    for (const fuzzy_threshold of [0, 60]) {
      const { status, body } = await call(app, 'search_context', { session_id, query, fuzzy_threshold, limit: 100 })
      t.equal(status, 200, `${query.slice(0, 30)} at ${fuzzy_threshold}`)
      t.type(body.partial, 'boolean')
    }
})

t.test('sixteen at a time leave room for others, and more of one agent are refused', async t => {
  const attackers = Array.from({ length: 16 }, (_, i) =>
    Promise.all(
      queries.map(query =>
        call(app, 'search_context', { session_id, query, limit: 100 }, { agent_id: `attacker-${i}` })
      )
    )
  )
  const honest = await Promise.all(
    Array.from({ length: 5 }, () =>
      call(app, 'search_context', { session_id: mine, query: 'walrus harbour' }, { agent_id: 'honest' })
    )
  )
  const answers = (await Promise.all(attackers)).flat()
  t.ok(
    [...answers, ...honest].every(({ status }) => status === 200 || status === 429 || status === 503),
    'every call is answered'
  )
  t.notOk(answers.some(({ body }) => body.code === 'INTERNAL_ERROR'))
  t.ok(
    answers.some(({ status }) => status === 429),
    'too many of one workspace at once'
  )
  t.equal(
    (await ok(app, 'search_context', { session_id: mine, query: 'walrus harbour' }, { agent_id: 'honest' }))
      .message_count,
    1
  )
})

import type { Client as ModernClient } from '@modelcontextprotocol/client'
import t, { type Test } from 'tap'
import { API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { token } from '../support/samples.js'
import { boundKey } from './bound-key.js'
import { connectModern, eventually, type Headers, request } from './clients.js'

/** subscriptions/listen of 2026-07-28 clients: the SDK's client over sockets, two replicas on one database. */

const here = await startApp(t)
const there = await startApp(t, {}, here)
const base = await listen(here)
const AS = (agent_id: string): Headers => ({ 'x-api-key': API_KEY, 'x-agent-id': agent_id })

async function connect(t: Test, headers: Headers, url = base): Promise<{ client: ModernClient; told: string[] }> {
  const { client } = await connectModern(t, `${url}/mcp`, headers)
  const told: string[] = []
  const whole = client as unknown as ModernClient
  whole.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    told.push(params.uri)
  })
  return { client: whole, told }
}

const quiet = async () =>
  new Promise(resolve => {
    setTimeout(resolve, 1500)
  })
const until = async (told: string[], count: number) =>
  eventually(
    async () => [...told],
    all => all.length >= count
  )

t.jobs = 4

t.test('what the caller may read is acknowledged, and its changes told from any replica', async t => {
  const { client, told } = await connect(t, AS('modern'))
  const session_id = await newSession(here)
  const uris = [`session://${session_id}`, `session://${session_id}/messages/3`, 'agent://modern/memory']
  const subscription = await client.listen({
    toolsListChanged: true,
    resourcesListChanged: true,
    resourceSubscriptions: [...uris, 'agent://another/memory', 'session://session_0123456789abcdef', 'nothing://here']
  })
  t.same(
    subscription.honoredFilter,
    { resourceSubscriptions: uris },
    'the lists never change, and what is not there is not followed'
  )
  await quiet()
  t.same(told, [], 'nothing has changed')

  await ok(there, 'add_message', { session_id, content: 'hello' })
  t.same((await until(told, 2)).sort(), uris.slice(0, 2))
  await ok(there, 'set_memory', { key: 'k', value: 1 }, { agent_id: 'modern' })
  t.same((await until(told, 3)).at(-1), uris[2])
  await ok(there, 'add_message', { session_id, content: 'not yours', visibility: 'private' }, { agent_id: 'another' })
  await quiet()
  t.equal(told.length, 3)

  const second = await client.listen({ resourceSubscriptions: [uris[0] as string] })
  await ok(there, 'add_message', { session_id, content: 'to both' })
  await until(told, 6)
  await subscription.close()
  t.equal(await subscription.closed, 'local')
  const before = told.length
  await ok(there, 'add_message', { session_id, content: 'to one' })
  await until(told, before + 1)
  await quiet()
  t.same(told.slice(before), [uris[0]])
  await second.close()
})

t.test('a subscription ends with the token', async t => {
  const bearer = await token(here, 'ending')
  const { client, told } = await connect(t, { authorization: `Bearer ${bearer}` })
  const session_id = await newSession(here)
  for (const uri of [`session://${session_id}`, 'agent://ending/memory']) {
    const { honoredFilter } = await client.listen({ resourceSubscriptions: [uri] })
    t.same(honoredFilter, { resourceSubscriptions: [uri] })
  }
  const { closed } = await client.listen({ resourceSubscriptions: [`session://${session_id}`] })
  await ok(there, 'revoke_token', {}, { token: bearer })
  t.equal(await closed, 'graceful')
  await ok(there, 'add_message', { session_id, content: 'after' })
  await quiet()
  t.same(told, [])
  await t.rejects(client.listen({ resourceSubscriptions: [`session://${session_id}`] }))
})

t.test('a subscription ends with the API key that its token was made with', async t => {
  const ADMIN = { admin: true, agent_id: 'boss' }
  const session_id = await newSession(here)
  const { api_key, key_id, token } = await boundKey(here, ADMIN)
  const subscribed = await Promise.all(
    ([{ authorization: `Bearer ${token}` }, { 'x-api-key': api_key }] as Headers[]).map(async headers => {
      const { client, told } = await connect(t, headers)
      return { told, ...(await client.listen({ resourceSubscriptions: [`session://${session_id}`] })) }
    })
  )
  await ok(there, 'revoke_api_key', { key_id }, ADMIN)
  t.same(await Promise.all(subscribed.map(({ closed }) => closed)), ['graceful', 'graceful'])
  await ok(there, 'add_message', { session_id, content: 'after' })
  await quiet()
  t.same(
    subscribed.flatMap(({ told }) => told),
    []
  )
})

t.test('what is refused', async t => {
  const ask = async (headers: Headers, notifications: unknown) =>
    (await request(here, 'modern', 'subscriptions/listen', { notifications }, headers)).body
  t.match(await ask({}, { resourceSubscriptions: ['agent://a/memory'] }), {
    error: { code: -32000, data: { code: 'AUTHENTICATION_REQUIRED' } }
  })
  t.match(await ask({ 'x-api-key': 'wrong' }, { resourceSubscriptions: ['agent://a/memory'] }), {
    error: { data: { code: 'INVALID_API_KEY' } }
  })
  t.match(
    await ask(
      { authorization: `Bearer ${await token(here, 'writer', ['write'])}` },
      { resourceSubscriptions: ['agent://writer/memory'] }
    ),
    { error: { data: { code: 'PERMISSION_DENIED' } } }
  )
  t.match(await ask(AS('a'), { resourceSubscriptions: Array.from({ length: 101 }, (_, i) => `session://${i}`) }), {
    error: { data: { code: 'INVALID_INPUT' } }
  })
  t.match(await ask(AS('a'), { resourceSubscriptions: 'x' }), { error: { code: -32602 } })
  t.match(await ask(AS('a'), undefined), { error: { code: -32602 } })
})

t.test('subscriptions end when the replica stops, as the protocol has it', async t => {
  const app = await startApp(t, {}, here)
  const { client } = await connect(t, AS('staying'), await listen(app))
  const session_id = await newSession(here)
  const { closed } = await client.listen({ resourceSubscriptions: [`session://${session_id}`] })
  app.stop()
  t.equal(await closed, 'graceful')
})

// It counts what is held for all: alone.
t.test('nothing is left of clients that go', { buffered: false }, async t => {
  const session_id = await newSession(here)
  const clients = await Promise.all(Array.from({ length: 20 }, async () => connect(t, AS('leaving'))))
  for (const { client } of clients) await client.listen({ resourceSubscriptions: [`session://${session_id}`] })
  t.equal(here.server.live.counts().followers, 20)
  for (const { client } of clients) await client.close()
  t.same(
    await eventually(
      async () => here.server.live.counts(),
      ({ followers }) => followers === 0
    ),
    { sessions: 0, followers: 0 }
  )
  t.equal(here.load.in_flight, 0)
})

import type { Client as ModernClient } from '@modelcontextprotocol/client'
import type { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import t from 'tap'
import { environment, newSession, ok, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { eventually, type AnyClient } from './clients.js'
import { starts } from './local-clients.js'

/**
 * Subscriptions, progress and cancellation over stdio; what changes is changed by another process on the same database.
 */

const database = await createDatabase()
t.teardown(() => database.drop())
const app = await startApp(t, {}, { url: database.url })

const quiet = async () =>
  new Promise(resolve => {
    setTimeout(resolve, 1500)
  })

// Each of them waits most of the time.
t.jobs = 4

for (const [i, [name, start]] of Object.entries(starts).entries()) {
  t.test(name, async t => {
    const agent_id = `local-${i}`
    const client = await start(t, environment(database.url, { AGENT_ID: agent_id, AGENT_TYPE: 'desktop' }))
    const legacy = name.endsWith('2025')
    const told: string[] = []
    const session_id = await newSession(app)
    const uris = [`session://${session_id}`, `agent://${agent_id}/memory`]

    const end = legacy ? await subscribeLegacy(client, told, uris) : await listenModern(t, client, told, uris)
    await ok(app, 'add_message', { session_id, content: 'hello' })
    t.same(
      await eventually(
        async () => [...told],
        all => all.length >= 1
      ),
      [uris[0]]
    )
    await client.callTool({ name: 'set_memory', arguments: { key: 'k', value: 1 } })
    t.same(
      await eventually(
        async () => [...told],
        all => all.length >= 2
      ),
      uris
    )
    await ok(app, 'add_message', { session_id, content: 'not yours', visibility: 'private' }, { agent_id: 'another' })
    await quiet()
    t.equal(told.length, 2)
    await end()
    await ok(app, 'add_message', { session_id, content: 'more' })
    await quiet()
    t.equal(told.length, 2, 'nothing after the end')

    const progress: unknown[] = []
    const call = async (timeout_seconds: number, options: object) => {
      const request = { name: 'wait_for_messages', arguments: { session_id, timeout_seconds } }
      return legacy
        ? (client as unknown as LegacyClient).callTool(request, undefined, options)
        : (client as unknown as ModernClient).callTool(request, options)
    }
    t.match(
      await call(3, {
        onprogress: (one: unknown) => {
          progress.push(one)
        }
      }),
      { structuredContent: { timed_out: true } }
    )
    t.ok(progress.length >= 1)
    const aborter = new AbortController()
    const cancelled = call(25, { signal: aborter.signal })
    setTimeout(() => {
      aborter.abort()
    }, 500)
    await t.rejects(cancelled)
    const started = Date.now()
    await client.close()
    t.ok(Date.now() - started < 15_000, 'nothing is waited for any more')
  })
}

async function subscribeLegacy(client: AnyClient, told: string[], uris: string[]): Promise<() => Promise<void>> {
  const whole = client as unknown as LegacyClient
  whole.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    told.push(params.uri)
  })
  for (const uri of uris) await whole.subscribeResource({ uri })
  return async () => {
    for (const uri of uris) await whole.unsubscribeResource({ uri })
  }
}

async function listenModern(
  t: { same: (found: unknown, wanted: unknown) => unknown },
  client: AnyClient,
  told: string[],
  uris: string[]
): Promise<() => Promise<void>> {
  const whole = client as unknown as ModernClient
  whole.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    told.push(params.uri)
  })
  const subscription = await whole.listen({
    promptsListChanged: true,
    resourceSubscriptions: [...uris, 'agent://another/memory', 'session://session_0123456789abcdef']
  })
  t.same(subscription.honoredFilter, { resourceSubscriptions: uris })
  return async () => subscription.close()
}

t.test('what cannot be subscribed to', async t => {
  const start = starts['the SDK of 2025'] as (typeof starts)[string]
  const client = (await start(t, environment(database.url, { AGENT_ID: 'local' }))) as unknown as LegacyClient
  for (const uri of ['agent://another/memory', 'session://session_0123456789abcdef', 'nothing://here'])
    await t.rejects(client.subscribeResource({ uri }), { code: -32602 }, uri)
})

import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { ADMIN_API_KEY, call, newSession, ok, startApp } from '../helper.js'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** What a person finds at /docs: groups, and examples that work. */

const app = await startApp(t)
const document = (await app.server.inject({ url: '/openapi.json' })).json()
const operations: any[] = Object.values<any>(document.paths).flatMap(path => Object.values(path))

t.test('the page has the name of the product', async t => {
  const { body } = await app.server.inject({ url: '/docs/' })
  t.match(body, /<title>shared-context-server<\/title>/)
  t.equal(document.info.title, 'shared-context-server')
})

t.test('each operation is in one group that the page describes', async t => {
  const names = document.tags.map(({ name }: any) => name)
  t.equal(new Set(names).size, names.length)
  for (const { operationId, tags } of operations) {
    t.equal(tags.length, 1, operationId)
    t.ok(names.includes(tags[0]), `${operationId}: ${tags[0]}`)
  }
  t.same(
    document.tags.filter(({ description }: any) => description === undefined).map(({ name }: any) => name),
    [],
    'src/http/openapi-groups.ts describes every group'
  )
  const groupOf = (id: string) => operations.find(({ operationId }) => operationId === id).tags[0]
  t.same(['add_message', 'get_memory', 'create_token', 'workspace_events'].map(groupOf), [
    'Messages',
    'Memory',
    'Identity',
    'Event streams'
  ])
})

for (const { operationId, requestBody } of operations.filter(({ requestBody }) => requestBody !== undefined)) {
  t.test(`the example of ${operationId} works`, async t => {
    const { schema, example } = requestBody.content['application/json']
    const text = JSON.stringify(example)
    t.notMatch(text, /"string"|idempotency_key|9007199254740991/)
    t.ok(ajv.validate(schema, example), ajv.errorsText())
    // What the page cannot know: which sessions, messages and keys there are.
    const by = { token: await adminToken() }
    const session_id = await newSession(app, by)
    const { message_id } = await ok(app, 'add_message', { session_id, content: 'release', to: ['reviewer'] }, by)
    const asked = text.includes('message_ids')
      ? await ok(app, 'add_message', { session_id, content: 'look', to: ['an-admin'] }, { agent_id: 'planner' })
      : {}
    const { key_id } = await ok(app, 'create_api_key', { agent_id: 'planner', agent_type: 'claude' }, by)
    await ok(app, 'set_memory', { key: 'plan', value: 1 }, by)
    const { task } = await ok(app, 'create_task', { title: 'a task' }, by)
    const { lease } = text.includes('lease_token') ? await ok(app, 'claim_task', { task_id: task.task_id }, by) : {}
    const name = `deploy ${operationId}`
    const { leases } = text.includes('"leases"') ? await ok(app, 'acquire_lease', { names: [name] }, by) : {}
    const here: Record<string, unknown> = {
      session_id,
      message_id,
      message_ids: [asked.message_id],
      key_id,
      task_id: task.task_id,
      lease_token: lease?.token,
      name: leases?.[0].name,
      token: leases?.[0].token
    }
    const args = JSON.parse(text, (name, value: unknown) => here[name] ?? value)
    const as = operationId === 'authenticate_agent' ? { admin: true } : by
    const { status, body } = await call(app, operationId, args, as)
    t.equal(status, 200, JSON.stringify(body))
  })
}

async function adminToken(): Promise<string> {
  const headers = { 'x-api-key': ADMIN_API_KEY }
  const args = { agent_id: 'an-admin', agent_type: 'x', requested_permissions: ['read', 'write', 'admin'] }
  return (await ok(app, 'authenticate_agent', args, { anonymous: true, headers })).token
}

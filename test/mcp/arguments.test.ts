import t from 'tap'
import { API_KEY, call, listen, newSession, ok, startApp } from '../helper.js'
import { connectLegacy, connectModern, saidBy } from './clients.js'

/** Arguments as clients and models send them: some add their own, some send text for everything. */

const app = await startApp(t)
const base = await listen(app)
const KEY = { 'x-api-key': API_KEY, 'x-agent-id': 'ada' }
const eras = { 2025: connectLegacy, 2026: connectModern }

for (const [year, connect] of Object.entries(eras)) {
  t.test(`the client of ${year}: unknown arguments`, async t => {
    const { client } = await connect(t, `${base}/mcp?output_schemas=true`, KEY)
    const { tools } = await client.listTools()
    const schema = tools.find(({ name }) => name === 'list_sessions')?.outputSchema
    t.match(schema, { properties: { warnings: { type: 'array', items: { type: 'string' } } } })
    t.notOk((schema?.required as string[]).includes('warnings'))

    const added = await client.callTool({ name: 'list_sessions', arguments: { wait_for_previous: true, limit: 1 } })
    t.match(added.structuredContent, { success: true, warnings: [/wait_for_previous/] }, 'left out, and named')
    t.same(JSON.parse(added.content[0].text), added.structuredContent)
    const plain = await client.callTool({ name: 'list_sessions', arguments: { limit: 1 } })
    t.notOk('warnings' in plain.structuredContent)

    for (const [misspelt, nearest] of [
      ['limt', 'limit'],
      ['ilmit', 'limit'],
      ['limits_', 'limit'],
      ['Created_By', 'created_by'],
      ['createdBy', 'created_by']
    ]) {
      const refused = await client.callTool({ name: 'list_sessions', arguments: { [misspelt as string]: 1 } })
      t.match(saidBy(refused), {
        code: 'INVALID_INPUT',
        context: { argument: misspelt },
        suggestions: [`Did you mean '${nearest}'?`]
      })
      t.equal(refused.isError, true)
    }
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`something_${i}`, i]))
    t.match(saidBy(await client.callTool({ name: 'list_sessions', arguments: many })), { code: 'INVALID_INPUT' })
  })

  t.test(`the client of ${year}: text for what is not text`, async t => {
    const { client } = await connect(t, `${base}/mcp`, KEY)
    const session_id = await newSession(app)
    const said = async (name: string, args: Record<string, unknown>) =>
      saidBy(await client.callTool({ name, arguments: args }))

    const messages = JSON.stringify([{ content: '["a"]', parent_message_id: '', extra_field: 1 }, { content: 'true' }])
    t.match(await said('add_messages', { session_id, messages }), {
      count: 2,
      warnings: [/messages\/0\/extra_field/]
    })
    t.match(await said('add_message', { session_id, content: '[1]', idempotency_key: '', parent_message_id: '' }), {
      message_id: Number
    })
    const { messages: written } = await said('get_messages', { session_id, sender: '', after_seq: '', limit: '10' })
    t.same(
      written.map(({ content }: { content: string }) => content),
      ['["a"]', 'true', '[1]'],
      'content is never converted'
    )
    for (const value of ['true', '[1]', '', '5']) {
      t.match(await said('set_memory', { key: 'k', value, session_id: '', overwrite: 'true' }), { scope: 'global' })
      t.same((await said('get_memory', { key: 'k', session_id: '' })).value, value, 'nor is a value')
    }
    t.match(await said('list_sessions', { active: 'true', created_by: '', cursor: '' }), { success: true })
    t.match(await said('search_context', { query: '', session_id: '', start_time: '', sender: '' }), { success: true })
    t.match(await said('wait_for_messages', { session_id, timeout_seconds: '0', mentions_only: 'false' }), {
      timed_out: true
    })
    for (const [name, args] of [
      ['list_sessions', { active: 'yes' }],
      ['list_sessions', { limit: '' }],
      ['add_message', { session_id, content: 'x', visibility: '' }],
      ['add_message', { session_id: '', content: 'x' }],
      ['add_message', { session_id, content: '' }],
      ['add_messages', { session_id, messages: '[{"content":"x"}' }],
      ['add_messages', { session_id, messages: `[${'['.repeat(100)}${']'.repeat(100)}]` }],
      ['add_messages', { session_id, messages: '[{"content":"\\ud800"}]' }]
    ] as const)
      t.equal((await said(name, args)).success, false, JSON.stringify(args).slice(0, 100))
  })
}

t.test('the same request with an argument of the client is the same request', async t => {
  const { client } = await connectModern(t, `${base}/mcp`, KEY)
  const session_id = await newSession(app)
  const args = { session_id, content: 'once', idempotency_key: 'once' }
  const first = saidBy(await client.callTool({ name: 'add_message', arguments: args }))
  const again = saidBy(await client.callTool({ name: 'add_message', arguments: { ...args, wait_for_previous: true } }))
  t.equal(again.message_id, first.message_id)
  t.match(again.warnings, [/wait_for_previous/])
})

t.test('REST refuses every unknown argument, and takes no text for a boolean', async t => {
  for (const args of [{ wait_for_previous: true }, { limt: 1 }, { active: 'true' }])
    t.match(await call(app, 'list_sessions', args), { status: 400, body: { code: 'INVALID_INPUT' } })
  const session_id = await newSession(app)
  const messages = JSON.stringify([{ content: 'x' }])
  t.equal((await ok(app, 'add_messages', { session_id, messages })).count, 1)
  t.equal((await ok(app, 'get_messages', { session_id, sender: '', before_seq: '' })).count, 1)
})

import t from 'tap'
import type { Permission } from '../../src/core/agent.js'
import { tools } from '../../src/tools/index.js'
import { ADMIN_API_KEY, API_KEY, type As, credentials, ok, startApp } from '../helper.js'
import { token } from '../support/samples.js'
import { callTool, eventually, type Headers, openSession, request } from './clients.js'

/** What tools/list has for whom, and how long it is. */

const app = await startApp(t)
const KEY: Headers = { 'x-api-key': API_KEY, 'x-agent-id': 'a' }
const ADMIN: Headers = { 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'a' }
const ERAS = ['legacy', 'modern'] as const

const namesFor = (...permissions: Permission[]) => tools.filter(({ permission }) => permission === 'none' || permissions.includes(permission)).map(({ name }) => name)

async function list (era: 'legacy' | 'modern', headers: Headers = {}, query = ''): Promise<any[]> {
  const { status, body } = await request(app, era, 'tools/list', {}, headers, `/mcp${query}`)
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body.result.tools
}

async function names (era: 'legacy' | 'modern', headers: Headers = {}): Promise<string[]> {
  return (await list(era, headers)).map(({ name }) => name)
}

for (const era of ERAS) {
  t.test(`${era}: who lists is shown what it may call, in a fixed order`, async t => {
    for (const permissions of [['read'], ['write'], ['read', 'write']] as Permission[][]) {
      t.same(await names(era, { authorization: `Bearer ${await token(app, 'a', permissions)}` }), namesFor(...permissions), permissions.join())
    }
    t.same(await names(era, KEY), namesFor('read', 'write'))
    t.same(await names(era, ADMIN), tools.map(({ name }) => name))
    const { api_key } = await ok(app, 'create_api_key', { agent_id: '*', agent_type: 'reader', permissions: ['read'] }, { admin: true, agent_id: 'a' })
    t.same(await names(era, { 'x-api-key': api_key }), namesFor('read'))
    t.same(await list(era, KEY), await list(era, KEY), 'twice the same')
  })

  t.test(`${era}: without credentials it is what a key for read and write would allow, each with auth_token`, async t => {
    const listed = await list(era)
    t.same(listed.map(({ name }) => name), namesFor('read', 'write'))
    for (const { name, inputSchema } of listed) t.equal('auth_token' in inputSchema.properties, name !== 'authenticate_agent', name)
    for (const { name, inputSchema } of await list(era, KEY)) t.notOk('auth_token' in inputSchema.properties, name)
  })

  t.test(`${era}: a tool that is not listed can be called, and answers as ever`, async t => {
    t.match(await callTool(app, era, 'get_audit_log', {}, KEY), { isError: true, said: { code: 'PERMISSION_DENIED' } })
    const { token } = await ok(app, 'authenticate_agent', { agent_id: 'an-admin', agent_type: 'custom', api_key: ADMIN_API_KEY, requested_permissions: ['admin'] })
    t.match(await callTool(app, era, 'get_audit_log', { auth_token: token }), { said: { success: true } })
  })

  t.test(`${era}: credentials that are refused get the list of read and write`, async t => {
    t.same(await names(era, { 'x-api-key': 'wrong', 'x-agent-id': 'a' }), namesFor('read', 'write'))
    t.same(await names(era, { ...KEY, 'x-agent-id': 'x'.repeat(101) }), namesFor('read', 'write'))
    t.match(await request(app, era, 'tools/list', {}, { authorization: 'Bearer None' }), { status: 401 })
  })

  t.test(`${era}: the address asks for the schemas of answers`, async t => {
    for (const query of ['', '?output_schemas=false', '?other=true']) t.same((await list(era, KEY, query)).filter(tool => 'outputSchema' in tool), [], query)
    for (const path of ['?output_schemas=true', '/?output_schemas=true&other=1']) {
      const listed = await list(era, KEY, path)
      t.same(listed.map(({ name }) => name), namesFor('read', 'write'))
      for (const { name, outputSchema } of listed) t.match(outputSchema, { type: 'object', properties: { success: { enum: [true] } } }, name)
    }
    for (const query of ['?output_schemas=yes', '?output_schemas=', '?output_schemas=true&output_schemas=true']) {
      t.match(await request(app, era, 'tools/list', {}, KEY, `/mcp${query}`), { status: 400, body: { error: { data: { code: 'INVALID_INPUT', context: { argument: 'output_schemas' } } } } }, query)
    }
  })
}

t.test('a session that has authenticated lists what its token allows', async t => {
  const session = await openSession(app)
  t.same(await names('legacy', session), namesFor('read', 'write'))
  await callTool(app, 'legacy', 'authenticate_agent', { agent_id: 'a', agent_type: 'b', api_key: ADMIN_API_KEY, requested_permissions: ['read', 'admin'] }, session)
  t.same(await names('legacy', session), tools.map(({ name }) => name))
})

t.test('who tries keys by listing is audited and slowed down, as who tries them by calling', async t => {
  const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '20' })
  for (const method of ['tools/list', 'resources/list']) {
    await request(app, 'legacy', method, {}, { 'x-api-key': 'wrong', 'x-agent-id': 'a', 'x-request-id': `try-${method.length}` })
  }
  const rows = async () => app.database.db.selectFrom('audit_log').select(['event_type', 'action']).where('request_id', 'like', 'try-%').orderBy('id').execute()
  t.same(await eventually(rows, found => found.length === 2), ['tools/list', 'resources/list'].map(action => ({ event_type: 'credential_refused', action })))
  const refused = await eventually(async () => request(app, 'legacy', 'tools/list', {}, { 'x-api-key': 'wrong', 'x-agent-id': 'a' }), ({ body }) => body.error !== undefined)
  t.match(refused.body.error.data, { code: 'RATE_LIMITED' })
})

/** Bytes of JSON: about four make a token of a model. */
const MOST: Array<[string, As | undefined, number]> = [
  ['without credentials', undefined, 34_000], ['read and write', { agent_id: 'a' }, 34_000], ['admin', { admin: true, agent_id: 'a' }, 44_000]
]

t.test('how long the list is', async t => {
  for (const [who, as, most] of MOST) {
    const headers = as === undefined ? {} : credentials(as)
    const [plain, with_output] = [await list('modern', headers), await list('modern', headers, '?output_schemas=true')]
    const bytes = Buffer.byteLength(JSON.stringify(plain))
    t.comment(`${who}: ${bytes} bytes for ${plain.length} tools, ${Buffer.byteLength(JSON.stringify(with_output))} with output schemas`)
    t.ok(bytes <= most, `${who}: ${bytes} of ${most} bytes`)
    t.same(await list('legacy', headers), plain, `${who}: the same in both eras`)
  }
})


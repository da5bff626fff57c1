import t from 'tap'
import type { Permission } from '../../src/kernel/agent.js'
import { tools } from '../support/tools.js'
import { ADMIN_API_KEY, API_KEY, credentials, ok, startApp } from '../helper.js'
import { openProxy } from '../support/proxy.js'
import { token } from '../support/samples.js'
import { inputFaults, toolFaults } from '../support/schema-lint.js'
import { TOOLSETS } from '../../src/mcp/toolsets.js'
import { callTool, eventually, type Headers, openSession, request } from './clients.js'

/** What tools/list has for whom, and how long it is. */

const app = await startApp(t)
const KEY: Headers = { 'x-api-key': API_KEY, 'x-agent-id': 'a' }
const ADMIN: Headers = { 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'a' }
const WRONG: Headers = { 'x-api-key': 'wrong', 'x-agent-id': 'a' }
const ERAS = ['legacy', 'modern'] as const
type Era = (typeof ERAS)[number]

const DEFAULT = [...TOOLSETS.core, ...TOOLSETS.inbox, ...TOOLSETS.tasks]

/** Of the tools that are listed by default, and `more`. */
function namesFor(permissions: Permission[], more: readonly string[] = []): string[] {
  return tools
    .filter(({ permission }) => permission === 'none' || permissions.includes(permission))
    .map(({ name }) => name)
    .filter(name => DEFAULT.includes(name) || more.includes(name))
}

const ADMINS: Permission[] = ['read', 'write', 'admin']

async function list(era: Era, headers: Headers = {}, query = ''): Promise<any[]> {
  const { status, body } = await request(app, era, 'tools/list', {}, headers, `/mcp${query}`)
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body.result.tools
}

async function names(era: Era, headers: Headers = {}): Promise<string[]> {
  return (await list(era, headers)).map(({ name }) => name)
}

/** An API key for reading alone. */
async function readersKey(): Promise<string> {
  const reader = { agent_id: '*', agent_type: 'reader', permissions: ['read'] }
  return (await ok(app, 'create_api_key', reader, { admin: true, agent_id: 'a' })).api_key
}

for (const era of ERAS) {
  t.test(`${era}: who lists is shown what it may call, in a fixed order`, async t => {
    for (const permissions of [['read'], ['write'], ['read', 'write']] as Permission[][]) {
      const authorization = `Bearer ${await token(app, 'a', permissions)}`
      t.same(await names(era, { authorization }), namesFor(permissions), permissions.join())
    }
    t.same(await names(era, KEY), namesFor(['read', 'write']))
    t.same(await names(era, ADMIN), namesFor(ADMINS))
    t.same(await names(era, { 'x-api-key': await readersKey() }), namesFor(['read'], ['authenticate_agent']))
    t.same(await list(era, KEY), await list(era, KEY), 'twice the same')
  })

  t.test(`${era}: without credentials the list is that of a key for read and write, with auth_token`, async t => {
    const listed = await list(era)
    t.same(
      listed.map(({ name }) => name),
      namesFor(['read', 'write'], TOOLSETS.identity)
    )
    for (const { name, inputSchema } of listed) {
      t.equal('auth_token' in inputSchema.properties, name !== 'authenticate_agent', name)
    }
    for (const { name, inputSchema } of await list(era, KEY)) t.notOk('auth_token' in inputSchema.properties, name)
  })

  t.test(`${era}: a tool that is not listed can be called, and answers as ever`, async t => {
    t.match(await callTool(app, era, 'get_audit_log', {}, KEY), { isError: true, said: { code: 'PERMISSION_DENIED' } })
    const admin = {
      agent_id: 'an-admin',
      agent_type: 'custom',
      api_key: ADMIN_API_KEY,
      requested_permissions: ['admin']
    }
    const { token: auth_token } = await ok(app, 'authenticate_agent', admin)
    t.match(await callTool(app, era, 'get_audit_log', { auth_token }), { said: { success: true } })
  })

  t.test(`${era}: only credentials that are wrong are refused a list`, async t => {
    t.match(await request(app, era, 'tools/list', {}, WRONG), { status: 401 })
    const unnamed = namesFor(['read', 'write'], ['authenticate_agent'])
    t.same(await names(era, { ...ADMIN, 'x-agent-id': 'x'.repeat(101) }), unnamed)
    t.match(await request(app, era, 'tools/list', {}, { authorization: 'Bearer None' }), { status: 401 })
  })

  t.test(`${era}: the address asks for the schemas of answers`, async t => {
    for (const query of ['', '?output_schemas=false', '?other=true']) {
      t.same(
        (await list(era, KEY, query)).filter(tool => 'outputSchema' in tool),
        [],
        query
      )
    }
    for (const query of ['?output_schemas=true', '/?output_schemas=true&other=1']) {
      const listed = await list(era, KEY, query)
      t.same(
        listed.map(({ name }) => name),
        namesFor(['read', 'write'])
      )
      const success = { type: 'object', properties: { success: { enum: [true] } } }
      for (const { name, outputSchema } of listed) t.match(outputSchema, success, name)
    }
    for (const query of ['?output_schemas=yes', '?output_schemas=', '?output_schemas=true&output_schemas=true']) {
      const { status, body } = await request(app, era, 'tools/list', {}, KEY, `/mcp${query}`)
      t.equal(status, 400, query)
      t.match(body.error.data, { code: 'INVALID_INPUT', context: { argument: 'output_schemas' } }, query)
    }
  })
}

t.test('a session that has authenticated lists what its token allows', async t => {
  const session = await openSession(app)
  t.same(await names('legacy', session), namesFor(['read', 'write'], TOOLSETS.identity))
  const admin = { agent_id: 'a', agent_type: 'b', api_key: ADMIN_API_KEY, requested_permissions: ['read', 'admin'] }
  await callTool(app, 'legacy', 'authenticate_agent', admin, session)
  t.same(await names('legacy', session), namesFor(ADMINS, ['authenticate_agent']))
})

t.test('where the connection names its agent, authenticate_agent is not the first thing to do', async t => {
  const { api_key } = await ok(app, 'create_api_key', { agent_id: 'bound', agent_type: 'x' }, { admin: true })
  for (const era of ERAS) {
    for (const [headers, first] of [
      [{}, true],
      [{ 'x-api-key': API_KEY }, true],
      [KEY, false],
      [{ authorization: `Bearer ${await token(app, 'a')}` }, false],
      [{ 'x-api-key': api_key }, false]
    ] as Array<[Headers, boolean]>) {
      const { description } = (await list(era, headers, '?toolsets=identity')).find(
        ({ name }) => name === 'authenticate_agent'
      )
      t.equal(/call this first/i.test(description), first, JSON.stringify(Object.keys(headers)))
      if (!first) t.match(description, 'switch: true')
    }
  }
})

t.test('who tries keys by listing is audited and slowed down, as who tries them by calling', async t => {
  const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '10' })
  for (const method of ['tools/list', 'resources/list']) {
    await request(app, 'legacy', method, {}, { ...WRONG, 'x-request-id': `try-${method.length}` })
  }
  const rows = async () =>
    app.database.db
      .selectFrom('audit_log')
      .select(['event_type', 'action'])
      .where('request_id', 'like', 'try-%')
      .orderBy('action')
      .execute()
  const wanted = ['mcp', 'mcp'].map(action => ({ event_type: 'credential_refused', action }))
  t.same(await eventually(rows, found => found.length === 2), wanted)
  const ask = async () => request(app, 'legacy', 'tools/list', {}, WRONG)
  t.match((await eventually(ask, ({ status }) => status === 429)).body.error.data, { code: 'RATE_LIMITED' })
})

/** Counting requests asks the database too. */
const UNCOUNTED = Object.fromEntries(
  ['AGENT', 'KEY', 'ADDRESS', 'FAILURES', 'INITIALIZE'].map(of => [`RATE_LIMIT_${of}_PER_MINUTE`, '0'])
)
const SOON = { DATABASE_CONNECT_TIMEOUT_MS: '500', STATEMENT_TIMEOUT_MS: '500', REQUEST_TIMEOUT_MS: '2000' }

t.test('while the database cannot tell whose a key is, the list is that of read and write', async t => {
  const proxy = await openProxy(t, app.url)
  const cut = await startApp(t, { ...SOON, ...UNCOUNTED }, { url: proxy.url })
  const api_key = await readersKey()
  proxy.mode = 'hole'
  for (const era of ERAS) {
    const { status, body } = await request(cut, era, 'tools/list', {}, { 'x-api-key': api_key, 'x-agent-id': 'a' })
    t.equal(status, 200)
    t.same(
      body.result.tools.map(({ name }: { name: string }) => name),
      namesFor(['read', 'write'], ['authenticate_agent']),
      era
    )
    const shared = await request(cut, era, 'tools/list', {}, ADMIN)
    t.equal(shared.body.result?.tools.length, namesFor(ADMINS).length, `${era}: a shared key needs no database`)
  }
  proxy.mode = 'pass'
})

for (const era of ERAS) {
  t.test(`${era}: the address or a header says which parts are listed`, async t => {
    const named = async (query: string, headers = KEY) => (await list(era, headers, query)).map(({ name }) => name)
    t.same((await named('?toolsets=leases')).sort(), [...TOOLSETS.leases].sort())
    const both = [...TOOLSETS.core, ...TOOLSETS.tasks]
    t.same((await named('?toolsets=core,%20Tasks')).length, both.length)
    t.same((await named('', { ...KEY, 'x-mcp-toolsets': 'leases' })).length, 4)
    t.same((await named('?toolsets=memory', { ...KEY, 'x-mcp-toolsets': 'leases' })).length, 10, 'the address wins')
    t.same(
      await named('?toolsets=all', ADMIN),
      tools.map(({ name }) => name)
    )
    t.notOk((await named('?toolsets=admin')).includes('get_audit_log'), 'permissions count as ever')
    t.ok((await named('?toolsets=leases', { 'x-api-key': API_KEY })).includes('authenticate_agent'), 'nobody is named')
    for (const query of ['?toolsets=', '?toolsets=core,other', '?toolsets=core&toolsets=tasks']) {
      const { status, body } = await request(app, era, 'tools/list', {}, KEY, `/mcp${query}`)
      t.equal(status, 400, query)
      t.match(body.error.data, { code: 'INVALID_INPUT', context: { argument: 'toolsets' } }, query)
    }
  })
}

t.test('every tool is in a part, and core has at most twelve', async t => {
  const parts = new Set(Object.values(TOOLSETS).flat())
  t.same(
    tools.map(({ name }) => name).filter(name => !parts.has(name)),
    []
  )
  t.ok(TOOLSETS.core.length <= 12)
})

const KIB = 1024
const NAMED = credentials({ agent_id: 'a' })
/**
 * Bytes of JSON, about four to a token of a model. Without credentials the list has the tools of `identity` too, and
 * auth_token in each: even so it is no longer than the default may be.
 */
const MOST: Array<[who: string, headers: Headers, query: string, bytes: number]> = [
  ['core', NAMED, '?toolsets=core', 12 * KIB],
  ['read and write', NAMED, '', 24 * KIB],
  ['a key that names nobody', { 'x-api-key': API_KEY }, '', 24 * KIB],
  ['admin', credentials({ admin: true, agent_id: 'a' }), '', 24 * KIB],
  ['without credentials', {}, '', 24 * KIB],
  ['core, without credentials', {}, '?toolsets=core', 12 * KIB],
  ['all, admin', credentials({ admin: true, agent_id: 'a' }), '?toolsets=all', 50 * KIB]
]

t.test('how long the list is', async t => {
  for (const [who, headers, query, most] of MOST) {
    const listed = await list('modern', headers, query)
    const bytes = Buffer.byteLength(JSON.stringify(listed))
    t.comment(`${who}: ${bytes} bytes for ${listed.length} tools`)
    t.ok(bytes <= most, `${who}: ${bytes} of ${most} bytes`)
    t.same(await list('legacy', headers, query), listed, `${who}: the same in both eras`)
    for (const { name, description, inputSchema } of listed) {
      t.same(toolFaults({ name, description }), [])
      t.same(inputFaults(inputSchema, name), [], `${name}: as vendors take it`)
      t.notMatch(JSON.stringify(inputSchema), '"additionalProperties":true', `${name}: as google-genai takes it`)
    }
  }
})

import { PassThrough } from 'node:stream'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import t, { type Test } from 'tap'
import { serveLocal } from '../../src/mcp/stdio.js'
import { API_KEY, call, credentials, listen, newSession, ok, startApp } from '../helper.js'
import { until } from '../support/until.js'
import { initialize, MODERN, openSession, post } from './clients.js'

/** Before what cannot be taken back, a client that can ask its user asks it. */

const app = await startApp(t)
const other = await startApp(t, {}, app)
const [base, elsewhere] = [await listen(app), await listen(other)]

type Reply = { action: 'accept' | 'decline' | 'cancel'; content?: any }
type User = () => Reply | Promise<Reply>
interface Connected {
  callTool: (call: { name: string; arguments: Record<string, unknown> }) => Promise<any>
  asked: string[]
}
const headers = { 'x-api-key': API_KEY, 'x-agent-id': 'ada' }
const INFO = { name: 'asks', version: '1' }

/** A client of 2026-07-28 whose user answers so; undefined: it cannot ask. */
async function modern(t: Test, user?: User): Promise<Connected> {
  const asked: string[] = []
  const client = new ModernClient(INFO, {
    versionNegotiation: { mode: { pin: MODERN } },
    capabilities: user === undefined ? {} : { elicitation: { form: {} } }
  })
  if (user !== undefined)
    client.setRequestHandler('elicitation/create', async request => {
      asked.push(request.params.message)
      return user()
    })
  await client.connect(new ModernTransport(new URL(`${base}/mcp`), { requestInit: { headers } }))
  t.teardown(() => client.close())
  return { callTool: call => client.callTool(call), asked }
}

/** A client of 2025-11-25. @param answersTo where it sends what its user has answered */
async function legacy(t: Test, user?: User, answersTo = base): Promise<Connected> {
  const asked: string[] = []
  const client = new LegacyClient(INFO, { capabilities: user === undefined ? {} : { elicitation: {} } })
  if (user !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      asked.push(params.message)
      return user()
    })
  const transport = new LegacyTransport(new URL(`${base}/mcp`), {
    requestInit: { headers },
    fetch: async (url, init) => {
      const isAnswer = typeof init?.body === 'string' && !('method' in JSON.parse(init.body))
      return fetch(isAnswer ? `${answersTo}/mcp` : url, init)
    }
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  return { callTool: call => client.callTool(call), asked }
}

const CLIENTS: Record<string, (t: Test, user?: User) => Promise<Connected>> = {
  '2026-07-28': modern,
  '2025-11-25': legacy,
  '2025-11-25, whose answer comes to another replica': (t, user) => legacy(t, user, elsewhere)
}
const YES: Reply = { action: 'accept', content: { confirm: true } }

const isThere = async (session_id: string) => (await call(app, 'get_session', { session_id })).status === 200

for (const [kind, connect] of Object.entries(CLIENTS)) {
  t.test(`${kind}: the user agrees: it is done, once, and only that was asked`, async t => {
    const { callTool, asked } = await connect(t, () => YES)
    const session_id = await newSession(app, { agent_id: 'ada' })
    t.match(await callTool({ name: 'get_session', arguments: { session_id } }), { isError: undefined })
    t.same(asked, [])
    const answer = await callTool({ name: 'delete_session', arguments: { session_id } })
    t.match(answer, { structuredContent: { deleted: true } })
    t.equal(asked.length, 1)
    t.match(asked[0], `Delete a session? This cannot be taken back. session_id: "${session_id}"`)
    t.notOk(await isThere(session_id))
  })

  t.test(`${kind}: the user does not: nothing is done`, async t => {
    for (const answer of [
      { action: 'accept' as const, content: { confirm: false } },
      { action: 'accept' as const, content: {} },
      { action: 'decline' as const },
      { action: 'cancel' as const }
    ]) {
      const { callTool, asked } = await connect(t, () => answer)
      const session_id = await newSession(app, { agent_id: 'ada' })
      const said = await callTool({ name: 'delete_session', arguments: { session_id } })
      t.match(said, { isError: true, content: [{ text: /did not agree/ }] }, JSON.stringify(answer))
      t.equal(asked.length, 1)
      t.ok(await isThere(session_id))
    }
  })

  t.test(`${kind}: all keys of a prefix go only if the user agrees; one key goes without a question`, async t => {
    const answers: Reply[] = [{ action: 'decline' }, YES]
    const { callTool, asked } = await connect(t, () => answers.shift() as Reply)
    for (const key of ['plan/1', 'plan/2', 'other']) await ok(app, 'set_memory', { key, value: 1 }, { agent_id: 'ada' })
    const forget = (args: Record<string, unknown>) => callTool({ name: 'delete_memory', arguments: args })
    t.match(await forget({ key: 'other' }), { structuredContent: { count: 1 } })
    t.same(asked, [])
    t.match(await forget({ prefix: 'plan/' }), { isError: true })
    t.match(await forget({ prefix: 'plan/' }), { structuredContent: { count: 2 } })
    t.match(asked, [/prefix: "plan\/"/, /prefix: "plan\/"/])
  })

  t.test(`${kind}: a client that cannot ask is not asked`, async t => {
    const { callTool } = await connect(t)
    const session_id = await newSession(app, { agent_id: 'ada' })
    const answer = await callTool({ name: 'delete_session', arguments: { session_id } })
    t.match(answer, { structuredContent: { deleted: true } })
  })
}

/** The header of an MCP session of 2025 whose client can ask. */
async function askingSession(): Promise<Record<string, string>> {
  const { params, ...rest } = initialize('asks')
  const opened = await post(app, { ...rest, params: { ...params, capabilities: { elicitation: {} } } })
  return { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
}

const deletion = (session_id: string) => ({
  ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
  params: { name: 'delete_session', arguments: { session_id } }
})

t.test('a user is not asked for what the call may not do, nor where no question can be sent', async t => {
  const session_id = await newSession(app, { agent_id: 'ada' })
  const session = await askingSession()
  const nobody = await post(app, deletion(session_id), session)
  t.match(nobody.body.result, { isError: true, content: [{ text: /AUTHENTICATION_REQUIRED/ }] })
  const json = { ...session, ...credentials({ agent_id: 'ada' }), accept: 'application/json' }
  t.match((await post(app, deletion(session_id), json)).body.result, { structuredContent: { deleted: true } })
  const plain = { ...(await openSession(app)), ...credentials({ agent_id: 'ada' }) }
  const second = await newSession(app, { agent_id: 'ada' })
  t.match((await post(app, deletion(second), plain)).body.result, { structuredContent: { deleted: true } })
})

t.test('a client that goes away has not agreed, and answers to nothing are passed over', async t => {
  const session_id = await newSession(app, { agent_id: 'ada' })
  const session = await askingSession()
  const aborter = new AbortController()
  const request = {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...session,
      ...credentials({ agent_id: 'ada' })
    }
  }
  const response = await fetch(`${base}/mcp`, {
    ...request,
    body: JSON.stringify(deletion(session_id)),
    signal: aborter.signal
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const question = new TextDecoder().decode((await reader.read()).value)
  const { id } = JSON.parse(/data: (.*)/.exec(question)?.[1] ?? '{}')
  t.match(question, '"method":"elicitation/create"')
  aborter.abort()
  await until(() => app.load.in_flight === 0, 'the call is over')
  for (const answered of [id, 'confirm-1', 3]) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: answered, result: YES })
    t.equal((await fetch(`${base}/mcp`, { ...request, body })).status, 202)
  }
  t.ok(await isThere(session_id))
})

t.test('over stdio a client of 2025 is asked too', async t => {
  for (const agreed of [true, false]) {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const local = serveLocal(app.server, { agent_id: 'ada', agent_type: 'x', stdin, stdout })
    t.teardown(() => local.close())
    const lines: any[] = []
    let rest = ''
    stdout.on('data', chunk => {
      const parts = (rest + String(chunk)).split('\n')
      rest = parts.pop() as string
      lines.push(...parts.map(line => JSON.parse(line)))
    })
    const send = (message: unknown) => stdin.write(`${JSON.stringify(message)}\n`)
    const { params, ...opening } = initialize('asks')
    send({ ...opening, params: { ...params, capabilities: { elicitation: {} } } })
    await until(() => lines.some(({ id }) => id === 0), 'it is open')
    send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    const session_id = await newSession(app, { agent_id: 'ada' })
    send(deletion(session_id))
    await until(() => lines.some(({ method }) => method === 'elicitation/create'), 'it is asked')
    const { id, params: asked } = lines.find(({ method }) => method === 'elicitation/create')
    t.match(asked.message, session_id)
    send({ jsonrpc: '2.0', id, result: agreed ? YES : { action: 'decline' } })
    await until(() => lines.some(({ id }) => id === 7), 'it is answered')
    const { result } = lines.find(({ id }) => id === 7)
    t.match(result, agreed ? { structuredContent: { deleted: true } } : { isError: true })
    t.equal(await isThere(session_id), !agreed)
  }
})

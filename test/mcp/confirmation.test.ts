import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import t, { type Test } from 'tap'
import { API_KEY, call, listen, newSession, startApp } from '../helper.js'
import { MODERN } from './clients.js'

/** Before what cannot be taken back, a client that can ask its user is told to. */

const app = await startApp(t)
const base = await listen(app)

/** A client of 2026-07-28 whose user answers so; undefined: it cannot ask. */
async function connect(t: Test, answer?: () => { action: 'accept' | 'decline' | 'cancel'; content?: any }) {
  const asked: string[] = []
  const client = new Client(
    { name: 'asks', version: '1' },
    {
      versionNegotiation: { mode: { pin: MODERN } },
      capabilities: answer === undefined ? {} : { elicitation: { form: {} } }
    }
  )
  if (answer !== undefined)
    client.setRequestHandler('elicitation/create', async request => {
      asked.push(request.params.message)
      return answer()
    })
  const headers = { 'x-api-key': API_KEY, 'x-agent-id': 'ada' }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { requestInit: { headers } }))
  t.teardown(() => client.close())
  return { client, asked }
}

const isThere = async (session_id: string) => (await call(app, 'get_session', { session_id })).status === 200

t.test('the user agrees: it is done, once, and only that was asked', async t => {
  const { client, asked } = await connect(t, () => ({ action: 'accept', content: { confirm: true } }))
  const session_id = await newSession(app, { agent_id: 'ada' })
  t.match(await client.callTool({ name: 'get_session', arguments: { session_id } }), { isError: undefined })
  t.same(asked, [])
  const answer = await client.callTool({ name: 'delete_session', arguments: { session_id } })
  t.match(answer, { structuredContent: { deleted: true } })
  t.equal(asked.length, 1)
  t.match(asked[0], `Delete a session? This cannot be taken back. session_id: "${session_id}"`)
  t.notOk(await isThere(session_id))
})

t.test('the user does not: nothing is done', async t => {
  for (const answer of [
    { action: 'accept' as const, content: { confirm: false } },
    { action: 'accept' as const, content: {} },
    { action: 'decline' as const },
    { action: 'cancel' as const }
  ]) {
    const { client, asked } = await connect(t, () => answer)
    const session_id = await newSession(app, { agent_id: 'ada' })
    const said = await client.callTool({ name: 'delete_session', arguments: { session_id } })
    t.match(said, { isError: true, content: [{ text: /did not agree/ }] })
    t.equal(asked.length, 1)
    t.ok(await isThere(session_id))
  }
})

t.test('a client that cannot ask is not asked', async t => {
  const { client } = await connect(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  const answer = await client.callTool({ name: 'delete_session', arguments: { session_id } })
  t.match(answer, { structuredContent: { deleted: true } })
})

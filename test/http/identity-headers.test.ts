import t from 'tap'
import { API_KEY, listen, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { exchange } from '../support/raw-http.js'

/** X-Agent-Id and X-Agent-Type are bytes on the wire: UTF-8 where they are that, as clients send it. */

const app = await startApp(t)
const base = await listen(app)

async function create(name: Buffer, type: Buffer, path = '/mcp/tool/create_session'): Promise<any> {
  const args = { purpose: 'named' }
  const body = path.startsWith('/mcp/tool')
    ? JSON.stringify(args)
    : JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'create_session', arguments: args }
      })
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${new URL(base).host}\r\nConnection: close\r\nX-API-Key: ${API_KEY}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nX-Agent-Id: `
  return exchange(base, [
    Buffer.concat([Buffer.from(head), name, Buffer.from('\r\nX-Agent-Type: '), type, Buffer.from(`\r\n\r\n${body}`)])
  ])
}

async function typeOf(session_id: string, agent_id: string): Promise<string | undefined> {
  const { sender_type } = await app.database.db
    .selectFrom('messages')
    .select('sender_type')
    .where('session_id', '=', session_id)
    .where('sender', '=', agent_id)
    .executeTakeFirstOrThrow()
  return sender_type
}

t.test('names and types in UTF-8', async t => {
  for (const name of ['Zoë', '日本', 'Ωμέγα', 'Agent 🤖', '한글']) {
    const { token } = await ok(app, 'authenticate_agent', { agent_id: name, agent_type: name })
    const { created_by } = await ok(app, 'create_session', { purpose: 'by token' }, { token })
    const { status, body } = await create(Buffer.from(name), Buffer.from(name))
    t.equal(status, 200, JSON.stringify(body))
    t.equal(body.created_by, created_by, `${name} is authenticate_agent's ${name}`)
    const { body: overMcp } = await create(Buffer.from(name), Buffer.from(name), '/mcp')
    t.equal(overMcp.result.structuredContent.created_by, created_by, `${name} over MCP`)
    await ok(
      app,
      'add_message',
      { session_id: body.session_id, content: 'x' },
      {
        headers: {
          'x-agent-id': Buffer.from(name).toString('latin1'),
          'x-agent-type': Buffer.from(name).toString('latin1')
        }
      }
    )
    t.equal(await typeOf(body.session_id, created_by), name, `${name} as a type`)
  }
})

t.test('other bytes are read as Latin-1', async t => {
  const { status, body } = await create(Buffer.from('Zoë', 'latin1'), Buffer.from('x'))
  t.equal(status, 200)
  t.equal(body.created_by, 'Zoë')
})

t.test('control characters are refused in either', async t => {
  for (const bytes of ['a\u0085b', 'a\u009fb'])
    isFailure(t, await create(Buffer.from(bytes), Buffer.from('x')), 'INVALID_INPUT', JSON.stringify(bytes))
  const long = await create(Buffer.from('é'.repeat(101)), Buffer.from('x'))
  isFailure(t, long, 'INVALID_INPUT', 'too long, in characters')
  t.equal(
    (await create(Buffer.from('é'.repeat(100)), Buffer.from('x'))).status,
    200,
    'as long as may be, in characters'
  )
})

import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Agent } from '../../src/kernel/agent.js'
import { plain } from '../../src/http/openapi.js'
import { type As, call, newSession, ok, startApp } from '../helper.js'
import { callTool, request } from '../mcp/clients.js'
import { samples } from '../support/samples.js'
import { told } from './told.js'

/**
 * A good token of another workspace, and ids that are guessed: what is not one's own is not there, in the same words as
 * what is not.
 */

const app = await startApp(t)

function tokenOf(agent: Partial<Agent>): string {
  return app.server.verifiers.tokens.sign(
    { workspace: 'default', agent_id: 'agent-1', agent_type: 'custom', permissions: ['read', 'write'], ...agent },
    randomUUID()
  ).token
}

const stranger: As = { token: tokenOf({ workspace: 'elsewhere' }) }
const strangeAdmin: As = {
  token: tokenOf({ workspace: 'elsewhere', agent_id: 'an-admin', permissions: ['read', 'write', 'admin'] })
}
const session_id = await newSession(app)
const { message_id } = await ok(app, 'add_message', { session_id, content: 'the unguessable walrus' })
await ok(app, 'set_memory', { key: 'walrus', value: 'walrus' })
await ok(app, 'set_memory', { key: 'walrus', value: 'walrus', session_id })

t.test('every tool that is given an id of another workspace', async t => {
  let asked = 0
  for (const tool of app.kernel.tools) {
    const { properties } = plain(tool.input) as { properties: Record<string, { type?: string }> }
    const names = ['session_id', 'message_id', 'parent_message_id'].filter(name => name in properties)
    for (const name of names) {
      const { args } = await (samples[tool.name] as (typeof samples)[string])(app)
      const own = await newSession(app, stranger)
      // A session of one's own, and a message that is the neighbour's, or the other way round.
      const base = {
        ...args,
        ...('session_id' in properties && { session_id: own }),
        ...('parent_message_id' in args && { parent_message_id: undefined }),
        ...('messages' in args && { messages: [{ content: 'x' }] }),
        idempotency_key: undefined,
        cursor: undefined,
        key: 'key' in args ? 'walrus' : undefined
      }
      const given = Object.fromEntries(Object.entries(base).filter(([, value]) => value !== undefined))
      for (const as of [stranger, strangeAdmin]) {
        const [theirs, nobodys] = await Promise.all(
          name === 'session_id'
            ? [
                call(app, tool.name, { ...given, session_id }, as),
                call(app, tool.name, { ...given, session_id: 'session_0000000000000000' }, as)
              ]
            : [
                call(app, tool.name, { ...given, [name]: message_id }, as),
                call(app, tool.name, { ...given, [name]: 999_999_999 }, as)
              ]
        )
        const said = JSON.stringify(told(theirs)).replaceAll(session_id, 'X').replaceAll(String(message_id), 'Y')
        t.equal(
          said,
          JSON.stringify(told(nobodys)).replaceAll('session_0000000000000000', 'X').replaceAll('999999999', 'Y'),
          `${tool.name} with another's ${name} answers as if there were none`
        )
        t.notMatch(said, 'walrus')
        asked++
      }
    }
  }
  t.ok(asked >= 30, `${asked} calls`)
})

t.test('lists, searches, resources, prompts, streams and the audit log of another workspace', async t => {
  for (const as of [stranger, strangeAdmin]) {
    t.notMatch(JSON.stringify((await ok(app, 'list_sessions', { limit: 200 }, as)).sessions), session_id)
    t.same((await ok(app, 'search_context', { query: 'unguessable walrus' }, as)).results, [])
    t.same((await ok(app, 'list_memory', { session_id: 'all' }, as)).entries, [])
    const headers = { authorization: `Bearer ${as.token}` }
    for (const era of ['legacy', 'modern'] as const) {
      for (const uri of [`session://${session_id}`, `session://${session_id}/messages/10`])
        t.match(
          (await request(app, era, 'resources/read', { uri }, headers)).body.error,
          { data: { code: 'SESSION_NOT_FOUND' } },
          uri
        )
      t.notMatch(JSON.stringify((await request(app, era, 'resources/list', {}, headers)).body), session_id)
      t.notMatch(
        JSON.stringify(
          (await request(app, era, 'prompts/get', { name: 'debug-session', arguments: { session_id } }, headers)).body
        ),
        'walrus'
      )
      t.match(await callTool(app, era, 'get_session', { session_id }, headers), { isError: true })
    }
    t.equal((await app.server.inject({ url: `/mcp/sessions/${session_id}/events`, headers })).statusCode, 404)
  }
  const rows = (await ok(app, 'get_audit_log', { limit: 1000 }, strangeAdmin)).entries as Array<{
    session_id: string | null
  }>
  t.ok(rows.length > 0)
  t.notOk(
    rows.some(row => row.session_id === session_id),
    'an admin reads the audit of its own workspace'
  )
})

t.test('an agent of the same name and type in another workspace is another', async t => {
  await ok(app, 'add_message', { session_id, content: 'a private walrus', visibility: 'private' })
  await ok(app, 'add_message', { session_id, content: 'a walrus of our kind', visibility: 'agent_only' })
  t.same((await ok(app, 'search_context', { query: 'walrus' }, stranger)).results, [])
  t.match(await call(app, 'get_memory', { key: 'walrus' }, stranger), {
    status: 404,
    body: { code: 'MEMORY_NOT_FOUND' }
  })
  t.same(await ok(app, 'delete_memory', { key: 'walrus' }, stranger), {
    success: true,
    deleted: false,
    count: 0
  })
  t.match(await ok(app, 'get_memory', { key: 'walrus' }), { value: 'walrus' })
  const key = randomUUID()
  const first = await ok(app, 'create_session', { purpose: 'mine', idempotency_key: key })
  t.not(
    (await ok(app, 'create_session', { purpose: 'mine', idempotency_key: key }, stranger)).session_id,
    first.session_id,
    'an idempotency key is of one workspace'
  )
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'agent-1', agent_type: 'custom' })
  t.equal(
    (await ok(app, 'revoke_token', { agent_id: 'agent-1' }, strangeAdmin)).revoked,
    0,
    'nobody revokes tokens across workspaces'
  )
  t.equal((await call(app, 'list_sessions', {}, { token })).status, 200)
})

t.test('ids of sessions cannot be guessed, and guessing is no work for the server', async t => {
  const ids = await Promise.all(Array.from({ length: 50 }, () => newSession(app)))
  const bytes = ids.map(id => Buffer.from(id.slice('session_'.length), 'hex'))
  t.ok(bytes.every(one => one.length === 8))
  t.equal(new Set(ids).size, ids.length)
  for (let at = 0; at < 8; at++) t.ok(new Set(bytes.map(one => one[at])).size > 25, `byte ${at} is chance`)
  for (const guess of [
    'session_%',
    'session_________________',
    '*',
    session_id.toUpperCase(),
    session_id.slice(0, -1),
    `${session_id} `,
    `${session_id}'--`
  ]) {
    t.match(
      await call(app, 'get_session', { session_id: guess }),
      { status: 404, body: { code: 'SESSION_NOT_FOUND' } },
      guess
    )
  }
})

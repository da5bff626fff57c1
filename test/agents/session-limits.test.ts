import t from 'tap'
import { tools } from '../support/tools.js'
import { type As, call, listen, newSession, ok, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'
import { callTool, request } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'

/**
 * An agent that is limited to sessions: every tool, resource, prompt and stream is asked for another one, by both
 * fronts.
 */

const app = await startApp(t)
const base = await listen(app)
const WRITER: As = { agent_id: 'writer' }
const NO_SESSION = 'session_0000000000000000'
const SECRET = 'zebrafish'

const open = await newSession(app, WRITER, 'an open one')
const hidden = await newSession(app, WRITER, `about ${SECRET}`)
/** The agent had been in there before: what is its own is hidden with the rest. */
const BEFORE: As = { agent_id: 'limited', agent_type: 'kind' }
for (const visibility of ['public', 'private', 'agent_only'])
  await ok(app, 'add_message', { session_id: hidden, content: `@limited ${SECRET} ${visibility}`, visibility }, BEFORE)
const { message_id } = await ok(app, 'add_message', { session_id: hidden, content: SECRET }, BEFORE)
for (const session_id of [hidden, open, undefined])
  await ok(app, 'set_memory', { key: 'k', value: session_id === hidden ? SECRET : 1, session_id }, BEFORE)
await ok(app, 'add_message', { session_id: open, content: 'for everybody' }, WRITER)

async function limited(permissions: string[]): Promise<Record<string, string>> {
  const { api_key } = await ok(
    app,
    'create_api_key',
    { agent_id: 'limited', agent_type: 'kind', permissions, sessions: [open] },
    { admin: true, agent_id: 'boss' }
  )
  return { 'x-api-key': api_key }
}
async function byToken(headers: Record<string, string>): Promise<Record<string, string>> {
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'limited', agent_type: 'kind', requested_permissions: ['read', 'write', 'admin'] },
    { anonymous: true, headers }
  )
  return { authorization: `Bearer ${token}` }
}
const agent = await limited(['read', 'write'])
const admin = await limited(['admin'])
const WHO = {
  'an agent': agent,
  'an admin': admin,
  'an agent by token': await byToken(agent),
  'an admin by token': await byToken(admin)
}

/** What each tool takes besides a session; nothing where it is not here. */
const ARGS: Record<string, Record<string, unknown>> = {
  update_session: { purpose: 'x' },
  add_message: { content: 'x' },
  ask: { to: 'somebody', content: 'x' },
  add_messages: { messages: [{ content: 'x' }] },
  wait_for_messages: { timeout_seconds: 1, after_seq: 0 },
  search_context: { query: SECRET },
  search_memory: { query: SECRET },
  search_by_sender: { sender: 'limited' },
  search_by_timerange: { start_time: '2020-01-01', end_time: '2999-01-01' },
  set_memory: { key: 'k', value: 1 },
  get_memory: { key: 'k' },
  delete_memory: { key: 'k' },
  update_memory: { key: 'k', op: 'increment', value: 1 },
  memory_history: { key: 'k' },
  create_task: { title: 'x' },
  create_tasks: { tasks: [{ title: 'x' }] }
}

const words = ({ timestamp, request_id, ...rest }: any) => rest as Record<string, unknown>

for (const [kind, headers] of Object.entries(WHO)) {
  const as: As = { anonymous: true, headers }
  const ofSessions = tools.filter(
    tool =>
      'session_id' in tool.input.properties &&
      tool.name !== 'get_audit_log' &&
      (tool.permission !== 'admin' || kind.startsWith('an admin'))
  )

  t.test(`${kind}: a session that is not its own is not there, in the same words`, async t => {
    for (const tool of ofSessions) {
      const args = { ...ARGS[tool.name] }
      const answer = await call(app, tool.name, { ...args, session_id: hidden }, as)
      isFailure(t, answer, 'SESSION_NOT_FOUND', tool.name)
      const missing = words((await call(app, tool.name, { ...args, session_id: NO_SESSION }, as)).body)
      t.same(words(answer.body), missing, `${tool.name} over REST`)
      for (const era of ['legacy', 'modern'] as const) {
        t.same(
          words((await callTool(app, era, tool.name, { ...args, session_id: hidden }, headers)).said),
          missing,
          `${tool.name} over MCP, ${era}`
        )
      }
    }
    for (const id of [message_id, 999_999_999])
      isFailure(
        t,
        await call(app, 'set_message_visibility', { message_id: id, visibility: 'private' }, as),
        'MESSAGE_NOT_FOUND'
      )
    isFailure(
      t,
      await call(app, 'add_message', { session_id: open, content: 'x', parent_message_id: message_id }, as),
      'MESSAGE_NOT_FOUND'
    )
  })

  t.test(`${kind}: what covers all sessions covers its own`, async t => {
    t.same(
      (await ok(app, 'list_sessions', {}, as)).sessions.map(({ id }: { id: string }) => id),
      [open]
    )
    t.same((await ok(app, 'list_sessions', { query: SECRET }, as)).sessions, [])
    t.same((await ok(app, 'search_context', { query: SECRET, fuzzy_threshold: 0 }, as)).results, [])
    t.ok((await ok(app, 'search_context', { query: 'everybody' }, as)).message_count > 0)
    t.ok(
      (await ok(app, 'list_memory', { session_id: 'all' }, as)).entries.every(
        ({ session_id }: { session_id: string | null }) => session_id !== hidden
      )
    )
    isFailure(t, await call(app, 'create_session', { purpose: 'another' }, as), 'PERMISSION_DENIED')
    t.match(await ok(app, 'add_message', { session_id: open, content: 'hello' }, as), { session_id: open })
    if (kind.startsWith('an admin')) {
      const { entries } = await ok(app, 'get_audit_log', { limit: 1000 }, as)
      t.ok(entries.length > 0 && entries.every(({ session_id }: { session_id: string }) => session_id === open))
      t.equal((await ok(app, 'get_audit_log', { session_id: hidden }, as)).count, 0)
    }
  })

  t.test(`${kind}: resources and prompts`, async t => {
    for (const era of ['legacy', 'modern'] as const) {
      const answers = [
        await request(app, era, 'resources/list', {}, headers),
        await request(app, era, 'resources/read', { uri: `session://${hidden}` }, headers),
        await request(app, era, 'resources/read', { uri: `session://${hidden}/messages/5` }, headers),
        await request(app, era, 'resources/read', { uri: 'agent://limited/memory' }, headers),
        await request(app, era, 'prompts/get', { name: 'debug-session', arguments: { session_id: hidden } }, headers),
        await request(
          app,
          era,
          'prompts/get',
          { name: 'setup-collaboration', arguments: { purpose: 'p', expert_roles: 'r', session_id: hidden } },
          headers
        )
      ]
      for (const { body } of answers) t.notOk(JSON.stringify(body).includes(SECRET))
      t.ok(JSON.stringify(answers[0]?.body).includes(open) && !JSON.stringify(answers[0]?.body).includes(hidden))
      for (const { body } of [answers[1], answers[2], answers[4], answers[5]] as any[]) t.ok(body.error !== undefined)
    }
  })

  t.test(`${kind}: streams and waiting`, async t => {
    const other = await openStream(base, `/mcp/sessions/${hidden}/events`, WRITER)
    t.teardown(() => {
      other.close()
    })
    await other.waitFor(events => events.length > 0)
    isFailure(
      t,
      await call(app, 'wait_for_messages', { session_id: hidden, timeout_seconds: 1 }, as),
      'SESSION_NOT_FOUND',
      'also where others follow'
    )
    const refused = await openStream(base, `/mcp/sessions/${hidden}/events`, as)
    t.equal(refused.status, 404)
    refused.close()
    const all = await openStream(base, '/mcp/events', as)
    t.teardown(() => {
      all.close()
    })
    await all.waitFor(events => events.length > 0)
    const { message_id: secret } = await ok(
      app,
      'add_message',
      { session_id: hidden, content: `${SECRET} streamed` },
      WRITER
    )
    await ok(app, 'set_message_visibility', { message_id: secret, visibility: 'private' }, WRITER)
    const { message_id: last } = await ok(
      app,
      'add_message',
      { session_id: open, content: `the last for ${kind}` },
      WRITER
    )
    await all.waitFor(events => events.some(({ data }) => data.message?.id === last))
    t.notOk(all.text().includes(hidden) || all.text().includes(SECRET))
    const again = await openStream(base, '/mcp/events', as, all.events[0]?.id)
    t.teardown(() => {
      again.close()
    })
    await again.waitFor(events => events.some(({ data }) => data.message?.id === last))
    t.notOk(again.text().includes(hidden) || again.text().includes(SECRET), 'nor when it comes back')
  })
}

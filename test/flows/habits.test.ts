import { test } from 'tap'
import { ADMIN_API_KEY, API_KEY, listen, startApp } from '../helper.js'
import { authenticate, bearing, post } from './client.js'

test('a chain keeps a list of messages under <agent>_conversation_history, with session_id null', async t => {
  const url = await listen(await startApp(t))
  const chain = await authenticate(url, 'langchain-agent', 'langchain', API_KEY)
  const key = 'langchain-agent_conversation_history'
  const load = async () => chain.call('get_memory', { key, session_id: null })
  t.match(await load(), { success: false, code: 'MEMORY_NOT_FOUND', error: String }, 'the first run finds nothing')

  const history: unknown[] = []
  let version = 0
  for (let turn = 0; turn < 5; turn++) {
    history.push(
      { type: 'human', content: `Question ${turn} – “wo?” 世界 🚀` },
      { type: 'ai', content: `Answer ${turn}\n`, tool_calls: [], usage: null }
    )
    const stored = await chain.call('set_memory', {
      key,
      value: history,
      session_id: null,
      expires_in: null,
      metadata: null
    })
    t.match(stored, { success: true, key, scope: 'global', session_scoped: false, expires_at: null })
    t.ok(stored.version > version, 'versions grow')
    version = stored.version
    t.same((await load()).value, history, 'it comes back as it was stored')
  }
  const again = await authenticate(url, 'langchain-agent', 'langchain', API_KEY)
  t.same((await again.call('get_memory', { key })).value, history, 'another process of the same agent finds it')
  const other = await authenticate(url, 'another-agent', 'langchain', API_KEY)
  t.match(await other.call('get_memory', { key }), { code: 'MEMORY_NOT_FOUND' }, 'nobody else does')
  t.match(await chain.call('delete_memory', { key, session_id: null }), { success: true, deleted: true })
})

test('a custom agent that asks for admin with the plain key gets what the key allows', async t => {
  const url = await listen(await startApp(t))
  const agent = await authenticate(url, 'custom-agent', 'custom', API_KEY, ['read', 'write', 'admin'])
  t.same(agent.answer.permissions, ['read', 'write'])
  t.match(agent.answer, {
    success: true,
    token_type: 'Bearer',
    agent_id: 'custom-agent',
    agent_type: 'custom',
    expires_in: 86400
  })
  t.match(await agent.call('create_session', { purpose: 'Works' }), { success: true })
  t.match(await agent.call('get_audit_log'), {
    success: false,
    code: 'PERMISSION_DENIED',
    context: { required_permission: 'admin', current_permissions: ['read', 'write'] }
  })
  const admin = await authenticate(url, 'custom-agent', 'custom', ADMIN_API_KEY, ['read', 'write', 'admin'])
  t.same(admin.answer.permissions, ['read', 'write', 'admin'])
  t.match(await admin.call('get_audit_log'), { success: true })
})

test('what sloppy clients send gets a clean answer', async t => {
  const url = await listen(await startApp(t))
  const clean = (answer: any, code: string, argument?: string) => {
    t.match(
      answer,
      {
        success: false,
        code,
        error: /\S/,
        severity: /^(warning|error|critical)$/,
        recoverable: Boolean,
        suggestions: [/\S/],
        timestamp: /^\d{4}-.*Z$/,
        request_id: /\S/
      },
      code
    )
    if (argument !== undefined) t.equal(answer.context.argument, argument)
  }

  const failed = await post(url, 'authenticate_agent', { agent_id: 'a', agent_type: 'custom', api_key: 'wrong' })
  clean(failed, 'INVALID_API_KEY')
  clean(await bearing(url, failed.token ?? 'None').call('create_session', { purpose: 'p' }), 'INVALID_TOKEN')
  clean(await bearing(url, 'null').call('list_sessions'), 'INVALID_TOKEN')
  clean(
    await post(url, 'list_sessions', {}, { authorization: 'Bearer None', 'x-api-key': API_KEY, 'x-agent-id': 'a' }),
    'INVALID_TOKEN'
  )
  clean(await post(url, 'list_sessions', {}, { authorization: 'Bearer ' }), 'INVALID_TOKEN')

  const agent = await authenticate(url, 'a', 'custom', API_KEY)
  clean(await agent.call('add_message', { session_id: null, content: 'Hello' }), 'INVALID_INPUT', 'session_id')
  clean(await agent.call('get_messages', { session_id: null }), 'INVALID_INPUT', 'session_id')
  clean(await agent.call('get_session', {}), 'INVALID_INPUT', 'session_id')
  clean(await agent.call('add_message', { session_id: 'session_of_yesterday', content: 'Hello' }), 'SESSION_NOT_FOUND')

  const { session_id } = await agent.call('create_session', { purpose: 'p' })
  clean(await agent.call('add_message', { session_id, content: '' }), 'INVALID_INPUT', 'content')
  clean(await agent.call('add_message', { session_id, message: 'Hello' }), 'INVALID_INPUT', 'message')
  clean(await agent.call('no_such_tool', {}), 'TOOL_NOT_FOUND')

  t.match(await agent.call('set_memory', { key: '  the last thing I did ', value: '' }), {
    success: true,
    key: 'the last thing I did'
  })
  const { value } = await agent.call('get_memory', { key: 'the last thing I did' })
  t.equal(value, '', 'an empty string is a value')
  t.match(await agent.call('set_memory', { key: 'nothing', value: null }), { success: true })
  t.equal((await agent.call('get_memory', { key: 'nothing' })).value, null)

  t.match(await agent.call('get_messages', { session_id, limit: '5', offset: null, visibility_filter: null }), {
    success: true,
    messages: [],
    count: 0
  })
  const empty = await agent.call('search_context', { session_id, query: '' })
  t.same([empty.success, empty.results, empty.message_count], [true, [], 0], 'results is there, also when empty')
  const { message_id } = await agent.call('add_message', {
    session_id,
    content: 'x',
    metadata: '{"from": "a string"}',
    parent_message_id: null
  })
  t.ok(Number.isInteger(message_id))
  t.same((await agent.call('get_messages', { session_id })).messages[0].metadata, { from: 'a string' })
  t.same((await agent.call('add_message', { session_id, content: 'y' })).session_id, session_id)
  t.same(
    (await agent.call('get_messages', { session_id, limit: 1 })).messages[0].metadata,
    {},
    'metadata is always an object'
  )
})

test('a write repeated after a time-out happens once', async t => {
  const url = await listen(await startApp(t))
  const agent = await authenticate(url, 'a', 'custom', API_KEY)
  const { session_id } = await agent.call('create_session', { purpose: 'p' })
  const write = () =>
    agent.call('add_message', { session_id, content: 'COMPLETED: chapter 3', idempotency_key: 'chapter-3-done' })
  const answers = await Promise.all([write(), write(), write()])
  t.equal(new Set(answers.map(answer => answer.message_id)).size, 1)
  t.same(await write(), answers[0])
  t.equal((await agent.call('get_messages', { session_id })).count, 1)
})

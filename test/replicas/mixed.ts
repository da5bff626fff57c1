import type { Test } from 'tap'
import { ADMIN_API_KEY } from '../helper.js'
import { post } from '../support/rest.js'

const AS_ADMIN = { key: ADMIN_API_KEY, agent: 'admin' }

/**
 * Agents on a new replica use what an old one has never heard of. The old one goes on serving them and others: it shows
 * what it knows, shows nobody what is not for them, and what it writes is right on the new one.
 */
export async function useBoth(t: Test, fresh: string, aged: string): Promise<void> {
  const both = [fresh, aged]
  const succeed = async (url: string, tool: string, args: unknown, as = {}) => {
    const answer = await post(url, tool, args, as)
    t.match(answer, { status: 200, success: true }, `${tool} on ${url === fresh ? 'the new one' : 'the old one'}`)
    return answer
  }
  const ada = { agent: 'ada' }
  const { session_id } = await succeed(fresh, 'create_session', { purpose: 'new things', key: 'new things' }, ada)
  await succeed(fresh, 'add_message', { session_id, content: 'for all, ＠bob' }, ada)
  const secret = { session_id, content: 'for bob alone', visibility: 'direct', to: ['bob'], payload: { n: 1 } }
  const { message_id } = await succeed(fresh, 'add_message', secret, ada)
  await succeed(fresh, 'create_task', { session_id, title: 'do it' }, ada)
  await succeed(fresh, 'acquire_lease', { names: ['it'] }, ada)
  await succeed(fresh, 'set_namespace', { namespace: 'team', readers: ['*'], writers: ['*'] }, ada)
  await succeed(fresh, 'set_memory', { namespace: 'team', key: 'k', value: 1 }, ada)

  for (const [agent, sees] of [
    [ada, { old: 1, fresh: 2 }],
    [{ agent: 'eve' }, { old: 1, fresh: 1 }],
    [AS_ADMIN, { old: 2, fresh: 2 }]
  ] as const) {
    for (const url of both) {
      const expected = url === fresh ? sees.fresh : sees.old
      const { messages } = await succeed(url, 'get_messages', { session_id }, agent)
      t.equal(messages.length, expected, `${agent.agent} sees ${expected}`)
      const waited = await succeed(url, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 1 }, agent)
      t.equal(waited.messages.length, expected)
      const { results } = await succeed(url, 'search_context', { session_id, query: 'for bob alone' }, agent)
      t.notOk(expected === 1 && results.some((found: any) => found.message.id === message_id), 'no search shows more')
      for (const tool of ['get_session', 'mark_read', 'list_memory']) await succeed(url, tool, { session_id }, agent)
      await succeed(url, 'list_memory', { session_id: 'all' }, agent)
      await succeed(url, 'list_sessions', {}, agent)
    }
  }
  t.equal((await post(aged, 'get_memory', { key: 'k' }, ada)).code, 'MEMORY_NOT_FOUND', 'a namespace is not its own')

  // The old one writes where the new one compares.
  const first = await succeed(fresh, 'set_memory', { key: 'mine', value: 1 }, ada)
  await succeed(aged, 'set_memory', { key: 'mine', value: 2 }, ada)
  t.match(
    await post(fresh, 'set_memory', { key: 'mine', value: 3, if_version: first.version }, ada),
    { code: 'VERSION_CONFLICT' },
    'a value that the old one has written since is not overwritten unseen'
  )
  const { versions } = await succeed(fresh, 'memory_history', { key: 'mine' }, ada)
  t.same(
    versions.map(({ value }: any) => value),
    [2, 1]
  )

  await succeed(aged, 'add_message', { session_id, content: '@bob from the old one' }, { agent: 'eve' })
  await succeed(aged, 'delete_message', { message_id }, AS_ADMIN)
  const { messages } = await succeed(fresh, 'get_inbox', {}, { agent: 'bob' })
  t.notOk(
    messages.some(({ id }: any) => id === message_id),
    'what the old one deleted is in no inbox'
  )
  await succeed(aged, 'update_session', { session_id, purpose: 'old words' }, ada)
  t.match(await succeed(fresh, 'create_session', { purpose: 'p', key: 'new things' }, ada), { session_id })
  for (const url of both) await succeed(url, 'close_session', { session_id }, ada)
  await succeed(aged, 'delete_session', { session_id }, ada)
  t.equal((await post(fresh, 'get_session', { session_id }, ada)).code, 'SESSION_NOT_FOUND')
}

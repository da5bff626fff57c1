import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** list_workspaces: what the operator sees of all workspaces, and nobody else. */

const app = await startApp(t, { QUOTA_SESSIONS: '50', RETENTION_DAYS: '30' })
const ADMIN = { admin: true }

/** Makes a workspace, by its first key. @returns how one calls with that key */
async function begin(workspace: string, permissions = ['read', 'write']) {
  const key = { agent_id: 'ada', agent_type: 'x', permissions, workspace }
  const { api_key, key_id } = await ok(app, 'create_api_key', key, ADMIN)
  return { key_id: key_id as string, as: { anonymous: true, headers: { 'x-api-key': api_key, 'x-agent-id': 'ada' } } }
}

t.test('every workspace with what it holds', async t => {
  const { as, key_id } = await begin('one')
  await begin('two')
  const session_id = await newSession(app, as)
  await newSession(app, as)
  for (const content of ['a', 'four']) await ok(app, 'add_message', { session_id, content }, as)
  await ok(app, 'set_memory', { key: 'k', value: 'v' }, as)
  const list = async () => ok(app, 'list_workspaces', {}, ADMIN)
  const { workspaces, quotas, count, has_more } = await list()
  t.same(
    workspaces.map(({ workspace }: any) => workspace),
    ['default', 'one', 'two']
  )
  t.match(workspaces[1], {
    sessions: 2,
    session_messages: 2,
    largest_session: { session_messages: 2, session_bytes: workspaces[1].session_bytes },
    memory_entries: 1,
    largest_memory: { memory_entries: 1, memory_bytes: workspaces[1].memory_bytes },
    api_keys: 1,
    retention_days: 30
  })
  t.ok(workspaces[1].session_bytes >= 5 && workspaces[1].memory_bytes > 0)
  t.match(workspaces[2], { sessions: 0, session_bytes: 0, memory_bytes: 0, agents: 0, last_seen_at: null, api_keys: 1 })
  t.match(quotas, { sessions: 50, memory_bytes: app.config.quota_memory_bytes })
  t.same([count, has_more], [3, false])

  await ok(app, 'revoke_api_key', { key_id, workspace: 'one' }, ADMIN)
  await ok(app, 'set_retention', { days: 7 }, ADMIN)
  const after = (await list()).workspaces
  t.match(after[1], { workspace: 'one', api_keys: 0, sessions: 2 })
  t.match(after[0], { workspace: 'default', retention_days: 7 })
  const { entries } = await ok(app, 'get_audit_log', { event_type: 'workspaces_listed' }, ADMIN)
  t.equal(entries.length, 2, 'the rows are in the workspace of the operator')
})

t.test('page after page, each once', async t => {
  for (const name of ['w1', 'w2', 'w3']) await begin(name)
  const seen: string[] = []
  for (let cursor: string | undefined; ;) {
    const page = await ok(app, 'list_workspaces', { limit: 2, ...(cursor !== undefined && { cursor }) }, ADMIN)
    seen.push(...page.workspaces.map(({ workspace }: any) => workspace))
    if (page.next_cursor === null) break
    cursor = page.next_cursor
  }
  t.same(seen, [...new Set(seen)].sort())
  t.ok(seen.length >= 4 && seen.includes('w3'))
  isFailure(t, await call(app, 'list_workspaces', { cursor: 'x' }, ADMIN), 'INVALID_INPUT')
})

t.test('admins of a workspace are refused', async t => {
  const { as } = await begin('three', ['read', 'write', 'admin'])
  const answer = await call(app, 'list_workspaces', {}, as)
  isFailure(t, answer, 'PERMISSION_DENIED')
  t.notMatch(JSON.stringify(answer.body), /default|"one"/)
})

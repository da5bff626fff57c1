import t from 'tap'
import { type As, call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

/** list_agents and set_status: who there is, who waits, and what they say of themselves. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const SENDER = { agent_id: 'sender', agent_type: 'red' }

/** Known at once, and not a second after the first call. */
async function known(agent_id: string, agent_type = 'blue', status = 'here'): Promise<As> {
  const as = { agent_id, agent_type }
  await ok(app, 'set_status', { status }, as)
  return as
}
const listed = async (args: Record<string, unknown>, as: As = SENDER): Promise<any[]> =>
  (await ok(app, 'list_agents', args, as)).agents
const one = async (agent_id: string, as: As = SENDER) =>
  (await listed({ query: agent_id }, as)).find(agent => agent.agent_id === agent_id)

t.test('filters and pages', async t => {
  for (const name of ['crow-1', 'crow-2', 'crow-3']) await known(name, 'bird', `${name} flies`)
  await known('cat', 'feline', 'asleep')
  t.same(
    (await listed({ agent_type: 'bird' })).map(({ agent_id }) => agent_id),
    ['crow-1', 'crow-2', 'crow-3']
  )
  t.same(
    (await listed({ query: 'CROW-2 fl' })).map(({ agent_id }) => agent_id),
    ['crow-2'],
    'by status'
  )
  t.match(await one('cat'), { agent_type: 'feline', status: 'asleep', waiting: false, inbox: 0, last_seen_at: /Z$/ })
  t.same((await listed({ query: '%' })).length, 0)
  const pages: string[] = []
  let cursor: string | null = null
  do {
    const page: any = await ok(app, 'list_agents', { agent_type: 'bird', limit: 2, cursor })
    pages.push(...page.agents.map(({ agent_id }: any) => agent_id as string))
    cursor = page.next_cursor
  } while (cursor !== null)
  t.same(pages, ['crow-1', 'crow-2', 'crow-3'])
  const { next_cursor } = await ok(app, 'list_agents', { agent_type: 'bird', limit: 1 })
  isFailure(t, await call(app, 'list_agents', { cursor: next_cursor }), 'INVALID_INPUT')
  for (const args of [{ active_within_seconds: 0 }, { limit: 201 }, { query: 'x'.repeat(201) }])
    isFailure(t, await call(app, 'list_agents', args), 'INVALID_INPUT')
  // What it called before may still be written, as late as presence is.
  await until(async () => {
    await app.database.db
      .updateTable('agents')
      .set({ last_seen_at: '2020-01-01T00:00:00.000Z' })
      .where('agent_id', '=', 'crow-1')
      .execute()
    return (await listed({ agent_type: 'bird', active_within_seconds: 3600 })).length === 2
  }, 'only two of them have called lately')
})

t.test('a status ends by itself, and can be taken back', async t => {
  const me = await known('speaker')
  t.match(await ok(app, 'set_status', { status: '  世界 🚀 ', expires_in: 5 }, me), {
    agent_id: 'speaker',
    expires_at: /Z$/
  })
  t.equal((await one('speaker')).status, '  世界 🚀 ')
  await until(async () => (await one('speaker')).status === null, 'the end of the status')
  await ok(app, 'set_status', { status: 'here' }, me)
  await ok(app, 'set_status', { status: '' }, me)
  t.equal((await one('speaker')).status, null)
  for (const args of [{ status: 'x'.repeat(201) }, { status: 5 }, {}])
    isFailure(t, await call(app, 'set_status', args, me), 'INVALID_INPUT')
  isFailure(t, await call(app, 'set_status', { status: 'x', expires_in: 0 }, me), 'INVALID_TTL')
})

t.test('waiting is who waits now, on any replica and for whatever', async t => {
  const session_id = await newSession(app)
  const waits: Array<[string, Record<string, unknown>]> = [
    ['wait_for_inbox', { timeout_seconds: 20 }],
    ['wait_for_messages', { session_id, timeout_seconds: 20 }],
    ['claim_task', { session_id, wait_seconds: 20 }]
  ]
  for (const [tool, args] of waits) {
    const me = await known(`waits-${tool}`)
    const answered = call(other, tool, args, me)
    await until(async () => (await one(`waits-${tool}`)).waiting === true, `${tool} waits`)
    const { addressed } = await ok(app, 'add_message', { session_id, content: 'x', to: [`waits-${tool}`] }, SENDER)
    t.match(addressed, [{ known: true, waiting: true }], tool)
    if (tool === 'claim_task') await ok(app, 'create_task', { title: 't', session_id })
    await answered
    await until(async () => (await one(`waits-${tool}`)).waiting === false, `${tool} has ended`)
  }
})

t.test('the count of an inbox is of what the viewer may see', async t => {
  const me = await known('busy')
  const session_id = await newSession(app)
  const write = async (more: Record<string, unknown>) =>
    (await ok(app, 'add_message', { session_id, content: 'x', to: ['busy'], ...more }, SENDER)).message_id as number
  const [first] = [await write({}), await write({ visibility: 'direct' }), await write({ to: ['type:blue'] })]
  const stranger = { agent_id: 'stranger', agent_type: 'green' }
  const counts = async () => [
    (await one('busy', me)).inbox,
    (await one('busy', SENDER)).inbox,
    (await one('busy', { ...stranger, admin: true })).inbox,
    (await one('busy', stranger)).inbox
  ]
  t.same(await counts(), [3, 3, 3, 2])
  await ok(app, 'ack_messages', { message_ids: [first] }, me)
  t.same(await counts(), [2, 2, 2, 1])
})

t.test('credentials for some sessions learn of agents there alone', async t => {
  const session_id = await newSession(app)
  await known('elsewhere')
  const { token } = await ok(app, 'authenticate_agent', {
    agent_id: 'guest',
    agent_type: 'blue',
    sessions: [session_id]
  })
  const limited = { token }
  const write = async (to: string[]) => await ok(app, 'add_message', { session_id, content: '@elsewhere', to }, limited)
  await write(['elsewhere'])
  await until(async () => (await listed({ query: 'guest' }, limited)).length === 1, 'its own presence')
  t.equal((await listed({ query: 'elsewhere' }, limited)).length, 0)
  t.match(await write(['elsewhere', 'type:blue']), {
    addressed: [{ agent_id: 'elsewhere', known: false }, { agent_id: 'type:blue' }],
    mentions: undefined,
    unresolved_mentions: ['elsewhere']
  })
  t.equal((await ok(app, 'get_inbox', { session_id }, { agent_id: 'elsewhere' })).count, 2, 'it gets them all the same')
})

import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { fronts } from '../support/pages.js'
import { countStatements } from '../support/statements.js'
import { until } from '../support/until.js'

/** What the answers of add_message and add_messages say of the names in a text. */

const app = await startApp(t)
const KNOWN = ['worker-1', 'planner', 'planner/helper-1', '小明', 'Data Analyst (v2)', 'Zoë', 'Ann']
const session_id = await newSession(app)
for (const agent_id of KNOWN) await ok(app, 'list_sessions', {}, { agent_id: Buffer.from(agent_id).toString('latin1') })
await until(
  async () => (await app.database.db.selectFrom('agents').select('agent_id').execute()).length >= KNOWN.length,
  'the agents are known'
)

/** A text, whom it mentions, and the names in it that nobody has. */
const TEXTS: Array<[content: string, mentions: string[], unresolved?: string[]]> = [
  ['no names here', []],
  ['@worker-1', ['worker-1']],
  ['＠worker-1 请看', ['worker-1']],
  ['请@worker-1看一下', ['worker-1']],
  ['@小明请看', ['小明']],
  ['@planner/helper-1: go', ['planner/helper-1']],
  ['@planner/helper-2: go', [], ['planner/helper-2']],
  ['@planner/@worker-1', ['planner', 'worker-1']],
  ['@Data Analyst (v2), please', ['Data Analyst (v2)']],
  ['@Data Analyst (v3), please', [], ['Data']],
  ['_@worker-1_ **@planner**', ['worker-1', 'planner']],
  ['@Worker-1 @ann', [], ['Worker-1', 'ann']],
  ['@worker-1 @worker-1 @worker-10.', ['worker-1'], ['worker-10']],
  ['me@worker-1 and https://x.org/@worker-1 and x.org/@planner', []],
  ['@Zoë and @Zoe\u0308', ['Zoë']],
  ['an @ alone, @@, @, @!', []],
  ['@张三', [], ['张三']]
]

for (const [front, ask] of Object.entries(fronts(app)))
  t.test(`over ${front}`, async t => {
    for (const [content, mentions, unresolved = []] of TEXTS) {
      const answer = await ask('add_message', { session_id, content })
      t.same(answer.mentions ?? [], mentions, content)
      t.same(answer.unresolved_mentions ?? [], unresolved, content)
      t.equal('mentions' in answer, mentions.length > 0, 'there where there were any')
    }
    const several = await ask('add_messages', {
      session_id,
      messages: TEXTS.slice(0, 6).map(([content]) => ({ content }))
    })
    t.same(several.mentions, ['worker-1', '小明', 'planner/helper-1'])
    t.notOk('unresolved_mentions' in several)
  })

t.test('who reads and what the writer was told agree', async t => {
  for (const agent_id of KNOWN) {
    const as = { agent_id: Buffer.from(agent_id).toString('latin1') }
    const own = await newSession(app)
    let told = 0
    for (const [content] of TEXTS) {
      const { mentions = [] } = await ok(app, 'add_message', { session_id: own, content })
      if (mentions.includes(agent_id)) told++
    }
    t.equal((await ok(app, 'get_session', { session_id: own }, as)).session.unread.mentions, told, agent_id)
    const waited = await ok(
      app,
      'wait_for_messages',
      { session_id: own, after_seq: 0, mentions_only: true, timeout_seconds: 0 },
      as
    )
    t.equal(waited.count, told, agent_id)
  }
})

t.test('a repeated call says what the first was told, although the agent has come since', async t => {
  for (const [tool, argsOf] of [
    ['add_message', (content: string) => ({ session_id, content })],
    ['add_messages', (content: string) => ({ session_id, messages: [{ content: 'x' }, { content }] })]
  ] as const) {
    const agent_id = `late-for-${tool}`
    const args = { ...argsOf(`@${agent_id} @worker-1`), idempotency_key: `mentions of ${tool}` }
    // The first of those at once writes; the others wait for it, or find its answer.
    const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => ok(app, tool, args)))
    t.match(first, { mentions: ['worker-1'], unresolved_mentions: [agent_id] })
    for (const other of others) t.same(other, first)
    await ok(app, 'list_sessions', {}, { agent_id })
    await until(
      async () => (await ok(app, 'add_message', { session_id, content: `@${agent_id}` })).mentions?.[0] === agent_id,
      'the agent is known'
    )
    t.same(await ok(app, tool, args), first, tool)
  }
  const plain = { session_id, content: 'no name', idempotency_key: 'no name' }
  t.same(await ok(app, 'add_message', plain), await ok(app, 'add_message', plain))
})

t.test('a text without a name costs no statement', async t => {
  const asked = countStatements(t, app)
  /** The least of several: in the background the service asks too. */
  const fewest = async (content: string) => {
    const counts: number[] = []
    for (let n = 0; n < 8; n++) {
      const before = asked.length
      await ok(app, 'add_message', { session_id, content })
      counts.push(asked.length - before)
    }
    return Math.min(...counts)
  }
  const plain = await fewest('plain')
  t.equal((await fewest('@worker-1 '.repeat(200))) - plain, 1, 'one with many names costs one')
})

t.test('an agent that is limited to a session learns of those alone that were in it', async t => {
  const { token } = await ok(app, 'authenticate_agent', {
    agent_id: 'limited',
    agent_type: 'x',
    sessions: [session_id]
  })
  const said = await ok(app, 'add_message', { session_id, content: '@planner' }, { token })
  t.same(said.unresolved_mentions, ['planner'])
  await ok(app, 'get_messages', { session_id }, { agent_id: 'planner' })
  await until(
    async () =>
      (await ok(app, 'add_message', { session_id, content: '@planner' }, { token })).mentions?.[0] === 'planner',
    'it was in the session'
  )
  t.equal((await call(app, 'get_session', { session_id }, { token })).status, 200)
})

t.test('calls that are written together are each told of their own names, by one statement', async t => {
  const limited = (
    await ok(app, 'authenticate_agent', { agent_id: 'also-limited', agent_type: 'x', sessions: [session_id] })
  ).token as string
  const asked = countStatements(t, app)
  const CALLS = 24
  const told = await Promise.all(
    Array.from({ length: CALLS }, async (_, n) => {
      const content = ['@worker-1', 'nobody', '@小明请看', '@type:x @Zoë'][n % 4] as string
      const to = n % 4 === 3 ? { to: ['type:x', 'ann'] } : {}
      const as = n % 8 === 0 ? { token: limited } : {}
      return ok(app, 'add_message', { session_id, content, ...to }, as)
    })
  )
  for (const [n, answer] of told.entries()) {
    const says = [
      n % 8 === 0 ? { unresolved_mentions: ['worker-1'] } : { mentions: ['worker-1'] },
      {},
      { mentions: ['小明'] },
      { mentions: ['Zoë'], unresolved_mentions: ['type'] }
    ][n % 4]
    const { mentions, unresolved_mentions } = answer
    t.same(
      { ...(mentions && { mentions }), ...(unresolved_mentions && { unresolved_mentions }) },
      says,
      JSON.stringify(answer)
    )
    t.same(
      (answer.addressed as Array<{ agent_id: string }> | undefined)?.map(one => one.agent_id) ?? [],
      n % 4 === 3 ? ['type:x', 'ann'] : []
    )
  }
  // One for each batch, and one for each call of the limited agent.
  t.ok(asked.length < CALLS, `${asked.length} statements for ${CALLS} calls`)
})

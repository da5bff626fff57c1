import fc from 'fast-check'
import t from 'tap'
import type { Agent, Permission } from '../../src/kernel/agent.js'
import { sessionTopic } from '../../src/kernel/events.js'
import type { EndReason, Following } from '../../src/feed/live.js'
import type { Change } from '../../src/feed/store/feed.js'
import { type As, call, newSession, ok, startApp, type TestApp } from '../helper.js'
import { token } from '../support/samples.js'
import { countStatements } from '../support/statements.js'
import { until } from '../support/until.js'
import { changesSince } from './changes.js'

/** Following a session's feed: what every viewer is told, in which order, and that nothing of it is kept afterwards. */

const app = await startApp(t)
const other = await startApp(t, {}, app)
const { db } = app.database

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const agent = (agent_id: string, agent_type: string, permissions: Permission[] = ['read']): Agent => ({
  workspace: 'default',
  agent_id,
  agent_type,
  permissions
})
const VIEWERS = {
  writer: agent('writer', 'red'),
  peer: agent('peer', 'red'),
  stranger: agent('stranger', 'blue'),
  admin: agent('boss', 'blue', ['read', 'admin'])
}
type Viewer = keyof typeof VIEWERS

async function write(on: TestApp, session_id: string, visibility = 'public', content = 'message'): Promise<number> {
  return (
    await ok(on, 'add_message', { session_id, content, visibility }, { ...WRITER, admin: visibility === 'admin_only' })
  ).message_id
}

async function change(on: TestApp, message_id: number, visibility: string): Promise<void> {
  await ok(on, 'set_message_visibility', { message_id, visibility }, { ...WRITER, admin: true })
}

interface Told {
  changes: Change[]
  cursors: number[]
  ended: EndReason[]
  following: Following
}

function follow(on: TestApp, session_id: string, viewer: Agent, after_seq: number, slow_ms = 0): Told {
  const told: Omit<Told, 'following'> = { changes: [], cursors: [], ended: [] }
  const following = on.server.live.follow(session_id, viewer, after_seq, {
    deliver(changes, cursor) {
      told.changes.push(...changes)
      told.cursors.push(cursor)
      return slow_ms > 0 ? new Promise(resolve => setTimeout(resolve, slow_ms)) : undefined
    },
    ended: reason => {
      told.ended.push(reason)
    }
  })
  return Object.assign(told, { following })
}

const brief = (changes: readonly Change[]) =>
  changes.map(each => {
    const id = 'message' in each ? each.message.id : 'message_id' in each ? each.message_id : ''
    return `${each.seq} ${each.type} ${id}`.trim()
  })

async function freed(): Promise<void> {
  for (const { server } of [app, other]) {
    await until(() => server.live.counts().followers + server.live.counts().sessions === 0, 'all freed')
  }
}
t.afterEach(freed)

t.test('what changed since a cursor, for each viewer', async t => {
  const session_id = await newSession(app, WRITER)
  const [one, two] = [await write(app, session_id), await write(app, session_id, 'private')]
  const since = async (viewer: Viewer, after: number) =>
    brief((await changesSince(db, VIEWERS[viewer], session_id, after, 100))?.changes ?? [])
  t.same(await since('stranger', 0), [`1 message_added ${one}`])
  t.same(await since('writer', 0), [`1 message_added ${one}`, `2 message_added ${two}`])
  await change(app, two, 'agent_only')
  t.same(await since('peer', 2), [`3 message_added ${two}`])
  t.same(await since('writer', 2), [`3 visibility_changed ${two}`])
  t.same(await since('stranger', 2), [])
  await change(app, one, 'private')
  t.same(await since('stranger', 3), [`4 message_hidden ${one}`])
  t.same(await since('stranger', 0), [], 'who never had it is not told that it went')
  t.same(await since('admin', 3), [`4 visibility_changed ${one}`])
  await ok(app, 'update_session', { session_id, purpose: 'other' }, WRITER)
  t.same(await since('stranger', 4), ['5 session_updated'])
  await ok(app, 'update_session', { session_id, is_active: false }, WRITER)
  t.same(await since('stranger', 4), ['6 session_closed'], 'as it is now, at its last change')
  await change(app, one, 'public')
  t.same(
    await since('stranger', 3),
    [`4 message_hidden ${one}`, '6 session_closed', `7 message_added ${one}`],
    'taken back and shown again in one reading: both'
  )
  t.same(await since('stranger', 0), ['6 session_closed', `7 message_added ${one}`])
  t.equal(await changesSince(db, VIEWERS.admin, 'session_ffffffffffffffff', 0, 10), undefined)
  const page = await changesSince(db, VIEWERS.stranger, session_id, 0, 3)
  t.match(
    page,
    { changes: [], cursor: 3, has_more: true, head: 7 },
    'a page may hold nothing for a viewer, and goes on'
  )
})

t.test('followers on another replica are told everything in order, once; who is behind catches up', async t => {
  const session_id = await newSession(app, WRITER)
  for (let i = 0; i < 250; i++) await write(app, session_id)
  const head = follow(other, session_id, VIEWERS.stranger, 250)
  const behind = follow(other, session_id, VIEWERS.stranger, 0, 1)
  const beyond = follow(other, session_id, VIEWERS.peer, 9999)
  for (let i = 0; i < 50; i++) await write(app, session_id)
  await until(
    () => behind.cursors.at(-1) === 300 && head.cursors.at(-1) === 300 && beyond.cursors.at(-1) === 300,
    'all there'
  )
  const seqs = (from: number) => Array.from({ length: 300 - from }, (_, i) => from + i + 1)
  t.same(
    head.changes.map(({ seq }) => seq),
    seqs(250)
  )
  t.same(
    behind.changes.map(({ seq }) => seq),
    seqs(0)
  )
  t.ok(beyond.changes.length <= 50)
  for (const { following } of [head, behind, beyond]) following.close()
})

t.test('nobody is told what it may not see, of one reading for all', async t => {
  const session_id = await newSession(app, WRITER)
  const all = Object.entries(VIEWERS).map(([name, viewer]) => ({
    name: name as Viewer,
    told: follow(other, session_id, viewer, 0)
  }))
  const SEES: Record<Viewer, string[]> = {
    writer: ['public', 'private', 'agent_only'],
    peer: ['public', 'agent_only'],
    stranger: ['public'],
    admin: ['public', 'private', 'agent_only', 'admin_only']
  }
  for (const visibility of ['public', 'private', 'agent_only', 'admin_only'])
    await write(app, session_id, visibility, visibility)
  await until(() => all.every(({ told }) => told.cursors.at(-1) === 4), 'all told')
  for (const { name, told } of all) {
    t.same(
      told.changes.map(each => 'message' in each && each.message.content),
      SEES[name],
      name
    )
    told.following.close()
  }
})

const aStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      visibility: fc.constantFrom('public', 'private', 'agent_only', 'admin_only')
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      which: fc.nat(),
      visibility: fc.constantFrom('public', 'private', 'agent_only', 'admin_only')
    })
  },
  fc.record({ kind: fc.constant('update' as const) }),
  fc.record({
    kind: fc.constant('join' as const),
    viewer: fc.constantFrom(...(Object.keys(VIEWERS) as Viewer[])),
    back: fc.nat({ max: 12 })
  }),
  fc.record({ kind: fc.constant('pause' as const) })
)

t.test(
  'whatever is shown and hidden, a follower has in the end what it may see, met nothing twice, and was never told more',
  async t => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 8, maxLength: 30 }), async steps => {
        const session_id = await newSession(app, WRITER)
        const ids: number[] = []
        const followers: Array<{ viewer: Agent; from: number; told: Told; held: Set<number> }> = []
        const join = async (viewer: Agent, from: number) => {
          // What a reader at that cursor had: what it could see then. Only one from the start or from now on knows
          // that.
          const held = new Set<number>()
          followers.push({ viewer, from, held, told: follow(other, session_id, viewer, from) })
        }
        for (const viewer of Object.values(VIEWERS)) await join(viewer, 0)
        let seq = 0
        const visibilities = new Map<number, string>()
        for (const [i, step] of steps.entries()) {
          const on = i % 2 === 0 ? app : other
          if (step.kind === 'write') {
            const id = await write(on, session_id, step.visibility)
            ids.push(id)
            visibilities.set(id, step.visibility)
            seq++
          } else if (step.kind === 'change' && ids.length > 0) {
            const id = ids[step.which % ids.length] as number
            if (visibilities.get(id) !== step.visibility) seq++
            visibilities.set(id, step.visibility)
            await change(on, id, step.visibility)
          } else if (step.kind === 'update') {
            await ok(on, 'update_session', { session_id, metadata: { i } }, WRITER)
            seq++
          } else if (step.kind === 'join') await join(VIEWERS[step.viewer], Math.max(0, seq - step.back))
          else if (step.kind === 'pause') await new Promise(resolve => setTimeout(resolve, 5))
        }
        await until(
          () => followers.every(({ told, from }) => (told.cursors.at(-1) ?? from) === seq),
          'everybody is told'
        )
        for (const { viewer, from, told } of followers) {
          told.following.close()
          let last = from
          const has = new Set<number>()
          for (const each of told.changes) {
            if (each.seq <= last) throw new Error(`out of order: ${brief(told.changes).join(', ')}`)
            last = each.seq
            if (each.type === 'message_added') {
              if (has.has(each.message.id)) throw new Error(`twice: ${brief(told.changes).join(', ')}`)
              if (each.message.content === null) throw new Error('told without its content')
              has.add(each.message.id)
            } else if (each.type === 'message_hidden') has.delete(each.message_id)
          }
          const expected = (
            await ok(
              app,
              'get_messages',
              { session_id, after_seq: from, limit: 1000 },
              { agent_id: viewer.agent_id, agent_type: viewer.agent_type, admin: viewer.permissions.includes('admin') }
            )
          ).messages.map((message: any) => message.id as number)
          const missing = expected.filter((id: number) => !has.has(id))
          if (missing.length > 0)
            throw new Error(
              `${viewer.agent_id} from ${from} missed ${missing.join()}: ${brief(told.changes).join(', ')}`
            )
          if (from === 0 && has.size !== expected.length)
            throw new Error(`${viewer.agent_id} has what it may not see: ${brief(told.changes).join(', ')}`)
        }
      }),
      { numRuns: 25 }
    )
    t.pass()
  }
)

t.test('those who come back together, behind the others, are brought up together', async t => {
  const session_id = await newSession(app, WRITER)
  const first = follow(other, session_id, agent('first', 'blue'), 0)
  const messages = Array.from({ length: 300 }, (_, i) => ({ content: `message ${i}` }))
  for (let from = 0; from < 300; from += 100)
    await ok(app, 'add_messages', { session_id, messages: messages.slice(from, from + 100) }, WRITER)
  await until(() => first.changes.length === 300, 'the first one has all')
  const asked = countStatements(t, other)
  const waits = Array.from({ length: 40 }, (_, i) =>
    call(
      other,
      'wait_for_messages',
      { session_id, after_seq: 10, timeout_seconds: 60 },
      { agent_id: `back-${i}`, agent_type: 'blue' }
    )
  )
  for (const { body } of await Promise.all(waits))
    t.match(body, { count: 50, last_seq: 60, has_more: true, timed_out: false })
  t.ok(asked.length <= 15, `${asked.length} statements for 40 who came back`)
  const last = await ok(
    other,
    'wait_for_messages',
    { session_id, after_seq: 250, timeout_seconds: 60 },
    { agent_id: 'back-0', agent_type: 'blue' }
  )
  t.match(last, { count: 50, last_seq: 300, has_more: false })
  first.following.close()
})

t.test('who is a little behind is told exactly whether there is more, whatever of it is for others', async t => {
  const session_id = await newSession(app, WRITER)
  const first = follow(other, session_id, agent('first', 'blue'), 0)
  const expected: string[] = []
  for (let from = 0; from < 600; from += 100) {
    const messages = Array.from({ length: 100 }, (_, i) => ({
      content: `message ${from + i}`,
      visibility: i % 3 === 0 || from === 400 ? 'private' : 'public'
    }))
    expected.push(...messages.filter(({ visibility }) => visibility === 'public').map(({ content }) => content))
    await ok(app, 'add_messages', { session_id, messages }, WRITER)
  }
  await until(() => first.changes.length === expected.length, 'the first one has all')
  const reader: As = { agent_id: 'reader', agent_type: 'blue' }
  for (const limit of [7, 50, 300, 1000]) {
    const got: string[] = []
    for (let after_seq = 0, more = true; more;) {
      const answer = await ok(other, 'wait_for_messages', { session_id, after_seq, limit, timeout_seconds: 30 }, reader)
      got.push(...answer.messages.map(({ content }: any) => content))
      t.equal(
        answer.count,
        Math.min(limit, expected.length - got.length + answer.count),
        `${limit} at a time, or the rest`
      )
      more = answer.has_more
      after_seq = answer.last_seq
    }
    t.same(got, expected, `${limit} at a time`)
  }
  first.following.close()
})

t.test('one reading serves all who wait at one place', async t => {
  const session_id = await newSession(app, WRITER)
  const followers = Array.from({ length: 200 }, (_, i) => follow(other, session_id, agent(`follower-${i}`, 'blue'), 0))
  // Each has caught up by itself: nothing has been asked for a while.
  let quiet = 0
  await until(() => {
    quiet =
      other.database.pool.idleCount === other.database.pool.totalCount && other.server.live.counts().followers === 200
        ? quiet + 1
        : 0
    return quiet > 30
  }, 'settled')
  const asked = countStatements(t, other)
  await write(app, session_id)
  await until(() => followers.every(({ changes }) => changes.length === 1), 'all told')
  t.ok(asked.length <= 5, `${asked.length} statements for 200 followers`)
  for (const { following } of followers) following.close()
})

t.test('ends when the rights do, and says why', async t => {
  const session_id = await newSession(app, WRITER)
  const text = await token(app, 'short-lived')
  const { jti, expires_at } = await app.server.verifiers.tokens.verify(text)
  const revoked = follow(other, session_id, { ...VIEWERS.stranger, token: { jti, expires_at } }, 0)
  const expired = follow(
    other,
    session_id,
    { ...VIEWERS.stranger, token: { jti: 'another', expires_at: new Date(Date.now() + 700) } },
    0
  )
  const gone = follow(other, 'session_ffffffffffffffff', VIEWERS.stranger, 0)
  await ok(app, 'revoke_token', { token: text }, { token: text })
  await until(() => [revoked, expired, gone].every(({ ended }) => ended.length > 0), 'ended')
  t.same([revoked.ended, expired.ended, gone.ended], [['token_revoked'], ['token_expired'], ['session_gone']])
  await write(app, session_id)
  other.server.events.publish([sessionTopic('default', session_id)])
  await new Promise(resolve => setTimeout(resolve, 100))
  t.same([revoked.changes, expired.changes], [[], []], 'nothing after the end')
})

t.test('the database away for a while costs nothing but time', async t => {
  const session_id = await newSession(app, WRITER)
  const told = follow(other, session_id, VIEWERS.stranger, 0)
  await write(app, session_id)
  await until(() => told.changes.length === 1, 'told')
  const { pool } = other.database
  const connectTo = pool.connect.bind(pool)
  Object.assign(pool, {
    async connect() {
      throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
    }
  })
  await write(app, session_id)
  await new Promise(resolve => setTimeout(resolve, 700))
  t.equal(told.changes.length, 1)
  Object.assign(pool, { connect: connectTo })
  await until(() => told.changes.length === 2, 'told later')
  told.following.close()
})

t.test('when the replica stops, all who follow are told', async t => {
  const leaving = await startApp(t, {}, app)
  const session_id = await newSession(app, WRITER)
  const told = follow(leaving, session_id, VIEWERS.stranger, 0)
  leaving.stop()
  const late = follow(leaving, session_id, VIEWERS.stranger, 0)
  await until(() => late.ended.length > 0, 'ended')
  t.same([told.ended, late.ended], [['stopping'], ['stopping']])
  t.same(leaving.server.live.counts(), { sessions: 0, followers: 0 })
})

t.test(
  'many who follow one session are told together what came meanwhile, each of everything once and in order',
  async t => {
    const session_id = await newSession(app, WRITER)
    const many = Array.from({ length: 400 }, (_, i) => follow(other, session_id, agent(`listener-${i}`, 'blue'), 0))
    const written: number[] = []
    for (let i = 0; i < 40; i++) written.push(await write(app, session_id))
    await until(() => many.every(({ changes }) => changes.length >= written.length), 'all told')
    for (const { changes, following } of many) {
      t.same(
        changes.map(each => 'message' in each && each.message.id),
        written
      )
      following.close()
    }
    // The first at once, then there is too much to tell.
    t.ok(
      (many[0] as Told).cursors.length <= written.length / 2,
      `${(many[0] as Told).cursors.length} times for ${written.length} messages`
    )
  }
)

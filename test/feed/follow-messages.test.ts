import fc from 'fast-check'
import t from 'tap'
import { type As, newSession, ok, startApp } from '../helper.js'

/** A reader who goes from cursor to cursor: docs/semantics.md, Order, `seq` and `last_seq`. */

const app = await startApp(t)
const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const READER: As = { agent_id: 'reader', agent_type: 'blue' }

async function write(session_id: string, content: string, visibility = 'public', as = WRITER): Promise<number> {
  return (await ok(app, 'add_message', { session_id, content, visibility }, as)).message_id
}

async function change(message_id: number, visibility: string): Promise<void> {
  await ok(app, 'set_message_visibility', { message_id, visibility }, WRITER)
}

async function next(
  session_id: string,
  after_seq: number,
  limit = 50,
  as = READER
): Promise<{ ids: number[]; last_seq: number; has_more: boolean }> {
  const { messages, last_seq, has_more } = await ok(app, 'get_messages', { session_id, after_seq, limit }, as)
  return { ids: messages.map((message: any) => message.id), last_seq, has_more }
}

t.test('a message is met by those who newly see it, once, after their cursor', async t => {
  const session_id = await newSession(app)
  const hidden = await write(session_id, 'hidden', 'private')
  const open = await write(session_id, 'open')
  t.same(await next(session_id, 0), { ids: [open], last_seq: 2, has_more: false })
  await change(hidden, 'public')
  t.same(await next(session_id, 2), { ids: [hidden], last_seq: 3, has_more: false })
  t.same(await next(session_id, 3), { ids: [], last_seq: 3, has_more: false })
  t.same((await ok(app, 'get_messages', { session_id, after_seq: 2 }, READER)).messages[0].seq, 1, 'its own seq stays')
  t.same(
    await next(session_id, 2, 50, WRITER),
    { ids: [], last_seq: 3, has_more: false },
    'who saw it before does not meet it again'
  )
  t.same(
    await next(session_id, 2, 50, { agent_id: 'boss', admin: true }),
    { ids: [], last_seq: 3, has_more: false },
    'nor does an admin'
  )
  t.same(
    await next(session_id, 0),
    { ids: [open, hidden], last_seq: 3, has_more: false },
    'from the start, at its place in the order of changes'
  )
})

t.test('a message taken back is met nowhere', async t => {
  const session_id = await newSession(app)
  const [first, second] = [await write(session_id, 'first'), await write(session_id, 'second')]
  await change(first, 'private')
  t.same(await next(session_id, 0), { ids: [second], last_seq: 3, has_more: false })
  await change(first, 'agent_only')
  t.same(await next(session_id, 3), { ids: [], last_seq: 4, has_more: false })
  await change(first, 'public')
  t.same(await next(session_id, 4), { ids: [first], last_seq: 5, has_more: false }, 'shown again')
})

t.test('a change to what it is already takes no place', async t => {
  const session_id = await newSession(app)
  const message = await write(session_id, 'message')
  await change(message, 'public')
  t.equal((await next(session_id, 0)).last_seq, 1)
})

// A reader who pages in between; every message is met as often as it newly became visible after it had last been met.
const aStep = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), visibility: fc.constantFrom('public', 'private', 'agent_only') }),
  fc.record({
    kind: fc.constant('change' as const),
    which: fc.nat(),
    visibility: fc.constantFrom('public', 'private', 'agent_only')
  }),
  fc.record({ kind: fc.constant('update' as const) }),
  fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 3 }) })
)

t.test('whoever follows page by page misses nothing and meets nothing twice', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 30 }), async steps => {
      const session_id = await newSession(app, WRITER)
      const state = new Map<number, { visible: boolean; shown: number; met: number }>()
      let cursor = 0
      const read = async (limit: number) => {
        const { ids, last_seq, has_more } = await next(session_id, cursor, limit)
        if (last_seq < cursor) throw new Error('the cursor went back')
        if (has_more && last_seq === cursor) throw new Error('the cursor stands still')
        for (const id of ids) {
          const message = state.get(id)
          if (message === undefined || !message.visible) throw new Error('met what may not be seen')
          message.met++
        }
        cursor = last_seq
        return has_more
      }
      for (const step of steps) {
        if (step.kind === 'write') {
          const visible = step.visibility === 'public'
          state.set(await write(session_id, 'message', step.visibility), { visible, shown: Number(visible), met: 0 })
        } else if (step.kind === 'change') {
          const ids = [...state.keys()]
          const id = ids[step.which % Math.max(1, ids.length)]
          if (id === undefined) continue
          await change(id, step.visibility)
          const message = state.get(id) as { visible: boolean; shown: number }
          const visible = step.visibility === 'public'
          if (visible && !message.visible) message.shown++
          message.visible = visible
        } else if (step.kind === 'update') {
          await ok(app, 'update_session', { session_id, metadata: { step: 1 } }, WRITER)
        } else {
          await read(step.limit)
        }
      }
      while (await read(2));
      for (const { visible, shown, met } of state.values()) {
        if (visible && met < 1) throw new Error('missed one')
        if (met > shown) throw new Error(`met one ${met} times that was shown ${shown} times`)
      }
    }),
    { numRuns: 25 }
  )
  t.pass()
})

t.test('also while others write and change at the same time', async t => {
  const session_id = await newSession(app, WRITER)
  const final = new Map<number, string>()
  let writing = true
  const writers = Array.from({ length: 4 }, async (_, n) => {
    const mine: number[] = []
    for (let i = 0; i < 30; i++) {
      // Without chance, so that a failure comes again: the mix differs from writer to writer.
      const visibility = ['public', 'private', 'agent_only'][(i * 7 + n) % 3] as string
      const id = await write(session_id, `from ${n}`, visibility)
      mine.push(id)
      final.set(id, visibility)
      if (i % 3 === n % 3) {
        const other = mine[(i * 5) % mine.length] as number
        const to = ['private', 'public'][(i + n) % 2] as string
        await change(other, to)
        final.set(other, to)
      }
    }
  })
  void Promise.all(writers).finally(() => {
    writing = false
  })
  const met = new Set<number>()
  let cursor = 0
  for (let more = true; writing || more;) {
    const page = await next(session_id, cursor, 3)
    for (const id of page.ids) met.add(id)
    cursor = page.last_seq
    more = page.has_more
  }
  await Promise.all(writers)
  for (let more = true; more;) {
    const page = await next(session_id, cursor, 3)
    for (const id of page.ids) met.add(id)
    cursor = page.last_seq
    more = page.has_more
  }
  t.same(
    [...final].filter(([id, visibility]) => visibility === 'public' && !met.has(id)),
    [],
    'every message that is visible in the end was met'
  )
})

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type Visibility, VISIBILITIES } from '../../src/kernel/visibilities.js'
import { type As, call, newSession, ok, ROOT, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { propertyAgents } from '../support/property-agents.js'

/** The rule of docs/semantics.md, Visibility on every way to read. */

const app = await startApp(t)

/** The sender of an admin_only message wrote it as an admin and is back with the ordinary key. */
const VIEWERS = {
  sender: { agent_id: 'writer', agent_type: 'red' },
  'same type': { agent_id: 'peer', agent_type: 'red' },
  'other type': { agent_id: 'stranger', agent_type: 'blue' },
  addressee: { agent_id: 'reader', agent_type: 'green' },
  'addressed type': { agent_id: 'helper', agent_type: 'teal' },
  admin: { agent_id: 'boss', agent_type: 'blue', admin: true }
} satisfies Record<string, As>
type Viewer = keyof typeof VIEWERS

/** Whom every message is addressed to; only of a direct one it decides who sees it. */
const TO = ['reader', 'type:teal']

const seenBy = (...viewers: Viewer[]) =>
  Object.fromEntries(Object.keys(VIEWERS).map(viewer => [viewer, viewers.includes(viewer as Viewer)])) as Record<
    Viewer,
    boolean
  >
const SEES: Record<Visibility, Record<Viewer, boolean>> = {
  public: seenBy(...(Object.keys(VIEWERS) as Viewer[])),
  private: seenBy('sender', 'admin'),
  agent_only: seenBy('sender', 'same type', 'admin'),
  direct: seenBy('sender', 'addressee', 'addressed type', 'admin'),
  admin_only: seenBy('admin')
}

/** No message has this id. */
const MISSING = 999_999_999

/** Words unlike each other, one for each message that is searched for. */
const WORDS = ['alfa', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot']

interface Written {
  session_id: string
  message_id: number
  timestamp: string
  word: string
  tag: string
}

async function write(visibility: Visibility): Promise<Written> {
  const session_id = await newSession(app, { agent_id: 'host' })
  // So that the time of the message differs from the session's.
  await new Promise(resolve => setTimeout(resolve, 3))
  const unique = WORDS.shift() as string
  const [word, tag] = [`zebra${unique}`, `quokka${unique}`]
  const { message_id, timestamp } = await ok(
    app,
    'add_message',
    { session_id, content: `The ${word} walks`, visibility, to: TO, metadata: { tag } },
    { ...VIEWERS.sender, admin: visibility === 'admin_only' }
  )
  return { session_id, message_id, timestamp, word, tag }
}

/** Every way to learn of a message: whether the viewer does. */
const PATHS: Record<string, (written: Written, viewer: As, visibility: Visibility) => Promise<boolean>> = {
  get_messages: async ({ session_id }, viewer) => holds(await ok(app, 'get_messages', { session_id }, viewer)),
  'get_messages after a cursor': async ({ session_id }, viewer) =>
    holds(await ok(app, 'get_messages', { session_id, after_seq: 0 }, viewer)),
  'get_messages before a cursor, newest first': async ({ session_id }, viewer) =>
    holds(await ok(app, 'get_messages', { session_id, before_seq: 9, order: 'desc' }, viewer)),
  'get_messages by sender': async ({ session_id }, viewer) =>
    holds(await ok(app, 'get_messages', { session_id, sender: 'writer' }, viewer)),
  'get_messages by visibility': async ({ session_id }, viewer, visibility) =>
    holds(await ok(app, 'get_messages', { session_id, visibility_filter: visibility }, viewer)),
  'get_messages, total_count': async ({ session_id }, viewer) =>
    (await ok(app, 'get_messages', { session_id, limit: 1, offset: 5 }, viewer)).total_count === 1,
  'get_messages, total_count of a sender': async ({ session_id }, viewer) =>
    (await ok(app, 'get_messages', { session_id, sender: 'writer' }, viewer)).total_count === 1,
  wait_for_messages: async ({ session_id }, viewer) =>
    holds(await ok(app, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 0 }, viewer)),
  'get_session, messages': async ({ session_id }, viewer) =>
    (await ok(app, 'get_session', { session_id }, viewer)).messages.length === 1,
  'get_session, message_count': async ({ session_id }, viewer) => {
    const { session, message_count } = await ok(app, 'get_session', { session_id, message_limit: 0 }, viewer)
    if (session.message_count !== message_count) throw new Error('two counts')
    return message_count === 1
  },
  'get_session, participants': async ({ session_id }, viewer) =>
    (await ok(app, 'get_session', { session_id }, viewer)).session.participants.includes('writer'),
  'get_session, last_activity': async ({ session_id, timestamp }, viewer) =>
    (await ok(app, 'get_session', { session_id }, viewer)).session.last_activity === timestamp,
  'list_sessions, message_count': async ({ session_id }, viewer) =>
    (await listed(session_id, viewer)).message_count === 1,
  'list_sessions, last_activity': async ({ session_id, timestamp }, viewer) =>
    (await listed(session_id, viewer)).last_activity === timestamp,
  'get_session, unread': async ({ session_id }, viewer, visibility) =>
    isUnread((await ok(app, 'get_session', { session_id }, viewer)).session, viewer, visibility),
  'list_sessions, unread': async ({ session_id }, viewer, visibility) =>
    isUnread(await listed(session_id, viewer), viewer, visibility),
  search_context: async ({ session_id, word }, viewer) =>
    found(await ok(app, 'search_context', { session_id, query: word }, viewer)),
  'search_context, everywhere': async ({ word }, viewer) =>
    found(await ok(app, 'search_context', { query: word }, viewer)),
  'search_context, misspelt': async ({ session_id, word }, viewer) =>
    found(
      await ok(app, 'search_context', { session_id, query: word.replace('zebra', 'zerba'), fuzzy_threshold: 0 }, viewer)
    ),
  'search_context in metadata': async ({ session_id, tag }, viewer) =>
    found(await ok(app, 'search_context', { session_id, query: tag }, viewer)),
  "search_context by its sender's name": async ({ session_id }, viewer) =>
    found(await ok(app, 'search_context', { session_id, query: 'writer' }, viewer)),
  'search_context by filters': async ({ session_id, word, tag }, viewer) =>
    found(
      await ok(
        app,
        'search_context',
        { session_id, query: word, sender: 'writer', metadata_filter: { tag }, start_time: '2020-01-01' },
        viewer
      )
    ),
  search_by_sender: async ({ session_id }, viewer) =>
    holds(await ok(app, 'search_by_sender', { session_id, sender: 'writer' }, viewer)),
  search_by_timerange: async ({ session_id, timestamp }, viewer) =>
    holds(await ok(app, 'search_by_timerange', { session_id, start_time: timestamp, end_time: timestamp }, viewer))
}

function holds({ messages, count }: any): boolean {
  if (messages.length !== count) throw new Error('the count is not that of the messages')
  return count === 1
}

/** One's own is never unread, seen or not. */
function isUnread({ unread }: any, viewer: As, visibility: Visibility): boolean {
  return viewer === VIEWERS.sender ? unread.messages === 0 && SEES[visibility].sender : unread.messages === 1
}

/** Whether a search found it; nothing of it may show where it did not. */
function found(answer: any): boolean {
  const { results, message_count, query } = answer
  if (message_count !== results.length) throw new Error('the count is not that of the results')
  if (results.length === 0 && JSON.stringify({ ...answer, query: '' }).includes(query)) throw new Error('a trace of it')
  return results.length === 1 && results[0].match_preview !== ''
}

async function listed(session_id: string, viewer: As): Promise<any> {
  const { sessions } = await ok(app, 'list_sessions', { created_by: 'host', limit: 200 }, viewer)
  return sessions.find((session: any) => session.id === session_id)
}

for (const visibility of VISIBILITIES) {
  await t.test(`${visibility} messages`, async t => {
    const written = await write(visibility)
    for (const [kind, viewer] of Object.entries(VIEWERS)) {
      const expected = SEES[visibility][kind as Viewer]
      await t.test(expected ? `are seen by ${kind}` : `are hidden from ${kind}`, async t => {
        for (const [path, sees] of Object.entries(PATHS))
          t.equal(await sees(written, viewer, visibility), expected, path)
        await filtersNarrow(t, written, viewer)
      })
    }

    // Last, since these write.
    for (const [kind, viewer] of Object.entries(VIEWERS)) {
      const { session_id, message_id } = written
      const expected = SEES[visibility][kind as Viewer]
      await t.test(`can${expected ? '' : 'not'} be answered by ${kind}`, async t => {
        for (const [tool, args] of [
          ['add_message', draft(message_id)],
          ['add_messages', { messages: [draft(message_id)] }]
        ] as const) {
          const answer = await call(app, tool, { session_id, ...args }, viewer)
          if (expected) t.equal(answer.status, 200)
          else
            await sameAsMissing(
              t,
              answer,
              tool,
              { session_id, ...(tool === 'add_message' ? draft(MISSING) : { messages: [draft(MISSING)] }) },
              viewer
            )
        }
      })
      if (kind !== 'sender' && kind !== 'admin') {
        await t.test(`cannot be changed by ${kind}`, async t => {
          const answer = await call(app, 'set_message_visibility', { message_id, visibility: 'public' }, viewer)
          if (expected) isFailure(t, answer, 'PERMISSION_DENIED')
          else
            await sameAsMissing(
              t,
              answer,
              'set_message_visibility',
              { message_id: MISSING, visibility: 'public' },
              viewer
            )
        })
      }
    }
  })
}

function draft(parent_message_id: number) {
  return { content: 'an answer', visibility: 'private', parent_message_id }
}

/** What exists and may not be seen is refused in the very words for what does not exist. */
async function sameAsMissing(
  t: Test,
  answer: any,
  tool: string,
  args: Record<string, unknown>,
  viewer: As
): Promise<void> {
  isFailure(t, answer, 'MESSAGE_NOT_FOUND')
  const { timestamp, request_id, ...words } = answer.body
  const { timestamp: _, request_id: __, ...missing } = (await call(app, tool, args, viewer)).body
  t.same(words, missing, 'in the same words')
}

/** Any filter gives a part of what there is without it. */
async function filtersNarrow(t: Test, { session_id, word }: Written, viewer: As): Promise<void> {
  const all = new Set(
    (await ok(app, 'get_messages', { session_id }, viewer)).messages.map((message: any) => message.id)
  )
  for (const visibility_filter of VISIBILITIES) {
    const { messages, total_count } = await ok(app, 'get_messages', { session_id, visibility_filter }, viewer)
    t.ok(
      messages.every((message: any) => all.has(message.id) && message.visibility === visibility_filter) &&
        total_count === messages.length,
      `visibility_filter ${visibility_filter}`
    )
  }
  for (const search_scope of ['all', 'public', 'private']) {
    const { results } = await ok(app, 'search_context', { session_id, query: word, search_scope }, viewer)
    t.ok(
      results.every(
        ({ message }: any) => all.has(message.id) && (search_scope === 'all' || message.visibility === search_scope)
      ),
      `search_scope ${search_scope}`
    )
  }
  for (const visibility_filter of ['all', '*', '', 'PUBLIC', 'admin'])
    isFailure(t, await call(app, 'get_messages', { session_id, visibility_filter }, viewer), 'INVALID_VISIBILITY')
  for (const search_scope of ['admin_only', 'agent_only', 'direct', '*', ''])
    isFailure(t, await call(app, 'search_context', { session_id, query: word, search_scope }, viewer), 'INVALID_INPUT')
}

t.test('a change of visibility is at once true on every path', async t => {
  const written = await write('private')
  for (const visibility of ['agent_only', 'direct', 'public', 'direct', 'private', 'agent_only'] as const) {
    await ok(app, 'set_message_visibility', { message_id: written.message_id, visibility }, VIEWERS.sender)
    for (const [kind, viewer] of Object.entries(VIEWERS)) {
      for (const [path, sees] of Object.entries(PATHS))
        t.equal(
          await sees(written, viewer, visibility),
          SEES[visibility][kind as Viewer],
          `${visibility}, ${kind}: ${path}`
        )
    }
  }
})

t.test('only admins write admin_only', async t => {
  const session_id = await newSession(app)
  for (const [tool, args] of [
    ['add_message', { content: 'a', visibility: 'admin_only' }],
    ['add_messages', { messages: [{ content: 'a' }, { content: 'b', visibility: 'admin_only' }] }]
  ] as const) {
    const answer = await call(app, tool, { session_id, ...args }, VIEWERS.sender)
    isFailure(t, answer, 'PERMISSION_DENIED')
    t.match(answer.body.context, { required_permission: 'admin', current_permissions: ['read', 'write'] })
  }
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'a' }, VIEWERS.sender)
  isFailure(
    t,
    await call(app, 'set_message_visibility', { message_id, visibility: 'admin_only' }, VIEWERS.sender),
    'PERMISSION_DENIED'
  )
  t.match(await ok(app, 'set_message_visibility', { message_id, visibility: 'admin_only' }, VIEWERS.admin), {
    message: { visibility: 'admin_only', sender: 'writer' }
  })
  t.equal((await ok(app, 'get_messages', { session_id }, VIEWERS.sender)).count, 0)
})

// The model of docs/semantics.md, Visibility, for any messages and any viewers.
interface Modelled {
  id: number
  sender: string
  sender_type: string
  visibility: Visibility
  to: string[]
}
const may = (viewer: Required<Pick<As, 'agent_id' | 'agent_type' | 'admin'>>, message: Modelled): boolean =>
  viewer.admin ||
  message.visibility === 'public' ||
  (message.visibility === 'private' && message.sender === viewer.agent_id) ||
  (message.visibility === 'agent_only' && message.sender_type === viewer.agent_type) ||
  (message.visibility === 'direct' &&
    [message.sender, ...message.to].some(name => name === viewer.agent_id || name === `type:${viewer.agent_type}`))

const { agents: AGENTS, anAgent } = propertyAgents(
  ['a', 'red', false],
  ['a', 'blue', false],
  ['b', 'red', false],
  ['c', 'blue', false],
  ['c', 'blue', true],
  ['red', 'a', false]
)
const aVisibility = fc.constantFrom(...VISIBILITIES)
const aChange = fc.record({ which: fc.nat(), by: anAgent, visibility: aVisibility })
const aWriting = fc.record({
  by: anAgent,
  visibility: aVisibility,
  to: fc.subarray(['a', 'b', 'nobody', 'red', 'type:blue', 'type:a'])
})

t.test('any viewer sees of any messages what the model says', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(aWriting, aChange), { minLength: 1, maxLength: 14 }), async steps => {
      const session_id = await newSession(app, { agent_id: 'host' }, 'a session of the property test')
      const model: Modelled[] = []
      for (const step of steps) {
        const allowed = step.visibility !== 'admin_only' || step.by.admin
        if ('which' in step) {
          const message = model[step.which % Math.max(1, model.length)]
          if (message === undefined) continue
          const { status } = await call(
            app,
            'set_message_visibility',
            { message_id: message.id, visibility: step.visibility },
            step.by
          )
          const expected = !may(step.by, message)
            ? 404
            : (message.sender === step.by.agent_id || step.by.admin) && allowed
              ? step.visibility === 'direct' && message.to.length === 0
                ? 400
                : 200
              : 403
          if (status !== expected) throw new Error(`a change gives ${status} instead of ${expected}`)
          if (status === 200) message.visibility = step.visibility
        } else {
          const { status, body } = await call(
            app,
            'add_message',
            {
              session_id,
              content: 'needle',
              visibility: step.visibility,
              ...(step.to.length > 0 && { to: step.to })
            },
            step.by
          )
          const complete = step.visibility !== 'direct' || step.to.length > 0
          if ((status === 200) !== (allowed && complete)) throw new Error(`writing gives ${status}`)
          if (status === 200)
            model.push({
              id: body.message_id,
              sender: step.by.agent_id,
              sender_type: step.by.agent_type,
              visibility: step.visibility,
              to: step.to
            })
        }
      }
      for (const viewer of AGENTS) {
        const visible = model.filter(message => may(viewer, message))
        const ids = visible.map(message => message.id)
        const expect = (what: string, given: unknown, wanted: unknown) => {
          if (JSON.stringify(given) !== JSON.stringify(wanted))
            throw new Error(
              `${what} for ${JSON.stringify(viewer)}: ${JSON.stringify(given)} instead of ${JSON.stringify(wanted)}`
            )
        }
        const sorted = (messages: any[]) => messages.map(message => message.id as number).sort((a, b) => a - b)
        const [read, followed, session, searched, byTime, bySender] = await Promise.all([
          ok(app, 'get_messages', { session_id }, viewer),
          ok(app, 'get_messages', { session_id, after_seq: 0 }, viewer),
          ok(app, 'get_session', { session_id }, viewer),
          ok(app, 'search_context', { session_id, query: 'needle', limit: 100 }, viewer),
          ok(app, 'search_by_timerange', { session_id, start_time: '2020-01-01', end_time: '2999-01-01' }, viewer),
          ok(app, 'search_by_sender', { session_id, sender: 'a' }, viewer)
        ])
        expect(
          'get_messages',
          read.messages.map((message: any) => message.id),
          ids
        )
        expect('total_count', read.total_count, ids.length)
        expect('get_messages from 0', sorted(followed.messages), ids)
        expect('get_session', sorted(session.messages), ids)
        expect('message_count', session.message_count, ids.length)
        expect(
          'participants',
          session.session.participants,
          [...new Set(visible.map(message => message.sender))].sort()
        )
        expect('search_context', sorted(searched.results.map((result: any) => result.message)), ids)
        expect('search_by_timerange', sorted(byTime.messages), ids)
        expect(
          'search_by_sender',
          sorted(bySender.messages),
          visible.filter(message => message.sender === 'a').map(message => message.id)
        )
        for (const visibility_filter of VISIBILITIES) {
          const { total_count } = await ok(app, 'get_messages', { session_id, visibility_filter, limit: 1 }, viewer)
          expect(
            `total_count of ${visibility_filter}`,
            total_count,
            visible.filter(message => message.visibility === visibility_filter).length
          )
        }
      }
    }),
    { numRuns: 30 }
  )
  t.pass()
})

t.test('messages are read through one door', async t => {
  const places: string[] = []
  for (const file of await readdir(join(ROOT, 'src'), { recursive: true })) {
    // Elsewhere there are only sentences about messages.
    if (!file.endsWith('.ts') || /^(mcp|guidance|http|commands)\//.test(file)) continue
    const code = (await readFile(join(ROOT, 'src', file), 'utf8')).replace(
      /\/\*[^]*?\*\/|^\s*\/\/.*$|^import .*$/gm,
      ''
    )
    for (const use of code.match(
      /\b(?:from|join|into|update|using|table|[a-z]+(?:From|Join|Into|Table|Using))\b[\s('"`]+messages\b/gi
    ) ?? [])
      places.push(`${file}: ${use}`)
  }
  t.same(
    places.sort(),
    [
      // Whom it was addressed to, of an agent that is erased.
      'inbox/store/erasure.ts: from messages',
      'inbox/store/erasure.ts: update messages',
      // What ends in the background, by session, sender or age: nobody is shown anything of it.
      'lifecycle/store/batch.ts: from messages',
      'lifecycle/store/deleted-sessions.ts: from messages',
      "lifecycle/store/deleted-sessions.ts: selectFrom('messages",
      "lifecycle/store/erased-agents.ts: selectFrom('messages",
      'lifecycle/store/erasure-start.ts: from messages',
      // What is stored of whom, in numbers and names, for the operator's commands.
      'lifecycle/store/known.ts: from messages',
      'lifecycle/store/known.ts: from messages',
      'lifecycle/store/known.ts: join messages',
      'lifecycle/store/retention.ts: from messages',
      "lifecycle/store/retention.ts: selectFrom('messages",
      // The statement that writes looks up the parents of what it writes, by the same rule.
      'messages/store/message-batch.ts: from messages',
      'messages/store/message-batch.ts: into messages',
      // By id, once the caller may.
      'messages/store/message-removal.ts: from messages',
      'messages/store/messages.ts: update messages',
      // For nobody: the indexer reads what it indexes; the filter looks at the metadata of a row that is visible
      // already.
      'search/fill.ts: join messages',
      'search/filter.ts: from messages',
      // For admins, who speak for others.
      "transcripts/store/session-import.ts: insertInto('messages",
      // readableMessages, readableMessage, readableAt, and the door of those who read for many viewers at once: the
      // feeds, by seenBy.
      "visibility/visibility.ts: selectFrom('messages",
      "visibility/visibility.ts: selectFrom('messages",
      "visibility/visibility.ts: selectFrom('messages",
      "visibility/visibility.ts: selectFrom('messages"
    ],
    'visibility.ts selects for viewers, message-batch.ts and session-import.ts write, the ' +
      'search index is kept, what ends is removed'
  )
})

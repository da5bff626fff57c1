import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type As, call, environment, newSession, ok, runToEnd, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** export_session and import_session, and the commands that do the same. */

const app = await startApp(t)
const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const PEER: As = { agent_id: 'peer', agent_type: 'red' }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'blue' }
const ADMIN: As = { agent_id: 'boss', agent_type: 'blue', admin: true }

async function exported(session_id: string, as: As, limit = 1000): Promise<string> {
  let text = ''
  for (let cursor: string | undefined; ;) {
    const { ndjson, next_cursor, has_more, count } = await ok(
      app,
      'export_session',
      { session_id, limit, ...(cursor !== undefined && { cursor }) },
      as
    )
    text += ndjson as string
    if (has_more !== true) return text
    t.ok(count > 0 && count <= limit)
    cursor = next_cursor as string
  }
}

const linesOf = (text: string): any[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)

/** Of everything, with the session's and the messages' ids counted anew, as another place would give them. */
async function content(session_id: string, as: As = ADMIN): Promise<unknown> {
  const [{ session }, { messages }] = await Promise.all([
    ok(app, 'get_session', { session_id, message_limit: 0 }, as),
    ok(app, 'get_messages', { session_id, limit: 1000, order: 'asc' }, as)
  ])
  const ids = new Map<number, number>()
  for (const { id, parent_message_id } of messages)
    for (const each of [id, parent_message_id]) if (each !== null && !ids.has(each)) ids.set(each, ids.size)
  const {
    purpose,
    metadata,
    created_by,
    created_at,
    updated_at,
    is_active,
    archived_at,
    message_count,
    participants,
    last_activity
  } = session
  return {
    session: {
      purpose,
      metadata,
      created_by,
      created_at,
      updated_at,
      is_active,
      archived_at,
      message_count,
      participants,
      last_activity
    },
    messages: messages.map((message: any, i: number) => ({
      ...message,
      session_id: '',
      seq: i,
      id: ids.get(message.id),
      parent_message_id: message.parent_message_id === null ? null : ids.get(message.parent_message_id)
    }))
  }
}

const session_id = (
  await ok(
    app,
    'create_session',
    { purpose: 'Übergabe 引き継ぎ 🚀 "quoted"', metadata: { nested: { list: [1, null, 'x\u2028y'] } } },
    WRITER
  )
).session_id as string
const ids: number[] = []
for (const [i, [as, visibility, text]] of (
  [
    [WRITER, 'public', 'plain'],
    [PEER, 'public', '世界 👩‍👩‍👧‍👦 café e\u0301'],
    [STRANGER, 'private', 'for a stranger'],
    [WRITER, 'agent_only', 'line one\nline two\r\nthree\u2028four\u2029five'],
    [ADMIN, 'admin_only', 'for admins'],
    [PEER, 'public', '{"type":"end","messages":0}'],
    [STRANGER, 'public', 'doomed'],
    [WRITER, 'public', 'x'.repeat(100_000)],
    [PEER, 'agent_only', 'last']
  ] as const
).entries()) {
  const parent = i === 0 ? undefined : i === 7 ? ids[6] : i === 8 ? ids[6] : i % 2 === 0 ? ids[1] : ids[0]
  const answer = await ok(
    app,
    'add_message',
    {
      session_id,
      content: text,
      visibility,
      metadata: { i, deep: { 鍵: ['値', i] } },
      ...(parent !== undefined && { parent_message_id: parent })
    },
    as
  )
  ids.push(answer.message_id as number)
}
await ok(app, 'set_message_visibility', { message_id: ids[0], visibility: 'agent_only' }, WRITER)
await ok(app, 'delete_message', { message_id: ids[6] }, STRANGER)
await ok(app, 'archive_session', { session_id }, WRITER)

t.test('what is exported and imported is equal', async t => {
  const whole = await exported(session_id, ADMIN)
  for (const limit of [1, 3]) t.equal(await exported(session_id, ADMIN, limit), whole, `in pages of ${limit}`)
  for (const line of whole.trim().split(/\r\n|[\n\r\u0085\u2028\u2029]/))
    t.doesNotThrow(() => JSON.parse(line) as unknown, 'each line is whole, whatever a reader takes for a line')
  t.same(
    linesOf(whole).map(({ type }) => type),
    ['session', ...Array.from({ length: 8 }, () => 'message'), 'end']
  )

  const imported = await ok(app, 'import_session', { ndjson: whole, idempotency_key: 'once' }, ADMIN)
  t.match(imported, { session_id: /^session_[0-9a-f]{16}$/, message_count: 8 })
  t.not(imported.session_id, session_id)
  t.same(
    (await ok(app, 'import_session', { ndjson: whole, idempotency_key: 'once' }, ADMIN)).session_id,
    imported.session_id,
    'repeated with its key'
  )
  for (const as of [ADMIN, WRITER, PEER, STRANGER])
    t.same(await content(imported.session_id, as), await content(session_id, as), `for ${as.agent_id}`)
  const { messages } = await ok(app, 'get_messages', { session_id: imported.session_id }, ADMIN)
  t.same(
    messages.map(({ seq }: any) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8],
    'in the same order, without gaps'
  )
  const parents = messages.slice(-2).map((message: any) => message.parent_message_id)
  t.ok(
    parents[0] === parents[1] && !messages.some(({ id }: any) => id === parents[0]) && !ids.includes(parents[0]),
    'answers to what is gone still belong together'
  )
  for (const query of ['世界', 'caf\u00e9', 'line two'])
    t.equal(
      (await ok(app, 'search_context', { session_id: imported.session_id, query }, PEER)).results.length > 0,
      true,
      `${query} is found in it`
    )
  t.same(
    (await ok(app, 'list_sessions', { archived: true })).sessions.map(({ id }: any) => id).sort(),
    [session_id, imported.session_id].sort(),
    'it is archived too'
  )
  t.match(
    (await ok(app, 'get_audit_log', { session_id: imported.session_id, event_type: 'session_imported' }, ADMIN))
      .entries,
    [{ agent_id: 'boss', metadata: { messages: 8, exported_session_id: session_id } }]
  )
  t.equal((await ok(app, 'get_audit_log', { session_id, event_type: 'session_exported', limit: 1 }, ADMIN)).count, 1)

  // It goes on like any other.
  await ok(app, 'update_session', { session_id: imported.session_id, is_active: true }, WRITER)
  t.match(
    await ok(
      app,
      'add_message',
      { session_id: imported.session_id, content: 'and on', parent_message_id: messages[0].id },
      WRITER
    ),
    { seq: 10 }
  )
  t.equal((await ok(app, 'get_session', { session_id: imported.session_id }, ADMIN)).message_count, 9)
})

t.test('times of any year are kept', async t => {
  const session_id = await newSession(app, WRITER)
  await ok(app, 'add_message', { session_id, content: 'old' }, WRITER)
  const [session, message, end] = linesOf(await exported(session_id, ADMIN))
  for (const timestamp of [
    '0001-01-01T00:00:00.000Z',
    '0099-12-31T23:59:59.999Z',
    '1969-12-31T23:59:59.100Z',
    '9999-12-31T23:59:59.120Z'
  ]) {
    const ndjson = [session, { ...message, timestamp }, end].map(line => JSON.stringify(line)).join('\n')
    const imported = await ok(app, 'import_session', { ndjson }, ADMIN)
    t.equal(
      (await ok(app, 'get_messages', { session_id: imported.session_id }, ADMIN)).messages[0].timestamp,
      timestamp
    )
  }
})

t.test('an export holds what its caller may see', async t => {
  for (const as of [WRITER, PEER, STRANGER]) {
    const lines = linesOf(await exported(session_id, as, 2))
    const { messages } = await ok(app, 'get_messages', { session_id, limit: 1000 }, as)
    t.same(
      lines.slice(1, -1).map(({ type, ...message }) => ({ ...message, session_id })),
      messages.map(({ ...message }: any) => message),
      String(as.agent_id)
    )
    t.same(lines.at(-1), { type: 'end', messages: messages.length })
  }
  isFailure(t, await call(app, 'export_session', { session_id, cursor: 'made-up' }, WRITER), 'INVALID_INPUT')
})

t.test('what is written while it is exported is left out', async t => {
  const open = await newSession(app, WRITER)
  for (let i = 0; i < 3; i++) await ok(app, 'add_message', { session_id: open, content: `message ${i}` }, WRITER)
  const first = await ok(app, 'export_session', { session_id: open, limit: 2 }, WRITER)
  await ok(app, 'add_message', { session_id: open, content: 'later' }, WRITER)
  const second = await ok(app, 'export_session', { session_id: open, limit: 2, cursor: first.next_cursor }, WRITER)
  t.same(linesOf(second.ndjson), [
    { type: 'message', ...linesOf(second.ndjson)[0], content: 'message 2' },
    { type: 'end', messages: 3 }
  ])
})

t.test('what is not right is refused, and nothing is written', async t => {
  const good = await exported(session_id, ADMIN)
  const lines = good.trimEnd().split('\n')
  const changed = (n: number, change: Record<string, unknown>) =>
    lines.map((line, i) => (i === n ? JSON.stringify({ ...(JSON.parse(line) as object), ...change }) : line))
  const before = await counts()
  const bad: Array<[what: string, lines: string[], line: number]> = [
    ['nothing', [' '], 1],
    ['no JSON', ['{'], 1],
    ['a list', ['[]'], 1],
    ['no session', lines.slice(1), 1],
    ['cut off', lines.slice(0, -1), 10],
    ['cut in a line', [...lines.slice(0, -2), (lines.at(-2) as string).slice(0, 50)], 9],
    ['one message missing', lines.filter((_, i) => i !== 4), 9],
    ['something after the end', [...lines, lines[1] as string], 11],
    ['twice', [...lines.slice(0, 3), lines[2] as string, ...lines.slice(3)], 4],
    ['another order', [lines[0] as string, lines[2] as string, lines[1] as string, ...lines.slice(3)], 3],
    ['another version', changed(0, { version: 2 }), 1],
    ['open and archived', changed(0, { is_active: true }), 1],
    ['an unknown field', changed(3, { reply_to: 1 }), 4],
    ['no sender', changed(3, { sender: undefined }), 4],
    ['another visibility', changed(3, { visibility: 'everyone' }), 4],
    ['no time', changed(3, { timestamp: 'yesterday' }), 4],
    ['no text', changed(3, { content: '' }), 4],
    ['too long', changed(3, { content: 'x'.repeat(100_001) }), 4],
    ['a NUL', changed(3, { content: 'a\u0000b' }), 4],
    ['half a character', changed(3, { metadata: { a: '\ud800' } }), 4],
    ['metadata that is too large', changed(3, { metadata: { a: 'x'.repeat(10_001) } }), 4],
    ['its own parent', changed(3, { id: 5, parent_message_id: 5 }), 4],
    ['a control character in a name', changed(3, { sender: 'a\nb' }), 4],
    ['a wrong count', changed(9, { messages: 7 }), 10],
    ['another type', changed(3, { type: 'memory' }), 4]
  ]
  for (const [what, given, line] of bad) {
    const answer = await call(app, 'import_session', { ndjson: given.join('\n') }, ADMIN)
    isFailure(t, answer, 'INVALID_INPUT', what)
    t.match(answer.body.context, { argument: 'ndjson', line }, what)
  }
  isFailure(t, await call(app, 'import_session', { ndjson: good }, WRITER), 'PERMISSION_DENIED')
  t.same(await counts(), before)
  await ok(app, 'import_session', { ndjson: `${lines.join('\r\n')}\r\n\n` }, ADMIN)
})

t.test('the commands do the same', async t => {
  const env = environment(app.url, { LOG_LEVEL: 'error' })
  const out = await runToEnd(['session', 'export', session_id], env)
  t.equal(out.code, 0, out.stderr)
  t.equal(out.stdout, await exported(session_id, ADMIN))
  const file = join(t.testdir(), 'session.ndjson')
  await writeFile(file, out.stdout)
  const [fromFile, fromInput, cut, missing, nowhere, unsaid] = await Promise.all([
    runToEnd(['session', 'import', file], env),
    runToEnd(['session', 'import', '-'], env, { input: out.stdout }),
    runToEnd(['session', 'import', '-'], env, { input: out.stdout.slice(0, -30) }),
    runToEnd(['session', 'import', `${file}.not`], env),
    runToEnd(['session', 'export', 'session_0123456789abcdef'], env),
    runToEnd(['session', 'copy'], env)
  ])
  for (const done of [fromFile, fromInput]) {
    t.equal(done.code, 0, done.stderr)
    t.same(await content(done.stdout.trim()), await content(session_id))
  }
  t.match(cut, { code: 1, stdout: '', stderr: /Line 9 of the session to import/ })
  t.match(missing, { code: 1, stderr: /cannot be read \(ENOENT\)/ })
  t.match(nowhere, { code: 1, stdout: '', stderr: /no session/ })
  t.match(unsaid, { code: 2, stderr: /session export <session_id>/ })
  t.match((await ok(app, 'get_audit_log', { session_id: fromFile.stdout.trim() }, ADMIN)).entries, [
    { agent_id: null, action: 'session import', event_type: 'session_imported' }
  ])
})

t.test('what a terminal would obey is printed escaped', async t => {
  const other = await newSession(app, WRITER, 'red \u001b[31m and \u009b31m')
  const text = '\u001b[2J\u009b31m\u202e\u2028\u0085'
  await ok(app, 'add_message', { session_id: other, content: text }, WRITER)
  const { stdout } = await runToEnd(['session', 'export', other], environment(app.url, { LOG_LEVEL: 'error' }))
  t.notMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
  t.equal(linesOf(stdout)[1].content, text)
})

async function counts(): Promise<number[]> {
  const { db } = app.database
  return Promise.all(
    (['sessions', 'messages'] as const).map(
      async table =>
        (
          await db
            .selectFrom(table)
            .select(({ fn }) => fn.countAll<number>().as('n'))
            .executeTakeFirstOrThrow()
        ).n
    )
  )
}

import fc from 'fast-check'
import t from 'tap'
import { call, credentials, newSession, ok, startApp } from '../helper.js'
import { callTool } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'

/** What becomes of content, purpose and metadata. */

const app = await startApp(t)
const session_id = await newSession(app)

async function kept(content: string): Promise<string> {
  const { message_id, seq } = await ok(app, 'add_message', { session_id, content })
  const { messages } = await ok(app, 'get_messages', { session_id, after_seq: seq - 1, limit: 1 })
  if (messages[0].id !== message_id) throw new Error('another message')
  return messages[0].content
}

const TEXTS = [
  '🚀',
  '你好世界',
  'مرحبا',
  'é',
  'e\u0301',
  '👩‍👩‍👧‍👦',
  '"quotes" \'single\' `back`',
  '<b>&amp;</b>',
  '\\n stays',
  '{"json": true}',
  'a\nb\tc\rd',
  'a  b',
  '\u202ertl',
  '\u00ad\u200b zero width',
  "Robert'); DROP TABLE messages;--",
  '%s %d $1 :x',
  '\uFFFD\uFFFE'
]

t.test('content comes back exactly as it was sent', async t => {
  for (const text of [
    ...TEXTS,
    '  padded \n',
    '\u00a0wide\u3000',
    'a\u0001b\u001f\u007fc\u009fd',
    '\u001b[31mred\u001b[0m',
    'a\u0085b\u000bc\u000cd\u001ce\u2028f\u2029g',
    '\u0007',
    '\uFEFFwith a byte order mark'
  ])
    t.equal(await kept(text), text, encodeURIComponent(text))
  await fc.assert(
    fc.asyncProperty(
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 200 })
        .filter(text => !text.includes('\0') && text.trim() !== ''),
      async text => {
        if ((await kept(text)) !== text) throw new Error(JSON.stringify(text))
      }
    ),
    { numRuns: 200 }
  )
})

t.test('over MCP, streams and exports too', async t => {
  const content = ' \u001b[31mred\u0085\u000b\u007f\u009b\u2028 \n'
  for (const era of ['legacy', 'modern'] as const) {
    const { structuredContent } = await callTool(app, era, 'add_message', { session_id, content }, credentials({}))
    const { message_id } = structuredContent
    const read = await callTool(app, era, 'get_messages', { session_id, limit: 1 }, credentials({}))
    t.match(read.structuredContent.messages, [{ id: message_id, content }], era)
    const waited = await ok(app, 'wait_for_messages', { session_id, after_seq: structuredContent.seq - 1 })
    t.equal(waited.messages[0].content, content)
  }
  const other = await newSession(app)
  await ok(app, 'add_message', { session_id: other, content })
  const { ndjson } = await ok(app, 'export_session', { session_id: other })
  const imported = await ok(app, 'import_session', { ndjson }, { agent_id: 'boss', admin: true })
  const { messages } = await ok(app, 'get_messages', { session_id: imported.session_id })
  t.match(messages, [{ content }])
})

t.test('a purpose is trimmed, and kept otherwise', async t => {
  for (const text of [...TEXTS, 'a\u0001b'])
    t.equal((await ok(app, 'create_session', { purpose: ` ${text}\n` })).purpose, text)
  for (const purpose of ['', ' ', '\n\t\r', '\u3000\u00a0', '\uFEFF'])
    isFailure(t, await call(app, 'create_session', { purpose }), 'INVALID_INPUT', JSON.stringify(purpose))
})

t.test('content of nothing but white space needs metadata', async t => {
  for (const content of [' ', '\n\t\r', '\u3000\u00a0', '\uFEFF']) {
    const refused = await call(app, 'add_message', { session_id, content })
    isFailure(t, refused, 'INVALID_INPUT', JSON.stringify(content))
    t.match(refused.body, { context: { argument: 'content' } })
    isFailure(t, await call(app, 'add_message', { session_id, content, metadata: {} }), 'INVALID_INPUT')
    await ok(app, 'add_message', { session_id, content, metadata: { state: 'done' } })
    const messages = [{ content: 'x' }, { content }]
    t.match((await call(app, 'add_messages', { session_id, messages })).body, {
      code: 'INVALID_INPUT',
      context: { argument: 'messages/1/content' }
    })
  }
  isFailure(t, await call(app, 'add_message', { session_id, content: '', metadata: { a: 1 } }), 'INVALID_INPUT')
})

t.test('NUL and half of a surrogate pair are refused', async t => {
  for (const content of ['a\u0000b', '\ud83d', 'a\ude80'])
    isFailure(t, await call(app, 'add_message', { session_id, content }), 'INVALID_INPUT', JSON.stringify(content))
})

t.test('lengths count characters', async t => {
  for (const char of ['x', 'é', '世', '🚀']) {
    t.equal([...(await kept(char.repeat(100_000)))].length, 100_000, char)
    const answer = await call(app, 'add_message', { session_id, content: char.repeat(100_001) })
    isFailure(t, answer, 'CONTENT_TOO_LARGE')
    t.match(answer, { status: 413, body: { context: { argument: 'content', allowed: /100000/ } } })
    t.equal([...(await ok(app, 'create_session', { purpose: char.repeat(1000) })).purpose].length, 1000)
    isFailure(t, await call(app, 'create_session', { purpose: char.repeat(1001) }), 'INVALID_INPUT')
  }
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: ` ${'x'.repeat(100_000)}` }),
    'CONTENT_TOO_LARGE',
    'white space counts'
  )
  t.notOk(
    JSON.stringify((await call(app, 'add_message', { session_id, content: 'secret '.repeat(20_000) })).body).includes(
      'secret'
    ),
    'it is not repeated in the error'
  )
})

t.test('metadata', async t => {
  const of = async (metadata: unknown) => call(app, 'create_session', { purpose: 'x', metadata })
  const filled = (count: number, length = 1) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'x'.repeat(length)]))
  for (const metadata of [
    {},
    { '': '' },
    filled(50),
    { ['k'.repeat(100)]: 1 },
    { ['🔑'.repeat(100)]: 1 },
    { nested: filled(60) },
    { a: null, b: [], c: { d: 0.5 } },
    { long: 'x'.repeat(9989) },
    { long: '🚀'.repeat(9989) },
    { constructor: 1 }
  ])
    t.same((await of(metadata)).body.metadata, metadata, JSON.stringify(metadata).slice(0, 40))
  for (const metadata of [
    [],
    'text',
    5,
    true,
    '[]',
    '{broken',
    '"{}"',
    filled(51),
    { ['k'.repeat(101)]: 1 },
    { long: 'x'.repeat(9990) },
    filled(2, 5000)
  ]) {
    isFailure(t, await of(metadata), 'INVALID_METADATA', JSON.stringify(metadata).slice(0, 40))
  }
  t.same((await of('{"from":{"a":["string"]}}')).body.metadata, { from: { a: ['string'] } })
  t.same((await of(' {} ')).body.metadata, {})
  t.same((await of({ keeps: '{"a":1}' })).body.metadata, { keeps: '{"a":1}' }, 'strings inside stay strings')
  isFailure(t, await of(JSON.stringify(filled(51))), 'INVALID_METADATA', 'too much, in a string')
  const deep = (levels: number) => ({ deep: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown })
  t.equal((await of(deep(62))).status, 200)
  isFailure(t, await of(deep(63)), 'INVALID_INPUT', 'nested too deep')
  isFailure(t, await of(JSON.stringify(deep(63))), 'INVALID_INPUT', 'in a string too')
})

t.test('only what the contract lists is converted', async t => {
  isFailure(t, await call(app, 'add_message', { session_id, content: 5 }), 'INVALID_INPUT')
  isFailure(t, await call(app, 'update_session', { session_id, is_active: 'false' }), 'INVALID_INPUT')
  isFailure(t, await call(app, 'update_session', { session_id, is_active: 0 }), 'INVALID_INPUT')
  t.equal((await call(app, 'add_messages', { session_id, messages: '[{"content":"x"}]' })).status, 200)
  isFailure(t, await call(app, 'add_messages', { session_id, messages: '{"content":"x"}' }), 'INVALID_INPUT')
  isFailure(t, await call(app, 'add_message', { session_id, content: 'x', visibility: 'Public' }), 'INVALID_VISIBILITY')
  for (const limit of ['5', ' 5 ', '5.0', 5])
    t.equal((await call(app, 'get_messages', { session_id, limit })).status, 200, JSON.stringify(limit))
  for (const limit of [
    'five',
    '',
    '5,0',
    '0x5',
    '1e1',
    'Infinity',
    'NaN',
    '5.5',
    [5],
    { value: 5 },
    '99999999999999999999'
  ])
    isFailure(t, await call(app, 'get_messages', { session_id, limit }), 'INVALID_INPUT', JSON.stringify(limit))
})

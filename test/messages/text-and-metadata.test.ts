import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
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

t.test('text keeps all but control characters and the white space around it', async t => {
  for (const text of [
    '🚀',
    '你好世界',
    'مرحبا',
    'é',
    'é',
    '👩‍👩‍👧‍👦',
    '"quotes" \'single\' `back`',
    '<b>&amp;</b>',
    '\\n stays',
    '{"json": true}',
    'a\nb\tc\rd',
    'a  b',
    '‮rtl',
    '\u00ad\u200b zero width',
    "Robert'); DROP TABLE messages;--",
    '%s %d $1 :x',
    '\uFFFD\uFFFE'
  ]) {
    t.equal(await kept(text), text, JSON.stringify(text))
    t.equal((await ok(app, 'create_session', { purpose: text })).purpose, text)
  }
  for (const [text, cleaned] of [
    ['  padded \n', 'padded'],
    ['\u00a0wide\u3000', 'wide'],
    ['a\u0001b\u001f\u007fc\u009fd', 'abcd'],
    ['\u001b[31mred\u001b[0m', '[31mred[0m'],
    ['\u0007 bell', 'bell'],
    ['\u000b\u000cfeed', 'feed']
  ] as const)
    t.equal(await kept(text), cleaned, JSON.stringify(text))
  for (const content of ['', ' ', '\n\t\r', '\u3000\u00a0', '\u0001\u0002', ' \u0007 ', '\uFEFF']) {
    isFailure(t, await call(app, 'add_message', { session_id, content }), 'INVALID_INPUT', JSON.stringify(content))
    isFailure(t, await call(app, 'create_session', { purpose: content }), 'INVALID_INPUT')
  }
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
  t.equal((await kept(` ${'x'.repeat(100_000)}\n`)).length, 100_000, 'after trimming')
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
  isFailure(t, await call(app, 'add_messages', { session_id, messages: '[{"content":"x"}]' }), 'INVALID_INPUT')
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

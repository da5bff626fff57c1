import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** add_message and add_messages. */

const app = await startApp(t)

async function read(session_id: string, as = {}): Promise<any[]> {
  return (await ok(app, 'get_messages', { session_id, limit: 1000, order: 'asc' }, as)).messages
}

t.test('a message is as it was written', async t => {
  const session_id = await newSession(app)
  const metadata = { list: [1, 'two', null], nested: { deep: { x: true } }, 'a key': '' }
  const { message_id, seq, timestamp } = await ok(
    app,
    'add_message',
    { session_id, content: 'hello', metadata },
    { agent_id: 'ann', agent_type: 'kind' }
  )
  t.same(await read(session_id), [
    {
      id: message_id,
      session_id,
      seq,
      sender: 'ann',
      sender_type: 'kind',
      content: 'hello',
      visibility: 'public',
      metadata,
      parent_message_id: null,
      timestamp
    }
  ])
  t.match([seq, Number.isInteger(message_id)], [1, true])
})

t.test('seq is without gaps and repeats, in the order of the messages, under 200 writers', async t => {
  const session_id = await newSession(app)
  const written = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      i % 10 === 0
        ? ok(
            app,
            'add_messages',
            { session_id, messages: [{ content: `${i}a` }, { content: `${i}b` }] },
            { agent_id: `agent-${i % 7}` }
          )
        : ok(app, 'add_message', { session_id, content: `${i}` }, { agent_id: `agent-${i % 7}` })
    )
  )
  const messages = await read(session_id)
  t.same(
    messages.map(message => message.seq),
    Array.from({ length: 220 }, (_, i) => i + 1)
  )
  t.same(
    [...new Set(written.flatMap(answer => answer.message_ids ?? [answer.message_id]))].sort((a, b) => a - b),
    messages.map(message => message.id).sort((a, b) => a - b)
  )
  for (let i = 0; i < 200; i += 10)
    t.equal(
      messages.findIndex(message => message.content === `${i}b`) -
        messages.findIndex(message => message.content === `${i}a`),
      1,
      'a batch stays together'
    )
  t.match(await ok(app, 'get_session', { session_id, message_limit: 0 }), {
    message_count: 220,
    session: { participants: Array.from({ length: 7 }, (_, i) => `agent-${i}`) }
  })
})

t.test('several at once, in their order, all or none', async t => {
  const session_id = await newSession(app)
  const { message_ids, count } = await ok(app, 'add_messages', {
    session_id,
    messages: Array.from({ length: 100 }, (_, i) => ({
      content: `m${i}`,
      visibility: i % 2 === 0 ? 'public' : 'private',
      metadata: { i }
    }))
  })
  const messages = await read(session_id)
  t.equal(count, 100)
  t.same(
    messages.map(message => message.id),
    message_ids
  )
  t.same(
    messages.map(message => [message.content, message.visibility, message.metadata]),
    Array.from({ length: 100 }, (_, i) => [`m${i}`, i % 2 === 0 ? 'public' : 'private', { i }])
  )

  for (const [bad, code] of [
    [{ content: '' }, 'INVALID_INPUT'],
    [{ content: 'x', visibility: 'secret' }, 'INVALID_VISIBILITY'],
    [{ content: 'x', metadata: [] }, 'INVALID_METADATA'],
    [{ content: 'x', surprise: 1 }, 'INVALID_INPUT'],
    [{}, 'INVALID_INPUT'],
    ['text', 'INVALID_INPUT'],
    [null, 'INVALID_INPUT'],
    [{ content: 'x', parent_message_id: 999_999_999 }, 'MESSAGE_NOT_FOUND'],
    [{ content: 'x', visibility: 'admin_only' }, 'PERMISSION_DENIED'],
    [{ content: 'x'.repeat(100_001) }, 'CONTENT_TOO_LARGE']
  ] as const) {
    const answer = await call(app, 'add_messages', {
      session_id,
      messages: [{ content: 'good' }, bad, { content: 'good' }]
    })
    isFailure(t, answer, code, JSON.stringify(bad).slice(0, 60))
    if (code.startsWith('INVALID_') || code === 'CONTENT_TOO_LARGE')
      t.match(answer.body.context.argument, /^messages\/1/, 'which of them')
  }
  isFailure(t, await call(app, 'add_messages', { session_id, messages: [] }), 'INVALID_INPUT')
  isFailure(
    t,
    await call(app, 'add_messages', { session_id, messages: Array.from({ length: 101 }, () => ({ content: 'x' })) }),
    'INVALID_INPUT'
  )
  t.equal((await read(session_id)).length, 100, 'nothing was written')
  t.equal((await ok(app, 'add_message', { session_id, content: 'next' })).seq, 101, 'and no number used')
  t.match(
    await ok(app, 'add_messages', {
      session_id,
      messages: [
        { content: 'x', visibility: null, metadata: null, parent_message_id: null },
        { content: 'y', metadata: '{"a":1}', parent_message_id: `${message_ids[0]}` }
      ]
    }),
    { count: 2 },
    'nulls and strings as elsewhere'
  )
})

t.test('an answer belongs to a message of the same session that its writer sees', async t => {
  const [here, there] = [await newSession(app), await newSession(app)]
  const { message_id: parent_message_id } = await ok(app, 'add_message', { session_id: here, content: 'question' })
  const { message_id } = await ok(app, 'add_message', { session_id: here, content: 'answer', parent_message_id })
  t.equal((await read(here))[1].parent_message_id, parent_message_id)
  await ok(app, 'add_message', { session_id: here, content: 'answer to the answer', parent_message_id: message_id })
  for (const [session_id, parent, as] of [
    [there, parent_message_id, {}],
    [here, 999_999_999, {}],
    [here, Number.MAX_SAFE_INTEGER, {}],
    [
      here,
      (await ok(app, 'add_message', { session_id: here, content: 'x', visibility: 'private' })).message_id,
      { agent_id: 'stranger' }
    ]
  ] as const) {
    const answer = await call(app, 'add_message', { session_id, content: 'x', parent_message_id: parent }, as)
    isFailure(t, answer, 'MESSAGE_NOT_FOUND')
    t.match(answer.body.context, { argument: 'parent_message_id' })
  }
  for (const parent of [0, -1, 1.5, 'x'])
    isFailure(
      t,
      await call(app, 'add_message', { session_id: here, content: 'x', parent_message_id: parent }),
      'INVALID_INPUT'
    )
})

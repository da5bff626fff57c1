import t from 'tap'
import { Message } from '../../src/kernel/answer-shapes.js'
import { type As, listen, newSession, ok, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'

/** A message is the same wherever it is read: the columns are listed in several places, and none may lack one. */

const app = await startApp(t)
const base = await listen(app)
const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const READER: As = { agent_id: 'reader', agent_type: 'blue' }
const session_id = await newSession(app, WRITER)

t.test('with all its fields', async t => {
  const { message_id: parent_message_id, seq: after_seq } = await ok(
    app,
    'add_message',
    { session_id, content: 'before' },
    WRITER
  )
  const streams = await Promise.all(
    [`/mcp/sessions/${session_id}/events`, '/mcp/events'].map(path => openStream(base, path, READER))
  )
  for (const stream of streams) await stream.waitFor(events => events.length > 0)
  const { message_id } = await ok(
    app,
    'add_message',
    {
      session_id,
      content: 'an unmistakable walrus',
      metadata: { kind: 'animal' },
      payload: { legs: 0 },
      to: ['reader'],
      parent_message_id
    },
    WRITER
  )
  const only = (messages: any[]) => messages.find(({ id }) => id === message_id)
  const { messages } = await ok(app, 'get_messages', { session_id }, READER)
  const expected = only(messages)
  t.same(Object.keys(expected).sort(), Object.keys(Message.properties).sort(), 'get_messages has every field')

  for (const stream of streams) await stream.waitFor(events => events.some(({ event }) => event === 'message_added'))
  const [of_session, of_workspace] = streams.map(stream => stream.changes()[0]?.data.message)
  const call = async (tool: string, args: Record<string, unknown>) => ok(app, tool, args, READER)
  const { results } = await call('search_context', { session_id, query: 'walrus', context: 1 })
  const found: Record<string, any> = {
    'a wait': only((await call('wait_for_messages', { session_id, after_seq, timeout_seconds: 5 })).messages),
    "the session's stream": of_session,
    "the workspace's stream": of_workspace,
    search_context: results[0].message,
    'the neighbours of a result': only(
      (await call('search_context', { session_id, query: 'before', context: 1 })).results[0].after
    ),
    search_by_sender: only((await call('search_by_sender', { session_id, sender: 'writer' })).messages),
    search_by_timerange: only(
      (
        await call('search_by_timerange', {
          session_id,
          start_time: '2020-01-01T00:00:00Z',
          end_time: '2099-01-01T00:00:00Z'
        })
      ).messages
    ),
    get_inbox: only((await call('get_inbox', {})).messages)
  }
  for (const [where, message] of Object.entries(found)) {
    // An inbox and a timeline say more of a message, such as its receipts.
    const same = Object.fromEntries(Object.keys(expected).map(key => [key, message?.[key]]))
    t.same(same, expected, where)
  }
  const { ndjson } = await call('export_session', { session_id })
  const line = (ndjson as string)
    .trim()
    .split('\n')
    .map(text => JSON.parse(text))
    .find(({ id }) => id === message_id)
  const { session_id: _, ...exported } = expected
  t.same(line, { type: 'message', ...exported }, 'export_session, whose first line names the session')
  for (const stream of streams) stream.close()
})

import t from 'tap'
import { call, credentials, listen, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { request } from '../mcp/clients.js'
import { openStream } from '../http/stream-client.js'

/** Direct messages at the doors that test/visibility does not open: streams, transcripts, resources, inboxes, tools. */

const app = await startApp(t)
const base = await listen(app)
const SENDER = { agent_id: 'writer', agent_type: 'red' }
const READER = { agent_id: 'reader', agent_type: 'green' }
const OF_TYPE = { agent_id: 'helper', agent_type: 'teal' }
const PEER = { agent_id: 'peer', agent_type: 'red' }
const STRANGER = { agent_id: 'stranger', agent_type: 'blue' }
const ADMIN = { agent_id: 'boss', agent_type: 'blue', admin: true }
const MAY = { SENDER, READER, OF_TYPE, ADMIN }
const MAY_NOT = { PEER, STRANGER }
const TO = ['reader', 'type:teal']
const WORD = 'okapi'

const session_id = await newSession(app, { agent_id: 'host' })
const write = async () =>
  (
    await ok(
      app,
      'add_message',
      { session_id, content: `The ${WORD} @stranger @reader`, visibility: 'direct', to: TO, payload: [WORD] },
      SENDER
    )
  ).message_id as number

t.test('streams tell it, its change and its end to those it is for alone', async t => {
  const streams = Object.entries({ ...MAY, ...MAY_NOT }).flatMap(([who, as]) =>
    [`/mcp/sessions/${session_id}/events`, '/mcp/events'].map(path => ({ who, path, as }))
  )
  const opened = await Promise.all(
    streams.map(async each => ({ ...each, stream: await openStream(base, each.path, each.as) }))
  )
  for (const { stream } of opened) await stream.waitFor(events => events.length > 0)
  const message_id = await write()
  await ok(app, 'set_message_visibility', { message_id, visibility: 'private' }, SENDER)
  await ok(app, 'set_message_visibility', { message_id, visibility: 'direct' }, SENDER)
  await ok(app, 'delete_message', { message_id }, SENDER)
  const { message_id: last } = await ok(app, 'add_message', { session_id, content: 'the end' }, SENDER)
  for (const { who, path, stream } of opened) {
    await stream.waitFor(() => stream.changes().some(({ data }) => data.message?.id === last), `${who} ${path}`)
    const told = stream.changes().filter(({ data }) => data.message?.id !== last)
    t.equal(told.length > 0, who in MAY, `${who} ${path}`)
    t.equal(stream.text().includes(WORD) || told.length > 0, who in MAY, `${who} ${path}: words`)
    stream.close()
  }
})

t.test('transcripts, resources and counts', async t => {
  const message_id = await write()
  for (const [who, as] of Object.entries({ ...MAY, ...MAY_NOT })) {
    const may = who in MAY
    const exported = await call(app, 'export_session', { session_id }, as)
    if (exported.status === 200) t.equal(exported.body.ndjson.includes(WORD), may, `${who}: export_session`)
    for (const uri of [`session://${session_id}`, `session://${session_id}/messages/50`]) {
      const { body } = await request(app, 'modern', 'resources/read', { uri }, credentials(as))
      t.equal(JSON.stringify(body).includes(WORD), may, `${who}: ${uri}`)
    }
    for (const query of [WORD, 'okapy', 'writer', '@stranger'])
      t.equal(
        JSON.stringify((await ok(app, 'search_context', { query, fuzzy_threshold: 0 }, as)).results).includes(WORD),
        may,
        `${who}: search ${query}`
      )
    const mentions = { session_id, after_seq: 0, mentions_only: true, timeout_seconds: 0 }
    t.equal(
      (await ok(app, 'wait_for_messages', mentions, as)).count,
      may && who === 'READER' ? 1 : 0,
      `${who}: mentions`
    )
    const { session } = await ok(app, 'get_session', { session_id }, as)
    t.equal(session.unread.mentions, who === 'READER' ? 1 : 0, `${who}: unread mentions`)
    const receipts = await call(app, 'get_receipts', { message_id }, as)
    if (!may) isFailure(t, receipts, 'MESSAGE_NOT_FOUND')
    const inbox = await ok(app, 'get_inbox', {}, as)
    t.equal(inbox.count, who === 'READER' || who === 'OF_TYPE' ? 1 : 0, `${who}: inbox, mentioned or not`)
    if (!may) {
      isFailure(t, await call(app, 'ack_messages', { message_ids: [message_id] }, as), 'MESSAGE_NOT_FOUND')
      isFailure(t, await call(app, 'delete_message', { message_id }, as), 'MESSAGE_NOT_FOUND')
    }
  }
})

t.test('a prompt shows nothing of it', async t => {
  for (const as of Object.values(MAY_NOT)) {
    const prompt = { name: 'debug-session', arguments: { session_id } }
    const { body } = await request(app, 'modern', 'prompts/get', prompt, credentials(as))
    t.notOk(JSON.stringify(body).includes(WORD))
  }
})

t.test('of another type after a change of type', async t => {
  // Who calls with the shared key says itself what it is: docs/semantics.md, Visibility.
  const turned = { ...OF_TYPE, agent_type: 'other' }
  t.equal((await ok(app, 'search_context', { session_id, query: WORD }, turned)).message_count, 0)
})

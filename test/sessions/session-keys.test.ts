import t from 'tap'
import { call, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { token } from '../support/samples.js'

/** create_session with a key, and list_sessions by metadata. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const ADMIN = { admin: true, agent_id: 'root' }

t.test('get or create', async t => {
  const first = await ok(app, 'create_session', { purpose: 'release', key: ' release-7 ', metadata: { a: 1 } })
  t.match(first, { created: true, key: 'release-7', is_active: true, created_by: 'agent-1' })
  const again = await ok(other, 'create_session', { purpose: 'another', key: 'release-7' }, { agent_id: 'second' })
  t.same({ ...again, success: true, created: true }, first, 'it is as it was')
  t.equal(again.created, false)
  t.equal((await ok(app, 'get_session', { session_id: first.session_id })).session.key, 'release-7')
  t.equal((await ok(app, 'list_sessions', { query: first.session_id })).sessions[0]?.key ?? 'release-7', 'release-7')
  const without = await ok(app, 'create_session', { purpose: 'no key' })
  t.match(without, { created: true, key: null })
  t.not((await ok(app, 'create_session', { purpose: 'no key' })).session_id, without.session_id)
  await ok(app, 'close_session', { session_id: first.session_id })
  t.match(await ok(app, 'create_session', { purpose: 'p', key: 'release-7' }), { created: false, is_active: false })
  await ok(app, 'delete_session', { session_id: first.session_id })
  const anew = await ok(app, 'create_session', { purpose: 'p', key: 'release-7' })
  t.equal(anew.created, true, 'a deleted session gives its key up')
  t.not(anew.session_id, first.session_id)
})

t.test('exactly one of many creators makes it, on two replicas', async t => {
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ok(i % 2 ? app : other, 'create_session', { purpose: `p${i}`, key: `raced ${round}` }, { agent_id: `a${i}` })
      )
    )
    t.equal(answers.filter(({ created }) => created).length, 1)
    t.equal(new Set(answers.map(({ session_id }) => session_id)).size, 1)
    t.equal(new Set(answers.map(({ purpose }) => purpose)).size, 1)
  }
})

t.test('keys', async t => {
  const nfd = 'clé'.normalize('NFD')
  const { session_id, key } = await ok(app, 'create_session', { purpose: 'p', key: nfd })
  t.equal(key, nfd.normalize('NFC'))
  t.equal((await ok(app, 'create_session', { purpose: 'p', key: nfd.normalize('NFC') })).session_id, session_id)
  t.equal((await ok(app, 'create_session', { purpose: 'p', key: 'k'.repeat(255) })).created, true)
  t.match(await ok(app, 'create_session', { purpose: 'p', key: '' }), { key: null }, 'empty is absent')
  for (const key of ['k'.repeat(256), 'a\nb', 'a\u200bb', 7, ['a']])
    isFailure(
      t,
      await call(app, 'create_session', { purpose: 'p', key }),
      'INVALID_KEY',
      JSON.stringify(key).slice(0, 20)
    )
  const { api_key } = await ok(app, 'create_api_key', { agent_id: '*', agent_type: 't', workspace: 'w2' }, ADMIN)
  const there = { anonymous: true, headers: { 'x-api-key': api_key, 'x-agent-id': 'a' } }
  t.equal(
    (await ok(app, 'create_session', { purpose: 'p', key: nfd }, there)).created,
    true,
    'each workspace has its own'
  )
})

t.test('idempotency and quota', async t => {
  const once = { purpose: 'p', key: 'once', idempotency_key: 'k' }
  const first = await ok(app, 'create_session', once)
  t.same(await ok(other, 'create_session', once), first, 'the first answer, created: true')
  const full = await startApp(t, { QUOTA_SESSIONS: '1' })
  await ok(full, 'create_session', { purpose: 'p', key: 'only' })
  t.equal((await ok(full, 'create_session', { purpose: 'p', key: 'only' })).created, false)
  isFailure(t, await call(full, 'create_session', { purpose: 'p', key: 'second' }), 'QUOTA_EXCEEDED')
})

t.test('credentials that are limited to sessions', async t => {
  const mine = await ok(app, 'create_session', { purpose: 'p', key: 'mine' })
  await ok(app, 'create_session', { purpose: 'p', key: 'not mine' })
  const { token: narrow } = await ok(
    app,
    'create_token',
    { agent_id: 'agent-1', sessions: [mine.session_id] },
    { token: await token(app, 'agent-1') }
  )
  const as = { token: narrow }
  t.match(await ok(app, 'create_session', { purpose: 'p', key: 'mine' }, as), {
    created: false,
    session_id: mine.session_id
  })
  const refusals = await Promise.all(
    ['not mine', 'nobody has it'].map(key => call(app, 'create_session', { purpose: 'p', key }, as))
  )
  for (const refused of refusals) isFailure(t, refused, 'PERMISSION_DENIED')
  t.equal(refusals[0]?.body.error, refusals[1]?.body.error, 'the same, whether there is one or not')
})

t.test('metadata_filter', async t => {
  const made: Record<string, string> = {}
  for (const [name, metadata] of Object.entries({
    one: { team: 'red', n: 1, deep: { a: 1, b: 2 } },
    two: { team: 'red', n: 2 },
    three: { team: 'blue', tags: ['x', 'y'] }
  }))
    made[name] = (await ok(app, 'create_session', { purpose: name, metadata }, { agent_id: 'filter' })).session_id
  const find = async (metadata_filter: unknown) =>
    (await ok(app, 'list_sessions', { metadata_filter, created_by: 'filter' })).sessions.map(
      ({ purpose }: any) => purpose
    )
  t.same(await find({ team: 'red' }), ['two', 'one'])
  t.same(await find({ team: 'red', n: 1 }), ['one'])
  t.same(await find({ deep: { a: 1 } }), ['one'], 'contained')
  t.same(await find({ tags: ['y'] }), ['three'])
  t.same(await find({}), ['three', 'two', 'one'])
  t.same(await find({ team: 'green' }), [])
  isFailure(t, await call(app, 'list_sessions', { metadata_filter: 'red' }), 'INVALID_METADATA')
  const page = await ok(app, 'list_sessions', { metadata_filter: { team: 'red' }, created_by: 'filter', limit: 1 })
  t.equal(page.has_more, true)
})

t.test('export and import keep the key where it is free', async t => {
  const { session_id } = await ok(app, 'create_session', { purpose: 'p', key: 'moved' })
  const { ndjson } = await ok(app, 'export_session', { session_id })
  const keyOf = async (on: typeof app, id: string) => (await ok(on, 'get_session', { session_id: id })).session.key
  const copy = await ok(app, 'import_session', { ndjson }, ADMIN)
  t.equal(await keyOf(app, copy.session_id), null, 'the original has it')
  const elsewhere = await startApp(t)
  const moved = await ok(elsewhere, 'import_session', { ndjson }, ADMIN)
  t.equal(await keyOf(elsewhere, moved.session_id), 'moved')
  t.match(await ok(elsewhere, 'create_session', { purpose: 'p', key: 'moved' }), {
    created: false,
    session_id: moved.session_id
  })
})

import { sql } from 'kysely'
import t from 'tap'
import { call, credentials, newSession, ok, startApp } from '../helper.js'
import { callTool } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { fronts } from '../support/pages.js'

/** Names of agents and keys of memory whose accents were typed in different ways: composed (NFC) and apart (NFD). */

const app = await startApp(t)

/** A header's bytes are UTF-8, which Node reads as Latin-1. */
const inHeader = (name: string) => Buffer.from(name).toString('latin1')
const by = (agent_id: string) => ({ agent_id: inHeader(agent_id) })

const ADMIN = { admin: true, agent_id: 'admin' }

for (const name of ['Zoë', '한글', 'Ångström']) {
  const [nfc, nfd] = [name.normalize('NFC'), name.normalize('NFD')]
  t.test(`${name} is one agent over every front`, async t => {
    const session_id = await newSession(app, by(nfd))
    t.equal((await ok(app, 'get_session', { session_id })).session.created_by, nfc, 'stored composed')
    await ok(app, 'update_session', { session_id, purpose: 'its own' }, by(nfc))
    await ok(app, 'update_session', { session_id, purpose: 'its own' }, by(nfd))
    const { said } = await callTool(app, 'legacy', 'add_message', { session_id, content: 'x' }, credentials(by(nfd)))
    t.type(said.message_id, 'number')
    await ok(app, 'add_message', { session_id, content: 'x' }, by(nfc))
    for (const [front, ask] of Object.entries(fronts(app, by('reader'))))
      for (const form of [nfc, nfd]) {
        t.equal((await ask('search_by_sender', { session_id, sender: form })).count, 2, `sender, ${front}`)
        t.equal((await ask('get_messages', { session_id, sender: form })).count, 2, `get_messages, ${front}`)
        t.equal((await ask('list_sessions', { created_by: form })).count, 1, `created_by, ${front}`)
      }
    for (const agent_id of [nfc, nfd]) {
      const { body } = await call(app, 'authenticate_agent', { agent_id, agent_type: 'x' }, { headers: {} })
      t.equal(body.agent_id, nfc)
    }
  })

  t.test(`${name} does not escape a revocation`, async t => {
    for (const [of, revoked] of [
      [nfc, nfd],
      [nfd, nfc]
    ]) {
      const { token } = await ok(app, 'authenticate_agent', { agent_id: of, agent_type: 'x' })
      t.equal((await call(app, 'list_sessions', {}, { token })).status, 200)
      t.ok((await ok(app, 'revoke_token', { agent_id: revoked }, ADMIN)).revoked >= 1)
      t.equal(
        (
          await app.database.db
            .selectFrom('tokens')
            .select('jti')
            .where('agent_id', '=', nfc)
            .where('revoked_at', 'is', null)
            .execute()
        ).length,
        0
      )
    }
  })

  t.test(`a token that ${name} got in the other spelling, before names were composed, is revoked too`, async t => {
    const { token } = await ok(app, 'authenticate_agent', { agent_id: `${nfc} of old`, agent_type: 'x' })
    await sql`update tokens set agent_id = ${`${nfd} of old`} where agent_id = ${`${nfc} of old`}`.execute(
      app.database.db
    )
    t.equal((await ok(app, 'revoke_token', { agent_id: `${nfc} of old` }, ADMIN)).revoked, 1)
    const { rows } = await sql`select from tokens where agent_id = ${`${nfd} of old`} and revoked_at is null`.execute(
      app.database.db
    )
    t.equal(rows.length, 0)
    t.type(token, 'string')
  })

  t.test(`a key for ${name} is for that agent alone, however it is typed`, async t => {
    for (const [bound, sent] of [
      [nfc, nfd],
      [nfd, nfc]
    ] as const) {
      const { api_key } = await ok(app, 'create_api_key', { agent_id: `${bound}-bound`, agent_type: 'x' }, ADMIN)
      const as = (agent_id: string) => ({
        anonymous: true,
        headers: { 'x-api-key': api_key, 'x-agent-id': inHeader(agent_id) }
      })
      const session = await ok(app, 'create_session', { purpose: 'x' }, as(`${sent}-bound`))
      t.equal(session.created_by, `${nfc}-bound`)
      isFailure(t, await call(app, 'create_session', { purpose: 'x' }, as(`${sent}-other`)), 'PERMISSION_DENIED')
    }
    const { api_key } = await ok(app, 'create_api_key', { agent_id: `${nfd}*`, agent_type: 'x' }, ADMIN)
    const as = (agent_id: string) => ({
      anonymous: true,
      headers: { 'x-api-key': api_key, 'x-agent-id': inHeader(agent_id) }
    })
    t.equal((await call(app, 'list_sessions', {}, as(`${nfc}-1`))).status, 200)
    t.equal((await call(app, 'list_sessions', {}, as(`${nfd}-1`))).status, 200)
  })
}

t.test('a prefix ends with a whole character', async t => {
  const { api_key } = await ok(app, 'create_api_key', { agent_id: 'Zoe*', agent_type: 'x' }, ADMIN)
  const answer = await call(
    app,
    'list_sessions',
    {},
    { anonymous: true, headers: { 'x-api-key': api_key, 'x-agent-id': inHeader('Zoë'.normalize('NFD')) } }
  )
  isFailure(t, answer, 'PERMISSION_DENIED', 'Zoë does not begin with Zoe')
})

t.test('an agent that is stored in NFD keeps its name and what it has', async t => {
  const nfd = 'Renée'.normalize('NFD')
  await sql`insert into agents (workspace, agent_id, agent_type, last_seen_at)
    values ('default', ${nfd}, 'x', now())`.execute(app.database.db)
  await sql`insert into agent_memory (agent_id, key, value, value_size) values (${nfd}, 'k', '1', 1)`.execute(
    app.database.db
  )
  t.equal((await ok(app, 'get_memory', { key: 'k' }, by(nfd))).value, 1)
  isFailure(t, await call(app, 'get_memory', { key: 'k' }, by(nfd.normalize('NFC'))), 'MEMORY_NOT_FOUND')
  const session_id = await newSession(app, by(nfd))
  t.equal((await ok(app, 'get_session', { session_id })).session.created_by, nfd, 'no row is rewritten')
})

t.test('new names hold nothing unseen', async t => {
  for (const name of [
    'ada\u200b',
    'a\u202eda',
    'ada\u2028x',
    'a\u00adda',
    'ada\ufe0f',
    'ada\u200d',
    '\u2066ada',
    'ada\u3164'
  ]) {
    const code = [...name].map(character => character.codePointAt(0)?.toString(16)).join(' ')
    isFailure(t, await call(app, 'list_sessions', {}, by(name)), 'INVALID_INPUT', code)
    isFailure(t, await call(app, 'authenticate_agent', { agent_id: name, agent_type: 'x' }), 'INVALID_INPUT', code)
    isFailure(t, await call(app, 'create_api_key', { agent_id: name, agent_type: 'x' }, ADMIN), 'INVALID_INPUT', code)
    isFailure(t, await call(app, 'set_memory', { key: name, value: 1 }), 'INVALID_KEY', code)
    isFailure(t, await call(app, 'get_memory', { key: name }), 'MEMORY_NOT_FOUND', code)
  }
  for (const name of ['👩‍💻', '❤️ reviewer', '👨🏽‍🚀-1', 'ﬁ', 'נעה', 'یاسمن'])
    t.equal((await call(app, 'set_memory', { key: name, value: 1 }, by(name))).status, 200)
  const odd = 'odd\u200b'
  await sql`insert into agent_memory (agent_id, key, value, value_size) values (${odd}, ${odd}, '1', 1)`.execute(
    app.database.db
  )
  t.equal((await ok(app, 'get_memory', { key: odd }, by(odd))).value, 1, 'one that is stored is still found')
  t.equal((await ok(app, 'set_memory', { key: odd, value: 2 }, by(odd))).key, odd)
})

t.test('keys of memory', async t => {
  const [nfc, nfd] = ['clé 한글'.normalize('NFC'), 'clé 한글'.normalize('NFD')]
  for (const [front, ask] of Object.entries(fronts(app, { agent_id: 'keeper' }))) {
    t.equal((await ask('set_memory', { key: nfd, value: 1 })).key, nfc, `${front}: stored composed`)
    for (const key of [nfc, nfd]) t.match(await ask('get_memory', { key }), { key: nfc, value: 1 })
    for (const prefix of [nfc.slice(0, 3), nfd.slice(0, 4)]) t.equal((await ask('list_memory', { prefix })).count, 1)
    t.equal((await ask('delete_memory', { key: nfd })).deleted, true)
    t.equal((await ask('delete_memory', { key: nfc })).deleted, false)
  }
  await sql`insert into agent_memory (agent_id, key, value, value_size) values ('keeper', ${nfd}, '"old"', 5)`.execute(
    app.database.db
  )
  const as = { agent_id: 'keeper' }
  t.equal((await ok(app, 'get_memory', { key: nfd }, as)).value, 'old', 'one that is stored apart is found as sent')
  t.match(await ok(app, 'set_memory', { key: nfd, value: 'new' }, as), { key: nfd }, 'and overwritten')
  isFailure(t, await call(app, 'get_memory', { key: nfc }, as), 'MEMORY_NOT_FOUND', 'no row was rewritten')
  t.match(await ok(app, 'set_memory', { key: nfc, value: 'mine' }, as), { key: nfc })
  t.equal((await ok(app, 'list_memory', { prefix: nfd }, as)).count, 2)
  t.equal((await ok(app, 'delete_memory', { key: nfd }, as)).deleted, true)
  t.equal((await ok(app, 'get_memory', { key: nfd }, as)).value, 'mine', 'then the composed one is meant')
})

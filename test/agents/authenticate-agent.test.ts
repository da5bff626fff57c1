import { sql } from 'kysely'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, type As, call, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

const app = await startApp(t)

async function granted(key: string, asked?: unknown): Promise<string[]> {
  return (
    await ok(
      app,
      'authenticate_agent',
      {
        agent_id: 'a',
        agent_type: 'any kind',
        api_key: key,
        ...(asked !== undefined && { requested_permissions: asked })
      },
      { anonymous: true }
    )
  ).permissions
}

t.test('any type of agent gets read and write with the plain key', async t => {
  for (const agent_type of [
    'claude',
    'autogen',
    'crewai',
    'langchain',
    'custom',
    'admin',
    'généric 🤖',
    'x'.repeat(50)
  ]) {
    const answer = await ok(
      app,
      'authenticate_agent',
      { agent_id: 'a', agent_type, api_key: API_KEY },
      { anonymous: true }
    )
    t.match(
      answer,
      { agent_id: 'a', agent_type, permissions: ['read', 'write'], token_type: 'Bearer', expires_in: 86400 },
      agent_type
    )
    t.equal(Date.parse(answer.expires_at) - Date.parse(answer.issued_at), 86_400_000)
  }
})

t.test('what is granted is what is asked for, as far as the key allows', async t => {
  t.same(await granted(API_KEY), ['read', 'write'])
  t.same(await granted(API_KEY, null), ['read', 'write'])
  t.same(
    await granted(API_KEY, ['read', 'write', 'admin']),
    ['read', 'write'],
    'asking for admin with the plain key is no error'
  )
  t.same(await granted(API_KEY, ['admin']), ['read'], 'an empty grant is read')
  t.same(await granted(API_KEY, []), ['read'])
  t.same(await granted(API_KEY, ['write']), ['write'])
  t.same(await granted(API_KEY, ['write', 'fly', 'READ', '', 'write']), ['write'], 'unknown names are ignored')
  t.same(await granted(API_KEY, ['nothing', 'known']), ['read'])
  t.same(await granted(ADMIN_API_KEY), ['read', 'write'], 'admin is not given unasked')
  t.same(await granted(ADMIN_API_KEY, ['admin', 'write', 'read']), ['read', 'write', 'admin'])
  t.same(await granted(ADMIN_API_KEY, ['admin']), ['admin'])
})

t.test('admin is everything', async t => {
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'a', agent_type: 'b', api_key: ADMIN_API_KEY, requested_permissions: ['admin'] },
    { anonymous: true }
  )
  const { session_id } = await ok(app, 'create_session', { purpose: 'by an admin' }, { token })
  t.match(await ok(app, 'get_session', { session_id }, { token }), { success: true })
})

t.test('only its own key counts', async t => {
  const args = { agent_id: 'a', agent_type: 'b' }
  const key = { api_key: API_KEY }
  const stale: As[] = [
    { anonymous: true, headers: { authorization: 'Bearer None' } },
    { anonymous: true, headers: { authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x' } },
    { anonymous: true, headers: { authorization: 'nonsense', 'x-agent-id': 'somebody else' } }
  ]
  for (const as of stale)
    t.match(
      await ok(app, 'authenticate_agent', { ...args, ...key }, as),
      { agent_id: 'a' },
      'a stale token does not matter'
    )
  t.match(
    await ok(app, 'authenticate_agent', args, { anonymous: true, headers: { 'x-api-key': API_KEY } }),
    { agent_id: 'a' },
    'the header does'
  )
  t.match(
    await ok(app, 'authenticate_agent', { ...args, ...key }, { anonymous: true, headers: { 'x-api-key': 'wrong' } }),
    { agent_id: 'a' },
    'the argument comes first'
  )
  const wrong = { ...args, api_key: 'wrong' }
  isFailure(
    t,
    await call(app, 'authenticate_agent', wrong, { anonymous: true, headers: { 'x-api-key': API_KEY } }),
    'INVALID_API_KEY',
    'and does not fall through'
  )
  for (const api_key of ['', ' ', API_KEY.slice(0, -1), `${API_KEY}x`, API_KEY.toUpperCase()]) {
    isFailure(
      t,
      await call(app, 'authenticate_agent', { ...args, api_key }, { anonymous: true }),
      'INVALID_API_KEY',
      'a wrong key'
    )
  }
  const { token } = await ok(app, 'authenticate_agent', { ...args, ...key }, { anonymous: true })
  isFailure(t, await call(app, 'authenticate_agent', args, { token }), 'INVALID_API_KEY', 'a live token is no key')
})

t.test('names', async t => {
  const as = async (agent_id: unknown, agent_type: unknown = 'b') =>
    call(app, 'authenticate_agent', { agent_id, agent_type, api_key: API_KEY }, { anonymous: true })
  for (const name of ['a', '名'.repeat(100), '🤖'.repeat(100), "o'brien; drop table", 'a/b c%_\\']) {
    const { body } = await as(name)
    t.equal(body.agent_id, name)
    const { session_id } = await ok(app, 'create_session', { purpose: 'named' }, { token: body.token })
    const { created_by } = await ok(app, 'create_session', { purpose: 'named' }, { token: body.token })
    t.equal(created_by, name)
    await ok(app, 'add_message', { session_id, content: 'x' }, { token: body.token })
    t.equal((await ok(app, 'get_messages', { session_id })).messages[0].sender, name, 'messages carry the name')
  }
  for (const name of ['', '  ', 'x'.repeat(101), '🤖'.repeat(101), 'a\nb', 'a\u0007'])
    isFailure(t, await as(name), 'INVALID_INPUT', JSON.stringify(name))
  for (const type of ['', 'x'.repeat(51), 'a\tb'])
    isFailure(t, await as('a', type), 'INVALID_INPUT', JSON.stringify(type))
})

t.test('several tokens of one agent live side by side', async t => {
  const tokens = await Promise.all(
    [1, 2, 3].map(
      async () =>
        (
          await ok(
            app,
            'authenticate_agent',
            { agent_id: 'many', agent_type: 'b', api_key: API_KEY },
            { anonymous: true }
          )
        ).token as string
    )
  )
  t.equal(new Set(tokens).size, 3)
  for (const token of [...tokens, ...tokens]) t.match(await ok(app, 'list_sessions', {}, { token }), { success: true })
})

t.test('a call counts once, though PostgreSQL makes its transaction run again', async t => {
  const own = await startApp(t)
  for (const statement of [
    sql`create sequence repeats`,
    sql`create function fail_at_first() returns trigger language plpgsql as $$
    begin
      if nextval('public.repeats') = 1 then
        raise exception 'not serializable' using errcode = 'serialization_failure';
      end if;
      return new;
    end $$`,
    sql`grant usage on sequence repeats to public`,
    sql`create trigger fail_at_first before insert on tokens for each row execute function fail_at_first()`
  ])
    await statement.execute(own.database.db)
  const { body, headers } = await call(own, 'authenticate_agent', { agent_id: 'a', agent_type: 'b', api_key: API_KEY })
  t.equal(body.success, true, JSON.stringify(body))
  const { rows } = await sql<{ last_value: string }>`select last_value from repeats`.execute(own.database.db)
  t.equal(Number(rows[0]?.last_value), 2, 'its transaction ran twice')
  const limit = own.config.rate_limit_agent_per_minute
  t.match(String(headers.ratelimit), `"agent";r=${limit - 1};`)
})

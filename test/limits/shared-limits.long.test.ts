import { connect, type Socket } from 'node:net'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { call, listen, newSession, startApp } from '../helper.js'
import { exchange } from '../support/raw-http.js'
import { post, until } from '../support/rest.js'

/** Locks a session's row from outside, so that writes to it wait. @returns what lets them go on */
async function holdSession(t: Test, url: string, session_id: string): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: url })
  holder.on('error', () => {})
  await holder.connect()
  await holder.query('begin')
  await holder.query('select 1 from sessions where id = $1 for update', [session_id])
  t.teardown(() => holder.end())
  return async () => {
    await holder.query('rollback')
  }
}

t.test('a full pool is SERVICE_UNAVAILABLE, and what waited for it is not written', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '2', DATABASE_CONNECT_TIMEOUT_MS: '2000' })
  const patient = await startApp(t, {}, app)
  const session_id = await newSession(patient)
  const holders = await Promise.all([app.database.pool.connect(), app.database.pool.connect()])
  const { status, body, headers } = await call(app, 'add_message', { session_id, content: 'x' })
  t.match({ status, body }, { status: 503, body: { code: 'SERVICE_UNAVAILABLE', retry_after: 1 } })
  t.equal(headers['retry-after'], '1')
  for (const holder of holders) holder.release()
  await until('it has room', async () => (await call(app, 'get_messages', { session_id })).status === 200)
  t.equal((await call(patient, 'get_messages', { session_id })).body.total_count, 0)
})

for (const [what, limit] of [
  ['statement', 'STATEMENT_TIMEOUT_MS'],
  ['call', 'REQUEST_TIMEOUT_MS']
] as const) {
  t.test(`a ${what} that takes too long is SERVICE_UNAVAILABLE, and the server goes on`, async t => {
    const app = await startApp(t, { [limit]: '1500' })
    // What comes before and after it need not be as fast.
    const session_id = await newSession(await startApp(t, {}, app))
    const release = await holdSession(t, app.url, session_id)
    t.match(await call(app, 'add_message', { session_id, content: 'x' }), {
      status: 503,
      body: { code: 'SERVICE_UNAVAILABLE' }
    })
    await release()
    await until('it goes on', async () => (await call(app, 'add_message', { session_id, content: 'x' })).status === 200)
  })
}

t.test('more requests than MAX_IN_FLIGHT are turned away; health is not', async t => {
  const app = await startApp(t, { MAX_IN_FLIGHT: '2', STATEMENT_TIMEOUT_MS: '20000' })
  const url = await listen(app)
  const session_id = await newSession(app)
  const release = await holdSession(t, app.url, session_id)
  const held = [1, 2].map(n => post(url, 'add_message', { session_id, content: `held ${n}` }))
  await until('two in flight', () => app.load.in_flight === 2)
  t.match(await post(url, 'list_sessions', {}), { status: 503, code: 'SERVICE_UNAVAILABLE', retry_after: 1 })
  t.equal((await fetch(`${url}/health`)).status, 200)
  await release()
  t.match(await Promise.all(held), [{ status: 200 }, { status: 200 }])
  await until('none in flight', () => app.load.in_flight === 0)
  t.match(await post(url, 'list_sessions', {}), { status: 200 })
})

t.test('a client that goes away is no longer in flight', async t => {
  const app = await startApp(t, { STATEMENT_TIMEOUT_MS: '20000' })
  const url = await listen(app)
  const session_id = await newSession(app)
  const release = await holdSession(t, app.url, session_id)
  const leaving = new AbortController()
  const gone = fetch(`${url}/mcp/tool/add_message`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { 'content-type': 'application/json', 'x-api-key': 'test-agents-0123456789', 'x-agent-id': 'a' },
    body: JSON.stringify({ session_id, content: 'x' })
  })
  await until('in flight', () => app.load.in_flight === 1)
  leaving.abort()
  await t.rejects(gone)
  await until('none in flight', () => app.load.in_flight === 0)
  await release()
})

t.test('what has expired is swept, in batches, and nothing else', async t => {
  const { sweep } = await import('../../src/lifecycle/sweep.js')
  const app = await startApp(t)
  const { db } = app.database
  await sql`insert into agent_memory (agent_id, key, value, value_size, expires_at)
    select 'a', 'k' || n, '1', 1, clock_timestamp() +
      case when n <= 2500 then interval '-1 second' else interval '1 hour' end from generate_series(1, 2600) n`.execute(
    db
  )
  await sql`insert into agent_memory (agent_id, key, value, value_size) values ('a', 'for ever', '1', 1)`.execute(db)
  // Of two at once one may find the other at it and leave the rest to it, or to its next round.
  const freed = [...(await Promise.all([sweep(db), sweep(db)])), await sweep(db)]
  t.equal(
    freed.reduce((sum, n) => sum + n),
    2500
  )
  const { rows } = await sql<{ n: number }>`select count(*) as n from agent_memory`.execute(db)
  t.same(rows, [{ n: 101 }])
})

t.test('a connection that breaks inside a transaction fails the call, not the process', async t => {
  const app = await startApp(t)
  const outside = new pg.Client({ connectionString: app.url })
  await outside.connect()
  t.teardown(() => outside.end())
  await t.rejects(
    app.database.db.transaction().execute(async tx => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      await outside.query('select pg_terminate_backend($1)', [rows[0]?.pid])
      await new Promise(resolve => setTimeout(resolve, 200))
      await sql`select 1`.execute(tx)
    })
  )
  t.match(await call(app, 'list_sessions'), { status: 200 })
})

t.test('requests that are sent by halves do not take the place of whole ones', async t => {
  const app = await startApp(t, { MAX_IN_FLIGHT: '5' })
  const url = await listen(app)
  const { port } = new URL(url)
  const sockets = await Promise.all(
    Array.from(
      { length: 20 },
      () =>
        new Promise<Socket>(resolve => {
          const socket = connect(Number(port), '127.0.0.1', () => {
            socket.write(
              'POST /mcp/tool/get_usage_guidance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ' +
                'application/json\r\nContent-Length: 100\r\n\r\n{',
              () => {
                resolve(socket)
              }
            )
          })
          socket.on('error', () => {})
        })
    )
  )
  t.match(await post(url, 'list_sessions', {}), { status: 200 })
  t.equal(app.load.in_flight, 0)
  for (const socket of sockets) socket.destroy()
})

t.test('a client that breaks off is not taken for a lost database', async t => {
  const app = await startApp(t, { LOG_LEVEL: 'info' })
  const { port } = new URL(await listen(app))
  await new Promise<void>(resolve => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(
        'POST /mcp/tool/list_sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ' +
          'application/json\r\nContent-Length: 100\r\n\r\n{',
        () => {
          setTimeout(() => {
            socket.resetAndDestroy()
          }, 100)
        }
      )
    })
    socket.on('close', () => {
      resolve()
    })
    socket.on('error', () => {})
  })
  await new Promise(resolve => setTimeout(resolve, 200))
  t.notOk(JSON.stringify(app.logged).includes('DATABASE_UNAVAILABLE'))
})

/** Opens connections that stay idle, one after the other. @returns those that are still open a moment later */
async function idle(t: Test, url: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    await new Promise<void>(resolve => {
      socket.once('connect', resolve).once('close', () => {
        resolve()
      })
    })
    sockets.push(socket)
  }
  await new Promise(resolve => setTimeout(resolve, 100))
  return sockets.filter(socket => !socket.closed)
}

for (const variable of ['CONNECTIONS_MAX', 'CONNECTIONS_PER_ADDRESS_MAX']) {
  t.test(`connections beyond ${variable} are closed, and one that ends makes room`, async t => {
    const url = await listen(await startApp(t, { [variable]: '5' }))
    const open = await idle(t, url, 8)
    t.equal(open.length, 5)
    await t.rejects(fetch(`${url}/health/live`))
    open[0]?.destroy()
    await until(
      'room again',
      async () =>
        fetch(`${url}/health/live`, { headers: { connection: 'close' } }).then(
          ({ status }) => status === 200,
          () => false
        ),
      5000
    )
  })
}

t.test('an address of 20 000 characters is too large, and a connection on which nothing comes is closed', async t => {
  const url = await listen(await startApp(t, { REQUEST_TIMEOUT_MS: '500' }))
  const [silent] = await idle(t, url, 1)
  const closed = new Promise<void>(resolve => {
    silent?.resume().once('close', () => {
      resolve()
    })
  })
  const answer = await exchange(url, [
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`
  ])
  t.equal(answer.status, 431)
  await closed
})

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { ConnectError } from '../../src/postgres/faults.js'
import { destroySocket, type PrefixStatement, processIdOf, queryWithPrefix } from '../../src/postgres/pg-internals.js'
import { createDatabase } from '../support/cluster.js'

/** What the service relies on in `pg` beyond its documented interface, on real connections. */

const { url, drop } = await createDatabase()
t.teardown(drop)

async function connected(t: Test, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...config })
  await client.connect()
  client.on('error', () => {})
  t.teardown(() => client.end())
  return client
}

const marked = (value: string, more: Partial<PrefixStatement> = {}): PrefixStatement => ({
  name: 'marked',
  text: "select set_config('test.mark', $1, true) as mark",
  values: [value],
  ...more
})
const READ_MARK = { text: "select current_setting('test.mark', true) as mark, $1::int as n", values: [1] }

const faultOf = (query: Promise<unknown>): Promise<unknown> =>
  query.then(
    () => undefined,
    (error: unknown) => error
  )

async function preparedNames(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('select name from pg_prepared_statements order by name')
  return rows.map(({ name }) => name)
}

t.test('the members of pg that are used are there', async t => {
  const client = await connected(t)
  const { connection } = client as unknown as { connection: Record<string, unknown> }
  for (const name of ['parse', 'bind', 'execute', 'sync']) t.type(connection[name], 'function', `connection.${name}`)
  for (const name of ['parsedStatements', 'submittedNamedStatements', 'stream'])
    t.type(connection[name], 'object', `connection.${name}`)
  const prototype = pg.Query.prototype as unknown as Record<string, unknown>
  for (const name of ['submit', 'handleDataRow', 'handleCommandComplete', 'handleError', 'handleReadyForQuery'])
    t.type(prototype[name], 'function', `Query.${name}`)
})

t.test('a prefix and a statement are one round trip and one transaction', async t => {
  const client = await connected(t)
  const { connection } = client as unknown as { connection: { sync: () => void } }
  const sync = connection.sync.bind(connection)
  let syncs = 0
  connection.sync = () => {
    syncs++
    sync()
  }

  const { rows, rowCount, command, fields } = await queryWithPrefix<{ mark: string; n: number }>(
    client,
    [marked('here'), { text: "select set_config('test.other', 'x', true)" }],
    READ_MARK
  )
  t.same(rows, [{ mark: 'here', n: 1 }], "the statement's rows alone, and what the prefix has set")
  t.match(
    { rowCount, command, names: fields.map(({ name }) => name) },
    {
      rowCount: 1,
      command: 'SELECT',
      names: ['mark', 'n']
    }
  )
  t.equal(syncs, 1)
  t.same((await client.query("select current_setting('test.mark', true) as mark")).rows, [{ mark: '' }], 'it is over')
  t.equal(client.getTransactionStatus(), 'I')

  const { rows: one } = await queryWithPrefix<{ a: string; b: string }>(
    client,
    [{ text: 'select pg_current_xact_id()' }],
    { text: 'select pg_current_xact_id_if_assigned()::text as a, pg_current_xact_id()::text as b' }
  )
  t.equal(one[0]?.a, one[0]?.b, 'the same transaction')
})

t.test('statements with many rows, with none, and of the types that the client parses', async t => {
  const client = await connected(t, {
    types: { getTypeParser: () => (text: string) => `parsed ${text}` } as unknown as pg.CustomTypesConfig
  })
  const { rows } = await queryWithPrefix(client, [marked('x')], { text: 'select n from generate_series(1, 1000) n' })
  t.equal(rows.length, 1000)
  t.same(rows[999], { n: 'parsed 1000' })
  t.same((await queryWithPrefix(client, [marked('x')], { text: 'select 1 where false' })).rows, [])
  t.equal(
    (await queryWithPrefix(client, [marked('x')], { text: 'create temporary table made (n int)' })).command,
    'CREATE'
  )
  t.equal((await queryWithPrefix(client, [marked('x')], { text: 'insert into made values (1), (2)' })).rowCount, 2)
  t.same((await queryWithPrefix(client, [], { text: 'select count(*) as n from made' })).rows, [{ n: 'parsed 2' }])
})

t.test('values are sent as pg sends them', async t => {
  const client = await connected(t)
  const { rows } = await queryWithPrefix(client, [marked('x')], {
    text: 'select $1::text[] as a, $2::bytea as b, $3::jsonb as c, $4::text as d, $5::timestamptz = $6 as e',
    values: [['a,b', '"'], Buffer.from('\x00x'), { deep: [1] }, null, new Date(0), '1970-01-01T00:00:00Z']
  })
  t.same(rows, [{ a: ['a,b', '"'], b: Buffer.from('\x00x'), c: { deep: [1] }, d: null, e: true }])
})

t.test('a name is prepared once for a connection, in the prefix and as the statement', async t => {
  const client = await connected(t)
  const { connection } = client as unknown as { connection: { parse: (...args: unknown[]) => void } }
  const parse = connection.parse.bind(connection)
  const parsed: unknown[] = []
  connection.parse = (...args) => {
    parsed.push((args[0] as { name?: string }).name)
    parse(...args)
  }
  for (let i = 0; i < 3; i++)
    t.match((await queryWithPrefix(client, [marked('x')], { name: 'own', ...READ_MARK })).rows, [{ mark: 'x' }])
  t.same(parsed, ['marked', 'own'])
  t.same((await client.query({ name: 'own', ...READ_MARK })).rows.length, 1, "pg's own queries know the name")
  t.same(parsed, ['marked', 'own'])
  t.same(await preparedNames(client), ['marked', 'own'])
})

t.test('a fault of the statement is its own, and its name is forgotten', async t => {
  const client = await connected(t)
  const wrong = { name: 'wrong', text: 'select nonsense' }
  const divided = (by: number) => ({ name: 'divided', text: 'select 1 / $1::int as n', values: [by] })
  for (let i = 0; i < 2; i++) {
    await t.rejects(queryWithPrefix(client, [marked('x')], wrong), { code: '42703' })
    await t.rejects(queryWithPrefix(client, [marked('x')], divided(0)), { code: '22012' })
    t.same((await queryWithPrefix(client, [marked('x')], divided(1))).rows, [{ n: 1 }])
  }
  t.same(await preparedNames(client), ['divided', 'marked'])
  t.equal(client.getTransactionStatus(), 'I')
  t.notOk((await faultOf(queryWithPrefix(client, [marked('x')], wrong))) instanceof ConnectError)
})

t.test('a fault of the prefix is a ConnectError, and neither name is remembered', async t => {
  const client = await connected(t)
  const faulty = [{ name: 'faulty', text: "select set_config('role', 'nobody-of-that-name', true)" }]
  const own = { name: 'own', ...READ_MARK }
  t.ok((await faultOf(queryWithPrefix(client, faulty, own))) instanceof ConnectError)
  t.ok(
    (await faultOf(queryWithPrefix(client, [{ name: 'unread', text: 'select nonsense' }, marked('x')], own))) instanceof
      ConnectError
  )
  t.ok(
    (await faultOf(queryWithPrefix(client, [marked('x'), { name: 'second', text: 'select nonsense' }], own))) instanceof
      ConnectError
  )
  t.notOk((await preparedNames(client)).includes('own'))
  t.match((await queryWithPrefix(client, [marked('y')], own)).rows, [{ mark: 'y' }], 'all is prepared again')
})

t.test('a check of the prefix refuses the answer', async t => {
  const client = await connected(t)
  const refusal = new Error('read-only')
  const readOnly: PrefixStatement = {
    name: 'checked',
    text: "select set_config('test.mark', '', true), current_setting('transaction_read_only')",
    check: columns => (columns.at(-1) === 'on' ? refusal : undefined)
  }
  t.equal((await queryWithPrefix(client, [readOnly], READ_MARK)).rows.length, 1)
  await client.query('set default_transaction_read_only = on')
  await t.rejects(queryWithPrefix(client, [readOnly], READ_MARK), refusal)
  await client.query('set default_transaction_read_only = off')
  t.equal((await queryWithPrefix(client, [readOnly], READ_MARK)).rows.length, 1)
})

t.test('queries that wait for each other on one connection', async t => {
  const client = await connected(t)
  const found = []
  for (let i = 0; i < 20; i++)
    found.push((await queryWithPrefix(client, [marked(`${i}`)], { name: 'own', ...READ_MARK })).rows[0]?.mark)
  t.same(
    found,
    Array.from({ length: 20 }, (_, i) => `${i}`)
  )
})

t.test('a connection that ends meanwhile fails the query, and one that has ended fails the next', async t => {
  const client = await connected(t)
  const waiting = queryWithPrefix(client, [marked('x')], { text: 'select pg_sleep(10)' })
  await sleep(50)
  const began = performance.now()
  destroySocket(client)
  await t.rejects(waiting, /Connection terminated/)
  t.ok(performance.now() - began < 8000, 'long before the statement would have ended')
  await t.rejects(queryWithPrefix(client, [marked('x')], READ_MARK), /not queryable/)
})

t.test("pg's own time-out of a query", async t => {
  const client = await connected(t, { query_timeout: 100 })
  await t.rejects(queryWithPrefix(client, [marked('x')], { text: 'select pg_sleep(1)' }), /Query read timeout/)
})

t.test('a socket is destroyed before and while it connects', async t => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  const connecting = client.connect()
  destroySocket(client)
  await t.rejects(connecting)
})

t.test('a pool makes its clients of a class, and waits for connect', async t => {
  let fault: Error | undefined
  const pids: number[] = []
  class Client extends pg.Client {
    constructor() {
      super({ connectionString: url })
    }
    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error | null) => void): void
    override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
      const connected = this.prepared()
      if (callback === undefined) return connected
      connected.then(() => {
        callback(null)
      }, callback)
    }
    private async prepared(): Promise<pg.Client> {
      await super.connect()
      await sleep(50)
      const { rows } = await this.query<{ pid: number }>(
        "select pg_backend_pid() as pid, set_config('test.mark', 'prepared', false)"
      )
      pids.push(rows[0]?.pid as number)
      t.equal(processIdOf(this), rows[0]?.pid, 'the process id is that of the server')
      if (fault === undefined) return this
      void this.end()
      throw fault
    }
  }
  const pool = new pg.Pool({ Client, max: 1 })
  t.teardown(() => pool.end())
  t.match((await pool.query(READ_MARK)).rows, [{ mark: 'prepared' }])
  t.match((await pool.query(READ_MARK)).rows, [{ mark: 'prepared' }])
  t.equal(pids.length, 1, 'once for each connection')
  const client = await pool.connect()
  client.release(true)
  fault = new Error('not fit')
  await t.rejects(pool.connect(), fault)
  t.equal(pool.totalCount, 0)
  fault = undefined
  t.match((await pool.query(READ_MARK)).rows, [{ mark: 'prepared' }])
})

t.test('the status of a transaction, by which the pool decides whether a connection can be used again', async t => {
  const client = await connected(t)
  t.equal(client.getTransactionStatus(), 'I')
  await queryWithPrefix(client, [{ text: 'begin' }], READ_MARK)
  t.equal(client.getTransactionStatus(), 'T')
  // The status comes with ReadyForQuery, after the fault.
  const ready = once(client, 'drain')
  await t.rejects(client.query('select nonsense'))
  await ready
  t.equal(client.getTransactionStatus(), 'E')
  await client.query('rollback')
  t.equal(client.getTransactionStatus(), 'I')
})

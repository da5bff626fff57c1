import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { migrations } from '../../migrations/index.js'
import { status, up, upTo } from '../../src/postgres/migrate.js'
import type { Db } from '../../src/postgres/schema.js'
import { createDatabase } from '../support/cluster.js'
import { openOwner } from '../support/database.js'
import { until } from '../support/rest.js'
import { schemaSnapshot } from '../support/schema-snapshot.js'

/** Migrations on a database that is in use. */

t.jobs = 4

const SESSION = 'session_0000000000000001'
const NAMES = Object.keys(migrations)

/** A database with the migrations up to that one, and some rows. */
async function databaseAt(
  t: Test,
  name: string
): Promise<{ db: Db; open: () => Db; client: () => Promise<pg.Client> }> {
  const { url, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  const open = () => openOwner(t, url, { max: 1, connect_timeout_ms: 30_000 })
  const db = open()
  t.ok(await upTo(db, name))
  await sql`insert into sessions (id, purpose, created_by) values (${SESSION}, 'p', 'a')`.execute(db)
  await sql`insert into messages (session_id, seq, sender, sender_type, content, visibility)
    select ${SESSION}, n, 'a', 'b', 'for ＠b and @c', 'public' from generate_series(1, 100) n`.execute(db)
  await sql`insert into message_terms_rows (message_id, session_id, sender, sender_type, visibility, timestamp, terms)
    select id, session_id, sender, sender_type, visibility, timestamp, '{1}' from messages`.execute(db)
  return {
    db,
    open,
    async client() {
      const client = new pg.Client({ connectionString: url })
      t.teardown(() => client.end())
      await client.connect()
      return client
    }
  }
}

t.test('whoever uses a table for long does not make the migration hold up others', async t => {
  const { db, client } = await databaseAt(t, '0090-mcp-session-openers')
  const [slow, other] = [await client(), await client()]
  await slow.query('begin')
  await slow.query('select from messages limit 1')
  let isOver = false
  const migrated = up(db).finally(() => {
    isOver = true
  })
  const waits = async () => {
    const { rowCount } = await other.query(`select from pg_locks where not granted and mode = 'AccessExclusiveLock'
      and database = (select oid from pg_database where datname = current_database())`)
    return rowCount === 1
  }
  for (let tries = 0; tries < 2; tries++) {
    await until('the migration waits for the table', waits)
    const { rows } = await other.query('select count(*)::int as messages from messages')
    t.same(rows, [{ messages: 100 }], 'a reader who comes later is answered, though the first one is still there')
    t.notOk(isOver)
  }
  await slow.query('commit')
  t.equal((await migrated)[0], '0091-full-width-mentions')
})

t.test('several at once on a database in use: each migration is applied once', async t => {
  const { open, db } = await databaseAt(t, '0018-seen-by-some')
  const done = await Promise.all(Array.from({ length: 8 }, () => up(open())))
  t.same(done.flat().sort(), NAMES.slice(NAMES.indexOf('0018-seen-by-some') + 1))
  t.ok((await status(db)).every(({ applied }) => applied))
  const { rows } = await sql<{ invalid: number }>`
    select count(*)::int as invalid from pg_index where not indisvalid`.execute(db)
  t.same(rows, [{ invalid: 0 }])
})

t.test('the schema is the same as that of a new database, also after an index was left unfinished', async t => {
  const { db } = await databaseAt(t, '0018-seen-by-some')
  // What PostgreSQL leaves when it is stopped meanwhile, here of other columns.
  await sql`create index messages_mentioning_wide on messages (workspace)`.execute(db)
  await sql`update pg_index set indisvalid = false
    where indexrelid = 'messages_mentioning_wide'::regclass`.execute(db)
  await up(db)
  const fresh = openOwner(t, await emptyUrl(t), { max: 1 })
  await up(fresh)
  t.equal(await schemaSnapshot(db), await schemaSnapshot(fresh))
})

async function emptyUrl(t: Test): Promise<string> {
  const { url, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  return url
}

t.test('what a program of the last release writes into memory has a version of its own', async t => {
  const { db } = await databaseAt(t, '0018-seen-by-some')
  /** As version 0018 writes it. */
  const write = async (value: number) => {
    await sql`
      insert into agent_memory as old (agent_id, session_id, key, value, value_size, expires_at)
      values ('a', '', 'k', ${String(value)}::jsonb, 1, null)
      on conflict (workspace, agent_id, session_id, key) do update set
        value = excluded.value, version = case when old.expires_at <= clock_timestamp() then 1 else old.version + 1 end,
        updated_at = clock_timestamp(), expires_at = excluded.expires_at`.execute(db)
  }
  const version = async () => {
    const { rows } = await sql<{ version: number }>`
      select coalesce(revision, version)::int as version from agent_memory`.execute(db)
    return rows[0]?.version ?? 0
  }
  for (let n = 1; n <= 50; n++) await write(n)
  await up(db)
  t.equal(await version(), 50, 'what nobody has written since keeps its version')
  const versions = [50]
  for (let n = 51; n <= 55; n++) {
    await write(n)
    versions.push(await version())
  }
  // As the program of this version writes it.
  await sql`update agent_memory set value = '56', revision = nextval('memory_versions'), updated_at = clock_timestamp(),
    updated_by = 'b', expires_in = 60`.execute(db)
  versions.push(await version())
  await write(57)
  versions.push(await version())
  t.same(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
    'each is larger than the one before'
  )
  const { rows: current } = await sql`select updated_by, expires_in, value from agent_memory`.execute(db)
  t.same(current, [{ updated_by: null, expires_in: null, value: 57 }], 'nothing is left of who wrote before')
  const { rows: history } = await sql<{ value: number }>`select value from memory_history order by version`.execute(db)
  t.same(
    history.map(({ value }) => value),
    [50, 51, 52, 53, 54, 55, 56],
    'and what it replaced is in the history'
  )
})

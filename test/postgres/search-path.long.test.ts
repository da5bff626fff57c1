import t, { type Test } from 'tap'
import { down, up } from '../../src/postgres/migrate.js'
import { serviceRole } from '../../src/postgres/service-role.js'
import { call, environment, newSession, ok, runToEnd, startApp } from '../helper.js'
import { migrated, openOwner, type OwnedDatabase, ownedDatabase } from '../support/database.js'

/** Where an estate has its tables, its extensions and its path. */

t.jobs = 4

/** A database in which the superuser has put pg_trgm into a schema of its own. */
async function withExtensions(
  t: Test,
  attributes = 'createrole',
  grant = ' with grant option'
): Promise<OwnedDatabase> {
  const database = await ownedDatabase(t, attributes)
  const { asAdmin, owner } = database
  await asAdmin('create schema extensions; create extension pg_trgm schema extensions')
  await asAdmin(
    `grant create, usage on schema public to ${owner}; grant usage on schema extensions to ${owner}${grant}`
  )
  return database
}

/** The address with a path of its own. */
function along(url: string, schema: string): string {
  const of = new URL(url)
  of.searchParams.set('options', `-csearch_path=${schema}`)
  return of.href
}

/** That all that uses trigrams or tables works there. */
async function works(t: Test, url: string): Promise<void> {
  const app = await startApp(t, {}, { url })
  t.equal((await app.server.inject('/health/ready')).statusCode, 200)
  const session_id = await newSession(app, {}, 'the migration of the database')
  await ok(app, 'add_message', { session_id, content: 'a pelican and a walrus' })
  t.ok((await ok(app, 'list_sessions', { query: 'migraton' })).count > 0)
  t.ok((await ok(app, 'search_context', { query: 'pelican' })).message_count > 0)
  t.ok((await ok(app, 'search_context', { query: 'pelcian' })).message_count > 0)
  await ok(app, 'set_memory', { key: 'k', value: 1 })
}

t.test('pg_trgm in another schema, which the path does not have', async t => {
  const { url } = await withExtensions(t)
  t.ok((await migrated(url)).length > 0)
  t.same(await migrated(url), [])
  await works(t, url)
})

t.test('and back again', async t => {
  const { url } = await withExtensions(t)
  const db = openOwner(t, url, { max: 1 })
  const names = await up(db)
  for (const name of [...names].reverse()) t.same(await down(db), [name])
  t.same(await up(db), names)
})

t.test('where the role cannot be let in, one sentence says so before anything is made', async t => {
  const { url, owner, asAdmin } = await withExtensions(t, 'createrole', '')
  const { code, stderr, stdout } = await runToEnd(['migrate', 'up'], { DATABASE_URL: url })
  t.match({ code, stdout }, { code: 1, stdout: '' })
  t.equal(
    stderr,
    `The service's role "${serviceRole(owner)}" needs the schema "extensions", and "${owner}" may not let it in. ` +
      `As that schema's owner run: grant usage on schema "extensions" to "${owner}" with grant option\n`
  )
  t.same(
    await asAdmin(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace
       union all select rolname from pg_roles where rolname = '${serviceRole(owner)}'`
    ),
    []
  )
  await asAdmin(/run: (.*)/.exec(stderr)?.[1] as string)
  t.match(await runToEnd(['migrate', 'up'], { DATABASE_URL: url }), { code: 0 }, 'with what it advises it works')
  await works(t, url)
})

t.test('the schema is lost to the role later: the service says so', async t => {
  const { url, owner, asAdmin } = await withExtensions(t)
  await migrated(url)
  await asAdmin(
    `revoke usage on schema extensions from ${serviceRole(owner)};
     revoke usage on schema extensions from ${owner} cascade`
  )
  await asAdmin(`grant usage on schema extensions to ${owner}`)
  const app = await startApp(t, {}, { url })
  t.match(await call(app, 'list_sessions'), { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } })
  t.match(app.server.database.lastFault()?.reason, /may not use the schema "extensions".*run: grant usage on schema/)
  t.equal((await app.server.inject('/health/ready')).statusCode, 503)
  await asAdmin(`grant usage on schema extensions to ${serviceRole(owner)}`)
  t.match(await call(app, 'list_sessions'), { status: 200 })
})

t.test('two logins with paths of their own', async t => {
  const { url, owner, asAdmin, urlOf } = await withExtensions(t, 'nocreaterole')
  const login = `${owner}_app`
  await asAdmin(`create role ${login} login password 'secret'`)
  await asAdmin(`create schema scs authorization ${owner}; alter role ${owner} set search_path to scs, extensions`)
  const { code, stderr } = await runToEnd(['migrate', 'up'], {
    ...environment(urlOf(login)),
    MIGRATION_DATABASE_URL: url
  })
  t.equal(code, 0, stderr)
  t.match(await asAdmin("select schemaname as name from pg_tables where tablename = 'messages'"), [{ name: 'scs' }])
  await works(t, urlOf(login))
  await asAdmin(`alter role ${login} set search_path to nowhere`)
  await works(t, urlOf(login))
})

t.test('the path of the login decides among several installations', async t => {
  const { url, owner, asAdmin } = await withExtensions(t)
  for (const schema of ['one', 'two']) {
    await asAdmin(`create schema ${schema} authorization ${owner}`)
    t.ok((await migrated(along(url, schema))).length > 0, schema)
  }
  const [one, two] = [along(url, 'one'), along(url, 'two')]
  const session_id = await newSession(await startApp(t, {}, { url: one }))
  t.match(await call(await startApp(t, {}, { url: two }), 'get_session', { session_id }), { status: 404 })
  t.match(await call(await startApp(t, {}, { url: one }), 'get_session', { session_id }), { status: 200 })
  const app = await startApp(t, {}, { url })
  t.match(await call(app, 'list_sessions'), { status: 503 })
  t.match(app.server.database.lastFault()?.reason, /Several schemas hold tables of the service: one, two\./)
})

t.test("another program's table of migrations is not taken for ours", async t => {
  const { url, owner, asAdmin } = await withExtensions(t)
  await asAdmin(
    `create table public.kysely_migration (name text, timestamp text);
     insert into public.kysely_migration values ('0001-of-somebody-else', '2020')`
  )
  await asAdmin(`grant select on public.kysely_migration to public; create schema ${owner} authorization ${owner}`)
  t.ok((await migrated(url)).length > 0)
  await works(t, url)
})

t.test('pg_trgm is missing', async t => {
  const { url, owner, name, asAdmin } = await ownedDatabase(t, 'createrole')
  await asAdmin(`grant create, usage on schema public to ${owner}; alter database ${name} owner to postgres`)
  await t.rejects(migrated(url), {
    message:
      `The extension pg_trgm is missing, and "${owner}" may not make it. ` +
      'As a superuser run in this database: create extension pg_trgm'
  })
  await asAdmin(`grant create on database ${name} to ${owner}`)
  t.ok((await migrated(url)).length > 0, 'it is made')
  t.match(await asAdmin("select extname from pg_extension where extname = 'pg_trgm'"), [{ extname: 'pg_trgm' }])
  await works(t, url)
})

t.test('no schema to make tables in', async t => {
  const { url, owner, asAdmin } = await withExtensions(t)
  await asAdmin(`revoke create on schema public from ${owner}; alter schema public owner to postgres`)
  await t.rejects(migrated(url), {
    message:
      `The database user "${owner}" may not make tables in the schema "public". ` +
      `As that schema's owner run: grant create, usage on schema "public" to "${owner}"`
  })
  await asAdmin(`alter role ${owner} set search_path to nowhere`)
  await t.rejects(migrated(url), {
    message:
      `No schema of the search_path of "${owner}" is there. ` +
      `Make one, for instance with: create schema "${owner}" authorization "${owner}"`
  })
})

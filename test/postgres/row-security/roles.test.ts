import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { connect, connectAsOwner } from '../../../src/postgres/connect.js'
import { up } from '../../../src/postgres/migrate.js'
import { inWorkspace } from '../../../src/postgres/scope.js'
import { describeRowSecurity, type RowSecurity } from '../../../src/postgres/row-security-kind.js'
import { adviceFor, makeRole, serviceRole } from '../../../src/postgres/service-role.js'
import { newSession, ok, runToEnd, environment, startApp } from '../../helper.js'
import { createDatabase } from '../../support/cluster.js'
import { connectionTo } from '../../support/connection-to.js'

/** Who migrates, and as whom the service works. */

/** An empty database of a new role's. */
async function owned(
  t: Test,
  attributes: string
): Promise<{
  owner: string
  url: string
  asAdmin: (statement: string) => Promise<void>
  urlOf: (login: string) => string
}> {
  const database = await createDatabase({ empty: true })
  const owner = `scs_owner_${randomBytes(6).toString('hex')}`
  const asAdmin = async (statement: string) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
  const urlOf = (login: string) => Object.assign(new URL(database.url), { username: login, password: 'secret' }).href
  await asAdmin(`create role ${owner} login password 'secret' ${attributes}`)
  await asAdmin(`alter database ${database.name} owner to ${owner}`)
  await asAdmin(`alter database ${database.name} reset scs.workspace`)
  t.teardown(async () => {
    await database.drop()
    const client = new pg.Client({
      connectionString: Object.assign(new URL(database.url), { pathname: '/postgres' }).href
    })
    await client.connect()
    for (const role of [serviceRole(owner), `${owner}_app`, owner]) await client.query(`drop role if exists ${role}`)
    await client.end()
  })
  return { owner, url: urlOf(owner), asAdmin, urlOf }
}

async function migrated(url: string, login?: string): Promise<string[]> {
  const { db, close } = connectAsOwner(connectionTo(url, { max: 1 }))
  try {
    return await up(db, login)
  } finally {
    await close()
  }
}

/** What the service finds there, and that it can work. */
async function works(t: Test, url: string): Promise<RowSecurity> {
  let row_security: RowSecurity | undefined
  const database = connect(
    connectionTo(url, {
      statement_timeout_ms: 5000,
      onRowSecurity: found => {
        row_security = found
      }
    })
  )
  try {
    const [a, b] = [inWorkspace(database.db, 'a'), inWorkspace(database.db, 'b')]
    await a
      .insertInto('sessions')
      .values({ workspace: 'a', id: `session_${randomBytes(8).toString('hex')}`, purpose: 'of a', created_by: 'x' })
      .execute()
    t.equal((await a.selectFrom('sessions').select('id').execute()).length, 1)
    t.same(await b.selectFrom('sessions').select('id').execute(), [], 'without any condition')
    t.same(await b.selectFrom('message_terms').select('terms').execute(), [])
  } finally {
    await database.close()
  }
  return row_security as RowSecurity
}

t.test('an owner who may create roles, and is no superuser', async t => {
  const { owner, url } = await owned(t, 'createrole')
  t.ok((await migrated(url)).length > 0)
  t.same(await migrated(url), [], 'again, with policies that hold for the owner too')
  const row_security = await works(t, url)
  t.same(row_security, { kind: 'role', login: owner, owner, role: serviceRole(owner) })
  t.match(describeRowSecurity(row_security), /would protect more: see MIGRATION_DATABASE_URL/)
})

t.test('an owner who may not: it is told what to say, and works until then', async t => {
  const { owner, url, asAdmin } = await owned(t, 'nocreaterole')
  await migrated(url)
  const row_security = await works(t, url)
  t.same(row_security, { kind: 'owner', login: owner, owner })
  t.ok(describeRowSecurity(row_security).includes(adviceFor(owner)))
  const statements = /say: (.*?;.*?;)/.exec(adviceFor(owner))?.[1]
  await asAdmin(statements as string)
  await asAdmin('truncate sessions cascade')
  await migrated(url)
  t.match(await works(t, url), { kind: 'role' })
})

t.test('two logins: one migrates, the other owns nothing', async t => {
  const { owner, url, asAdmin, urlOf } = await owned(t, 'nocreaterole')
  await asAdmin(`create role ${owner}_app login password 'secret'`)
  const { code, stdout, stderr } = await runToEnd(
    ['migrate', 'up'],
    environment(urlOf(`${owner}_app`), { MIGRATION_DATABASE_URL: url })
  )
  t.equal(code, 0, stderr)
  t.match(stdout, /applied {2}0015/)
  t.same(await works(t, urlOf(`${owner}_app`)), { kind: 'login', login: `${owner}_app`, owner })
  const app = await startApp(t, {}, { url: urlOf(`${owner}_app`) })
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'the pelican' })
  t.equal((await ok(app, 'search_context', { query: 'pelican' })).message_count, 1)
  await t.rejects(sql`delete from audit_log`.execute(inWorkspace(app.server.database.db, 'default')), { code: '42501' })

  // How long the audit log is kept is the operator's to say, who has the other login.
  const keep = (more: Record<string, string>) =>
    runToEnd(['retention', 'audit', 'set', '30'], environment(urlOf(`${owner}_app`), more))
  t.match(await keep({}), {
    code: 1,
    stdout: '',
    stderr: /MIGRATION_DATABASE_URL to the login that owns the tables\.\n$/
  })
  t.match(await keep({ MIGRATION_DATABASE_URL: url }), { code: 0, stdout: /^30 days/ })
})

t.test('many make the same role at once', async t => {
  const { url, owner } = await owned(t, 'createrole')
  const made = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { db, close } = connectAsOwner(connectionTo(url, { max: 1 }))
      return makeRole(db).finally(close)
    })
  )
  t.same(
    made,
    made.map(() => serviceRole(owner))
  )
})

t.test('names of roles', async t => {
  t.equal(serviceRole('postgres'), 'shared_context_service_postgres')
  t.ok(serviceRole('x'.repeat(63)).length <= 63)
  t.not(serviceRole('x'.repeat(63)), serviceRole('x'.repeat(62)))
})

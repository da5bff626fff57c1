import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { connect, connectAsOwner } from '../../../src/postgres/connect.js'
import { inWorkspace } from '../../../src/postgres/scope.js'
import {
  adviceFor,
  describeRowSecurity,
  makeRole,
  type RowSecurity,
  serviceRole
} from '../../../src/postgres/service-role.js'
import { newSession, ok, runToEnd, environment, startApp } from '../../helper.js'
import { migrated, optionsFor, ownedDatabase } from '../../support/database.js'

/** Who migrates, and as whom the service works. */

/** What the service finds there, and that it can work. */
async function works(t: Test, url: string): Promise<RowSecurity> {
  let row_security: RowSecurity | undefined
  const database = connect(
    optionsFor(url, {
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
  const { owner, url } = await ownedDatabase(t, 'createrole')
  t.ok((await migrated(url)).length > 0)
  t.same(await migrated(url), [], 'again, with policies that hold for the owner too')
  const row_security = await works(t, url)
  t.same(row_security, { kind: 'role', login: owner, owner, role: serviceRole(owner) })
  t.match(describeRowSecurity(row_security), /would protect more: see MIGRATION_DATABASE_URL/)
})

t.test('an owner who may not: it is told what to say, and works until then', async t => {
  const { owner, url, asAdmin } = await ownedDatabase(t, 'nocreaterole')
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
  const { owner, url, asAdmin, urlOf } = await ownedDatabase(t, 'nocreaterole')
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
  const { url, owner } = await ownedDatabase(t, 'createrole')
  const made = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { db, close } = connectAsOwner(optionsFor(url, { max: 1 }))
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

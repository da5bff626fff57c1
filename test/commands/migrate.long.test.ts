import t from 'tap'
import { environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer, ownedDatabase } from '../support/database.js'

/** What `migrate` and the start need of their environment and of the database. */

const STACK = /\n {4}at |\.[jt]s:\d+/

t.test('migrating needs the address of the database, and nothing else', async t => {
  const { url, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  const env = { DATABASE_URL: url }
  t.match(await runToEnd(['migrate', 'status'], env), { code: 0, stdout: /^(missing .*\n)+$/, stderr: '' })
  t.match(await runToEnd(['migrate', 'up'], env), { code: 0, stdout: /^(applied .*\n)+$/, stderr: '' })
  t.match(await runToEnd(['migrate', 'down', '--yes'], env), { code: 0, stdout: /^reverted .*\n$/ })
  t.match(await runToEnd(['migrate'], env), { code: 0, stdout: /^applied .*\n$/ }, 'and again')
  // The owner may have an address of its own.
  const { url: owned, owner, urlOf, asAdmin } = await ownedDatabase(t, 'createrole')
  await asAdmin(`create role ${owner}_app login password 'secret'; create extension pg_trgm`)
  await asAdmin(`grant all on schema public to ${owner}`)
  const two = { DATABASE_URL: urlOf(`${owner}_app`), MIGRATION_DATABASE_URL: owned }
  t.match(await runToEnd(['migrate', 'up'], two), { code: 0, stdout: /^(applied .*\n)+$/ })
})

t.test('a database that is not in UTF8 is refused in one sentence, with the cure', async t => {
  for (const encoding of ['LATIN1', 'SQL_ASCII', 'EUC_JP']) {
    const { url, drop } = await createDatabase({
      empty: true,
      options: `template template0 encoding '${encoding}' locale_provider libc lc_collate 'C' lc_ctype 'C'`
    })
    t.teardown(drop)
    const says =
      `The database's encoding is ${encoding}, and the service needs UTF8. ` +
      "Make a database with: create database … encoding 'UTF8' template template0\n"
    for (const args of [['migrate', 'up'], ['migrate', 'status'], ['serve']])
      t.same(
        await runToEnd(args, environment(url)),
        { code: 1, stdout: '', stderr: says },
        `${encoding} ${args.join(' ')}`
      )
    t.same(
      await administer(url, "select relname from pg_class where relnamespace = 'public'::regnamespace"),
      [],
      'nothing has been made'
    )
    const late = await runProgram(t, ['serve'], environment(url, { MIGRATE_ON_START: 'false' }), {
      ready: /not ready yet: (.*)/
    })
    t.match(late.output(), says.trim(), 'who does not migrate is told too, and serves nothing')
    t.equal(await late.stop(), 0)
  }
})

t.test('a database in which triggers do not fire', async t => {
  const { url, name, drop } = await createDatabase()
  t.teardown(drop)
  await administer(url, `alter database ${name} set session_replication_role = replica`)
  for (const args of [['migrate', 'up'], ['serve']]) {
    const { code, stdout, stderr } = await runToEnd(args, environment(url))
    t.equal(code, 1)
    t.match(stderr, /^session_replication_role is replica .*alter database … reset session_replication_role.*\n$/)
    t.notMatch(stdout + stderr, STACK)
  }
  await administer(url, `alter database ${name} reset session_replication_role`)
  t.match(await runToEnd(['migrate', 'up'], environment(url)), { code: 0 })
})

import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { environment, runProgram, runToEnd } from '../helper.js'
import { makeAuthority } from '../support/certificates.js'
import { createDatabase } from '../support/cluster.js'
import { administer } from '../support/database.js'
import { ownServer, temporaryFolder } from '../support/own-server.js'
import { needs } from '../support/programs.js'
import { post } from '../support/rest.js'

/** TLS to the database, with the meaning that libpq gives to the parameters of the URL. */

const STACK = /\n {4}at |\.[jt]s:\d+/

/** What `migrate status` says there. It needs nothing but the address. */
async function ask(url: string): Promise<{ works: boolean; says: string }> {
  const { code, stdout, stderr } = await runToEnd(['migrate', 'status'], { DATABASE_URL: url })
  t.notMatch(stdout + stderr, STACK, stderr)
  t.equal(stderr.trim().split('\n').length, 1, `one sentence or two in one line: ${stderr}`)
  return { works: code === 0, says: stderr }
}

/** The address with these parameters, at that host. */
function at(url: string, parameters: Record<string, string>, hostname = 'localhost'): string {
  const of = Object.assign(new URL(url), { hostname })
  of.search = new URLSearchParams(parameters).toString()
  return of.href
}

t.test('a server with a certificate', needs('openssl'), async t => {
  const folder = await temporaryFolder(t)
  const [ours, another] = [makeAuthority(folder, 'ours'), makeAuthority(folder, 'another')]
  let dir = ''
  /** Has the server show another certificate, from its next connection on. */
  let show = async (_days: number): Promise<void> => {}
  const server = await ownServer(t, {
    prepare: async (clusterDir, own) => {
      dir = clusterDir
      show = async days => {
        const { certificate, key } = ours.sign('localhost', days)
        for (const [from, to] of [
          [certificate, 'server.crt'],
          [key, 'server.key'],
          [ours.certificate, 'clients.crt']
        ] as const) {
          await copyFile(from, join(dir, to))
          await own(join(dir, to))
        }
      }
      await show(30)
      return { ssl: 'on', ssl_ca_file: 'clients.crt' }
    }
  })
  const plain = server.url
  const rules = await readFile(join(dir, 'pg_hba.conf'), 'utf8')
  const reload = async (hba: string) => {
    await writeFile(join(dir, 'pg_hba.conf'), hba)
    await administer(tls, 'select pg_reload_conf()')
  }
  const tls = at(plain, { sslmode: 'no-verify' })
  const root = { sslrootcert: ours.certificate }

  await t.test('works as the mode says', async t => {
    const rows: Array<[parameters: Record<string, string>, host?: string]> = [
      [{}],
      [{ sslmode: 'disable' }],
      [{ sslmode: 'allow' }],
      [{ sslmode: 'prefer' }],
      [{ sslmode: 'require' }],
      [{ sslmode: 'require' }, '127.0.0.1'],
      [{ sslmode: 'require', ...root }, '127.0.0.1'],
      [{ sslmode: 'verify-ca', ...root }],
      [{ sslmode: 'verify-ca', ...root }, '127.0.0.1'],
      [{ sslmode: 'verify-full', ...root }]
    ]
    for (const [parameters, host] of rows) {
      const { code, stderr } = await runToEnd(['migrate', 'status'], { DATABASE_URL: at(plain, parameters, host) })
      t.equal(code, 0, `${JSON.stringify(parameters)} ${stderr}`)
    }
  })

  await t.test('serves, hints included', async t => {
    const url = at(plain, { sslmode: 'verify-full', ...root })
    const program = await runProgram(t, ['serve'], environment(url))
    const { session_id } = await post(program.url, 'create_session', { purpose: 'over TLS' })
    const waiting = post(program.url, 'wait_for_messages', { session_id, timeout_seconds: 20 })
    t.match(await post(program.url, 'add_message', { session_id, content: 'x' }), { status: 200 })
    t.match(await waiting, { status: 200 })
    const rows = await administer(
      plain,
      "select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name like 'shared-context%'"
    )
    t.ok(rows.length > 1 && rows.every(({ ssl }) => ssl === true), 'all its connections have TLS')
    t.match(await (await fetch(`${program.url}/metrics`)).text(), /^event_hints_mode\{mode="listen"\} 1$/m)
    t.equal(await program.stop(), 0)
  })

  await t.test('an authority that is not the one', async t => {
    for (const sslmode of ['require', 'verify-ca', 'verify-full']) {
      const { works, says } = await ask(at(plain, { sslmode, sslrootcert: another.certificate }))
      t.notOk(works, sslmode)
      t.match(
        says,
        new RegExp(`certificate of the server at localhost:\\d+ .*, and sslmode=${sslmode} checks it\\. Name`)
      )
      t.match(says, /with sslrootcert=<file> in DATABASE_URL, or set sslmode=require/)
    }
    const { works, says } = await ask(at(plain, { sslmode: 'verify-full' }))
    t.notOk(works, 'nor one that Node does not know')
    t.match(says, /is signed by|certificate/)
  })

  await t.test('a name that is not in it', async t => {
    const { works, says } = await ask(at(plain, { sslmode: 'verify-full', ...root }, '127.0.0.1'))
    t.notOk(works)
    t.match(says, /The certificate of the server at 127\.0\.0\.1:\d+ is for another host/)
    t.match(says, /sslmode=verify-ca/, 'and what does not compare it')
  })

  await t.test('parameters that cannot be', async t => {
    for (const [parameters, says] of [
      [{ sslmode: 'verify-ca' }, /DATABASE_URL has sslmode=verify-ca, which needs sslrootcert=<file>/],
      [{ sslmode: 'always' }, /DATABASE_URL has sslmode="always", which is none of disable, allow, prefer, require/],
      [{ sslmode: 'require', sslrootcert: join(folder, 'none') }, /names the file .*none as sslrootcert.*ENOENT/],
      [{ sslmode: 'require', sslcert: ours.certificate }, /has one of sslcert and sslkey, and needs both/]
    ] as const) {
      const { code, stdout, stderr } = await runToEnd(['migrate', 'status'], { DATABASE_URL: at(plain, parameters) })
      t.equal(code, 1)
      t.match(stderr, says)
      t.notMatch(stdout + stderr, STACK)
    }
    await writeFile(join(folder, 'no.crt'), 'no certificate')
    const { works, says } = await ask(at(plain, { sslmode: 'verify-full', sslrootcert: join(folder, 'no.crt') }))
    t.notOk(works)
    t.match(says, /sslrootcert/)
  })

  await t.test('a server that admits TLS alone', async t => {
    await reload(rules.replace(/^host\b/gm, 'hostssl'))
    const some: Array<Record<string, string>> = [
      {},
      { sslmode: 'allow' },
      { sslmode: 'prefer' },
      { sslmode: 'require' }
    ]
    for (const parameters of some)
      t.ok((await runToEnd(['migrate', 'status'], { DATABASE_URL: at(plain, parameters) })).code === 0, parameters)
    const { works, says } = await ask(at(plain, { sslmode: 'disable' }))
    t.notOk(works)
    t.match(says, /The server at localhost:\d+ admits only connections with TLS\. Set sslmode=require in DATABASE_URL/)
  })

  await t.test('and one that wants a certificate of the client', async t => {
    await reload(rules.replace(/^host\b(.*)$/gm, 'hostssl$1 clientcert=verify-full'))
    const { works, says } = await ask(at(plain, { sslmode: 'require' }))
    t.notOk(works)
    t.match(says, /wants a certificate of the client\. Name it with sslcert and sslkey in DATABASE_URL/)
    const { certificate: sslcert, key: sslkey } = ours.sign('postgres')
    const { code, stderr } = await runToEnd(['migrate', 'status'], {
      DATABASE_URL: at(plain, { sslmode: 'require', sslcert, sslkey })
    })
    t.equal(code, 0, stderr)
    await writeFile(join(dir, 'pg_hba.conf'), rules)
    await administer(at(plain, { sslmode: 'no-verify', sslcert, sslkey }), 'select pg_reload_conf()')
  })

  await t.test('a certificate that has expired', async t => {
    await show(-1)
    await administer(tls, 'select pg_reload_conf()')
    for (const sslmode of ['verify-ca', 'verify-full']) {
      const { works, says } = await ask(at(plain, { sslmode, ...root }))
      t.notOk(works, sslmode)
      t.match(says, /The certificate of the server at localhost:\d+ has expired/)
      t.match(says, /renew it/i)
    }
    t.equal((await runToEnd(['migrate', 'status'], { DATABASE_URL: tls })).code, 0, 'who does not check does not care')
  })
})

t.test('a server without TLS', async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const some: Array<Record<string, string>> = [{}, { sslmode: 'disable' }, { sslmode: 'allow' }, { sslmode: 'prefer' }]
  for (const parameters of some)
    t.equal((await runToEnd(['migrate', 'status'], { DATABASE_URL: at(url, parameters) })).code, 0, parameters)
  const { works, says } = await ask(at(url, { sslmode: 'require' }))
  t.notOk(works)
  t.match(says, /The server at localhost:\d+ offers no TLS, and sslmode=require demands it\. Turn on its setting ssl/)
  t.match(says, /or set sslmode=prefer in DATABASE_URL/)
})

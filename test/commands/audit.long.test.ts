import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'
import { post } from '../support/rest.js'

/** Three replicas, one of which is killed again and again while it may be chaining; then the commands. */
t.test('one chain by three replicas, through kills; and what the commands say of it', async t => {
  const { url, drop } = await createDatabase()
  const folder = await temporaryFolder(t)
  const file = join(folder, 'heads.ndjson')
  const env = environment(url, {
    AUDIT_HMAC_KEY: 'audit-key-of-tests-0123456789-0123456789',
    AUDIT_HEAD_FILE: file,
    MIGRATE_ON_START: 'false'
  })
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  t.teardown(async () => {
    await owner.end()
    await drop()
  })
  const staying = await Promise.all([1, 2].map(() => runProgram(t, ['serve'], env)))
  const { session_id } = await post(staying[0]?.url as string, 'create_session', { purpose: 'audit' }, { key: API_KEY })
  let writing = true
  const writers = staying.map(async ({ url }, writer) => {
    while (writing)
      await post(url, 'add_message', { session_id, content: 'x' }, { key: API_KEY, agent: `writer-${writer}` })
  })
  for (let round = 0; round < 2; round++) {
    const killed = await runProgram(t, ['serve'], env)
    await new Promise(resolve => setTimeout(resolve, 200 + 300 * round))
    t.equal(await killed.stop('SIGKILL'), 'SIGKILL')
  }
  writing = false
  await Promise.all(writers)
  for (const program of staying) t.equal(await program.stop(), 0)
  const count = Number((await owner.query<{ count: string }>('select count(*) from audit_log')).rows[0]?.count)

  const verify = (...args: string[]) => runToEnd(['audit', 'verify', ...args], env)
  const intact = await verify('--heads', file)
  t.match(intact, {
    code: 0,
    stdout: new RegExp(
      `^default: intact. ${count} rows from seq 1 to ${count}, .* kept heads match; 0 rows not yet chained`,
      'm'
    )
  })
  t.notMatch(intact.stdout, /not signed/)

  const exported = (await runToEnd(['audit', 'export'], env)).stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; seq: number })
  t.same(
    exported.filter(({ type }) => type === 'row').map(({ seq }) => seq),
    Array.from({ length: count }, (_, i) => i + 1)
  )
  t.equal(exported.at(-1)?.type, 'head')

  for (const table of ['audit_log', 'audit_chain', 'audit_heads'])
    await owner.query(`alter table ${table} disable trigger append_only`)
  await owner.query(
    'with cut as (delete from audit_chain where seq > $1 returning audit_id) delete from ' +
      'audit_log where id in (select audit_id from cut)',
    [count - 3]
  )
  await owner.query('delete from audit_heads where seq > $1', [count - 3])
  t.match(await verify(), { code: 0 }, 'a tail that went with its heads')
  t.match(await verify('--heads', file), {
    code: 1,
    stdout: new RegExp(`FAULT \\(missing\\).* from seq ${count - 2} on were removed`)
  })
  await owner.query(
    "update audit_log set result = 'refused' where id = (select audit_id from audit_chain where seq = 2)"
  )
  t.match(await verify('--workspace', 'default'), { code: 1, stdout: /^default: FAULT \(altered\).*at seq 2\.$/m })
  for (const verb of ['verify', 'export']) {
    const { code, stdout, stderr } = await runToEnd(['audit', verb, '--workspace', 'nobody'], env)
    t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: /^There is no workspace 'nobody'/m }, verb)
  }
  t.match(await verify('--workspace', 'nobody', '--heads', file), {
    code: 1,
    stdout: '',
    stderr: /^There is no workspace 'nobody'/m
  })

  t.match(await verify('--heads', join(folder, 'nothing')), { code: 1, stderr: /cannot be read/ })
  const [line] = (await verify('--json')).stdout.split('\n')
  t.match(JSON.parse(line ?? ''), { workspace: 'default', intact: false, fault: { kind: 'altered', seq: 2 } })
  t.match(await runToEnd(['audit', 'verify'], { ...env, AUDIT_HMAC_KEY: '' }), {
    code: 1,
    stderr: /AUDIT_HMAC_KEY is not set/
  })
  t.notMatch(await readFile(file, 'utf8'), new RegExp(`${ADMIN_API_KEY}|audit-key`))
})

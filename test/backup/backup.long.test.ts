import { copyFile, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'
import { post } from '../support/rest.js'

/** Everything is backed up, and a service on the restored database answers as the first one did. */

const folder = await temporaryFolder(t)
const file = join(folder, 'all.backup')
const AUDIT = { AUDIT_HMAC_KEY: 'audit-key-of-tests-0123456789-0123456789' }
const newDatabase = async (empty = true) => {
  const { url, drop } = await createDatabase({ empty })
  t.teardown(drop)
  return { url, env: environment(url, AUDIT) }
}
const first = await newDatabase(false)
const running = await runProgram(t, ['serve'], first.env)

const ask =
  (url: string) =>
  (tool: string, args: unknown, agent = 'ada') =>
    post(url, tool, args, { key: API_KEY, agent })
const fill = ask(running.url)
const { session_id } = await fill('create_session', { purpose: 'The aardvark \u2028 files', metadata: { n: 1.5e300 } })
for (let n = 0; n < 5; n++)
  await fill('add_messages', {
    session_id,
    messages: Array.from({ length: 100 }, (_, i) => ({
      content: `line ${n * 100 + i} "quoted" \\ \u0001 \n é 🦔 ${i % 7 === 0 ? '@ben' : ''}`,
      visibility: i % 10 === 0 ? 'private' : 'public',
      payload: { n: i, text: 'a\nb' }
    }))
  })
await fill('ask', { to: 'ben', content: 'Which aardvark?', timeout_seconds: 0 })
await fill('ack_messages', { message_ids: [1] }, 'ben').catch(() => {})
await fill('set_memory', { key: 'large', value: 'x'.repeat(3_000_000) })
await fill('set_memory', { key: 'small', value: { a: [1, 2.5, null] } })
await fill('set_memory', { namespace: 'team/notes', key: 'k', value: 1 })
await fill('create_tasks', { tasks: [{ title: 'one', session_id }, { title: 'two' }] })
await fill('acquire_lease', { names: ['deploy'], ttl_seconds: 3600 })
await post(
  running.url,
  'create_api_key',
  { agent_id: 'north-agent', agent_type: 'x', workspace: 'north' },
  { key: ADMIN_API_KEY }
)

/** What the two services are asked, and must answer alike. */
async function answers(url: string): Promise<unknown[]> {
  const of = ask(url)
  const asked: Array<[tool: string, args: unknown, agent?: string]> = [
    ['get_messages', { session_id, limit: 500 }],
    ['get_messages', { session_id, limit: 500 }, 'ben'],
    ['search_context', { query: 'aardvrak', fuzzy_threshold: 40 }, 'ben'],
    ['search_context', { query: 'line 333' }],
    ['get_inbox', {}, 'ben'],
    ['list_memory', { include_values: true }],
    ['get_memory', { key: 'large' }],
    ['get_memory', { namespace: 'team/notes', key: 'k' }],
    ['list_tasks', {}],
    ['list_leases', {}]
  ]
  const all: unknown[] = []
  for (const [tool, args, agent] of asked) {
    // Times of the call itself are another matter.
    const { request_id: _, search_time_ms: __, next_cursor: ___, ...body } = await of(tool, args, agent)
    all.push(JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === 'took_ms' ? 0 : value)))
  }
  return all
}
const until = Date.now() + 20_000
const metrics = async () => (await fetch(`${running.url}/metrics`)).text()
while (!/^search_index_waiting 0$/m.test(await metrics()) && Date.now() < until)
  await new Promise(resolve => setTimeout(resolve, 100))
const before = await answers(running.url)

t.test('it is made while the service runs', async t => {
  const made = await runToEnd(['backup', 'create', file], first.env)
  t.match(made, { code: 0, stdout: '' })
  t.equal((await stat(file)).mode & 0o777, 0o600, 'nobody else may read it')
  t.match(await runToEnd(['backup', 'verify', file], {}), { code: 0, stdout: /complete: \d+ rows in 3 parts/ })
  t.equal(await running.stop(), 0)
})

t.test('what is restored answers alike, and goes on', async t => {
  const { env, url } = await newDatabase()
  const restored = await runToEnd(['backup', 'restore', file], env)
  t.match(restored, { code: 0, stderr: /Restored the workspace default, \d+ rows/ })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0, stdout: /the same rows/ })
  const second = await runProgram(t, ['serve'], env)
  t.same(await answers(second.url), before)
  const { seq } = await ask(second.url)('add_message', { session_id, content: 'it goes on' })
  t.equal(seq > 500, true)
  t.equal((await ask(second.url)('wait_for_messages', { session_id, after_seq: seq - 1, timeout_seconds: 0 })).count, 1)
  t.equal(await second.stop(), 0)
  t.match(await runToEnd(['audit', 'verify'], env), { code: 0, stdout: /^default: intact/m })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 1, stderr: /the workspace default/ })
  t.match(await runToEnd(['backup', 'restore', file], env), { code: 1, stderr: /not empty/ })

  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  const { rows } = await owner.query("select count(*)::int as off from pg_trigger where tgenabled = 'D'")
  t.same(rows, [{ off: 0 }], 'the triggers are on again')
  await owner.end()
})

t.test('a restore that is broken off goes on; until then no service starts', async t => {
  const { env } = await newDatabase()
  const lines = gunzipSync(await readFile(file))
    .toString()
    .split('\n')
  const end = lines.findIndex((line, i) => i > 0 && line.startsWith('["part","north"'))
  const cut = join(folder, 'cut.backup')
  await writeFile(cut, gzipSync(`${lines.slice(0, end + 2).join('\n')}\n`))
  t.match(await runToEnd(['backup', 'restore', cut], env), { code: 1, stderr: /cut off/ })
  t.match(await runToEnd(['serve'], env), { code: 1, stderr: /broken off/ })
  t.match(await runToEnd(['backup', 'restore', file], env), {
    code: 0,
    stderr: /Already there: the workspace default.*\n.*Restored the workspace north/
  })
  t.match(await runToEnd(['backup', 'verify', '--database', file], env), { code: 0 })
})

t.test('a damaged backup is not restored', async t => {
  const { env } = await newDatabase()
  const text = gunzipSync(await readFile(file)).toString()
  const changed = join(folder, 'changed.backup')
  await writeFile(changed, gzipSync(text.replace('line 77 ', 'line 78 ')))
  const cut = join(folder, 'short.backup')
  await copyFile(file, cut)
  await truncate(cut, Math.floor((await stat(file)).size / 2))
  const other = join(folder, 'other')
  await writeFile(other, 'hello')
  for (const [name, says] of [
    [changed, /changed or damaged/],
    [cut, /cut off/],
    [other, /no backup/],
    [join(folder, 'missing'), /cannot be used \(ENOENT\)/]
  ] as const) {
    t.match(await runToEnd(['backup', 'verify', name], {}), { code: 1, stderr: says })
    const { code, stderr } = await runToEnd(['backup', 'restore', name], env)
    t.equal(code, 1)
    t.match(stderr, says)
  }
})

t.test('from one database to another without a file between', async t => {
  const { env } = await newDatabase()
  const made = await runToEnd(['backup', 'create', '-'], first.env, { binary: true })
  t.equal(made.code, 0)
  const input = Buffer.from(made.stdout, 'latin1')
  t.match(await runToEnd(['backup', 'restore', '-'], env, { input }), { code: 0 })
  t.match(await runToEnd(['backup', 'verify', '--database', '-'], env, { input }), { code: 0 })
})

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { noteServer } from '../../src/commands/running-server.js'
import { until } from '../support/until.js'
import { ADMIN_API_KEY, type HasTeardown, listen, ok, runToEnd, startApp } from '../helper.js'

/** Keys go only to the server that they are for, and messages are not lost on the way to a coding agent. */

t.jobs = 3

const app = await startApp(t)
const url = await listen(app)
const admin = { SHARED_CONTEXT_ADMIN_API_KEY: ADMIN_API_KEY }

async function newHome(): Promise<{ home: string; data: string; env: Record<string, string> }> {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const data = join(home, 'data')
  await mkdir(data)
  return { home, data, env: { HOME: home, USERPROFILE: home, PATH: '', DATA_DIR: data } }
}

/** Something that is no server of ours, and notes which keys it gets. */
async function openStranger(t: HasTeardown): Promise<{ strange: string; keys: unknown[] }> {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    if (request.headers['x-api-key'] !== undefined) keys.push(request.headers['x-api-key'])
    response.setHeader('content-type', 'text/html').end('<html>Hello</html>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { strange: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys }
}

/** The server, but it keeps the answers to calls that `keeps` names. */
async function openKeeper(t: HasTeardown, keeps: (body: string) => boolean): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const { host: _, 'content-length': __, connection: ___, ...headers } = request.headers as Record<string, string>
    const answer = await fetch(`${url}${request.url}`, {
      method: request.method,
      headers,
      ...(body !== '' && { body })
    })
    if (keeps(body)) return
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the key of one server is not sent to another one, nor written into its entry', async t => {
  const { home, env } = await newHome()
  const { strange, keys } = await openStranger(t)
  const words = (address: string) => ['connect', 'cursor', '--url', address, '--yes']
  t.match(await runToEnd(words(url), { ...env, ...admin }), { code: 0 })
  const file = join(home, '.cursor', 'mcp.json')
  const before = await readFile(file, 'utf8')
  t.match(await runToEnd(words(strange), env), { code: 1, stderr: /There is no API key to use/ })
  t.same(keys, [])
  t.equal(await readFile(file, 'utf8'), before)
})

t.test('the keys of a data folder are sent to the server of that folder alone', async t => {
  const { data, env } = await newHome()
  const { strange, keys } = await openStranger(t)
  const secrets = { api_key: 'a-shared-key', admin_api_key: ADMIN_API_KEY }
  await writeFile(join(data, 'secrets.json'), JSON.stringify(secrets))
  await noteServer(data, url)
  for (const words of [['connect', 'cursor', '--yes'], ['doctor']])
    t.match(await runToEnd([...words, '--url', strange], env), { code: 1 })
  t.same(keys, [])
  const made = await runToEnd(['connect', 'cursor', '--yes'], env)
  t.match(made, { code: 0, stderr: /made with the admin key in / }, 'it finds the server that runs here')
  t.match(made.stderr, `doctor --url ${url}" checks`)
})

t.test('what connect --hooks set up is taken out and brought up to date with its profile', async t => {
  const { home, env } = await newHome()
  const connect = (...words: string[]) => runToEnd(['connect', 'claude-code', ...words, '--yes'], { ...env, ...admin })
  const profile = async () => {
    const files = await runToEnd(['hook', 'claude-code', 'start', '--profile', 'claude-code', '--timeout', '30'], env)
    return files.stdout
  }
  t.match(await connect('--url', url, '--hooks'), { code: 0 })
  const { session_id } = await ok(app, 'create_session', { purpose: 'x' }, { agent_id: 'bob' })
  await ok(app, 'add_message', { session_id, content: 'Well?', to: ['claude-code'] }, { agent_id: 'bob' })
  t.match(await profile(), /> Well\?/)

  const { keys } = await ok(app, 'list_api_keys', {}, { admin: true })
  for (const { key_id, agent_id } of keys)
    if (agent_id === 'claude-code') await ok(app, 'revoke_api_key', { key_id }, { admin: true })
  await until(async () => (await profile()) === '', 'a replica refuses the key within 2 seconds')
  t.match(await connect('--url', url), { code: 0 })
  t.match(await profile(), /> Well\?/, 'the hooks have the new key, too')

  t.match(await connect('--remove'), { code: 0 })
  const left = await readFile(join(home, '.config', 'shared-context-server', 'profiles.json'), 'utf8')
  t.same(JSON.parse(left).profiles, {}, 'the key does not stay')
})

t.test('an answer that does not come has taken no message from an inbox', async t => {
  const { env } = await newHome()
  const key = { ...env, SHARED_CONTEXT_API_KEY: ADMIN_API_KEY }
  const marks = (body: string) => body.includes('"mark_read":true')
  const { session_id } = await ok(app, 'create_session', { purpose: 'y' }, { agent_id: 'bob' })
  const told = async (name: string, content: string) =>
    ok(app, 'add_message', { session_id, content, to: [name] }, { agent_id: 'bob' })
  const hook = (name: string, address: string, timeout: string) =>
    runToEnd(['hook', 'codex', 'prompt', '--agent', name, '--url', address, '--timeout', timeout], key)
  const inbox = (name: string, address: string, timeout: string) =>
    runToEnd(['inbox', '--once', '--agent', name, '--url', address, '--timeout', timeout], key)

  const first = await openKeeper(t, body => body.includes('unread_only') && !marks(body))
  const second = await openKeeper(t, marks)
  for (const [name, read, quiet] of [
    ['hooked', hook, 0],
    ['asking', inbox, 1]
  ] as const) {
    await told(name, 'one')
    t.match(await read(name, first, '3'), { code: quiet, stdout: '' }, `${name}: the first answer is kept`)
    t.match(await read(name, url, '30'), { code: 0, stdout: /> one/ }, 'it is new all the same')
    t.match(await read(name, url, '30'), { code: 0, stdout: '' }, 'and counts as read')
    await told(name, 'two')
    t.match(await read(name, second, '5'), { code: quiet, stdout: /> two/ }, 'what was got is shown')
  }
})

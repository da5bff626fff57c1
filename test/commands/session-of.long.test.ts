import t from 'tap'
import { SharedContext } from '../../clients/typescript/src/index.js'
import { API_KEY, compiled, environment, listen, runProgram, runToEnd, startApp } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { until } from '../support/until.js'

/** Each command that takes a session takes its id or its key. */

const app = await startApp(t)
const url = await listen(app)
const ada = new SharedContext({ url, apiKey: API_KEY, agentId: 'ada', agentType: 'tester' })
const ben = {
  HOME: await temporaryFolder(t),
  SHARED_CONTEXT_URL: url,
  SHARED_CONTEXT_API_KEY: API_KEY,
  SHARED_CONTEXT_AGENT_ID: 'ben'
}
compiled()

async function run(...args: string[]) {
  return runToEnd(args, ben)
}

async function keyed(key: string): Promise<string> {
  return (await ada.createSession({ key, purpose: `The work of ${key}` })).session_id
}

t.test('every command finds a session by its key', async t => {
  const session_id = await keyed('shop/checkout é')
  await ada.addMessage({ session_id, content: 'The price is rounded' })
  await ada.createTask({ title: 'Read the logs', session_id })
  // An accent that was typed as a character of its own is the same name, as where the key was given.
  const key = ' shop/checkout e\u0301 '
  t.equal((await run('message', 'add', key, 'From Ben')).code, 0)
  t.match((await run('session', 'show', key)).stdout, new RegExp(`${session_id} .*\n[^]*    From Ben\n`))
  t.match(
    (await run('session', 'list')).stdout,
    new RegExp(`^SESSION .* KEY [^]*${session_id} .*  shop/checkout é  The`)
  )
  t.match((await run('search', 'rounded price', '--session', key)).stdout, /The price is rounded/)
  t.match((await run('task', 'list', '--session', key)).stdout, /Read the logs/)
  t.match((await run('task', 'claim', '--session', key)).stdout, /working {2}by ben/)
  const tail = await runProgram(t, ['tail', '--session', key, '--lines', '1'], ben, { ready: /(From Ben)/ })
  await ada.addMessage({ session_id, content: 'Live' })
  await until(() => tail.output().includes('    Live'), 'what comes')
  t.match(await runToEnd(['session', 'export', key], environment(app.url)), { code: 0, stdout: /"From Ben"/ })
})

t.test('a key is found as it is, however many sessions there are, archived or not', async t => {
  const ids = {
    release: await keyed('release'),
    Release: await keyed('Release'),
    'release 2': await keyed('release 2')
  }
  const archived = await keyed('put away')
  await ada.archiveSession({ session_id: archived })
  // More than one answer of the server lists.
  for (let i = 0; i < 201; i++) await ada.createSession({ purpose: 'release' })
  for (const [key, id] of Object.entries({ ...ids, 'put away': archived }))
    t.match((await run('session', 'show', key)).stdout, `\n${id} (${key})`)
})

t.test('of a session that is not there it says what was looked for, and opens none', async t => {
  const commands = [
    ['session', 'show', 'nowhere'],
    ['message', 'add', 'nowhere', 'x'],
    ['tail', '--session', 'nowhere'],
    ['search', 'x', '--session', 'nowhere'],
    ['task', 'list', '--session', 'nowhere'],
    ['task', 'claim', '--session', 'nowhere']
  ]
  const says = /There is no session 'nowhere' that you may see: neither an id nor a key.*session list/
  for (const words of commands) t.match(await run(...words), { code: 1, stdout: '', stderr: says }, words.join(' '))
  t.match(await run('session', 'show', 'session_12'), { code: 1, stderr: /There is no session 'session_12'/ })
  const exported = await runToEnd(['session', 'export', 'nowhere'], environment(app.url))
  t.match(exported, { code: 1, stdout: '', stderr: /There is no session 'nowhere' in the workspace default/ })
  t.match(await run('session', 'show', 'session_0000000000000000'), {
    code: 1,
    stderr: /session list.*SESSION_NOT_FOUND/
  })
  t.equal((await ada.createSession({ key: 'nowhere', purpose: 'new' })).created, true)
})

t.test('the help says so', async t => {
  const { stdout: exporting } = await run('session', 'export', '--help')
  t.match(exporting.replaceAll(/\s+/g, ' '), /The session's key also works/)
  for (const words of [
    ['session', 'show'],
    ['message', 'add']
  ]) {
    const { stdout } = await run(...words, '--help')
    t.match(stdout.replaceAll(/\s+/g, ' '), /<session> .*<session> is its id or its key/, words.join(' '))
  }
  for (const words of [['tail'], ['search'], ['task', 'list'], ['task', 'claim']])
    t.match((await run(...words, '--help')).stdout, /--session <session> .*by its id or its key/, words.join(' '))
})

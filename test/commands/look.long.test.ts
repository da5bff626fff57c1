import { readFile } from 'node:fs/promises'
import t from 'tap'
import { SharedContext } from '../../clients/typescript/src/index.js'
import { profilePath, writeProfile } from '../../src/commands/profile.js'
import { API_KEY, compiled, environment, listen, runProgram, runToEnd, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'
import { quietPort } from '../support/ports.js'
import { until } from '../support/until.js'

/** The commands that look at a server, as processes. */

t.jobs = 2

const app = await startApp(t)
const url = await listen(app)
const ada = new SharedContext({ url, apiKey: API_KEY, agentId: 'ada', agentType: 'tester' })
const HOME = await temporaryFolder(t)
const ben = { HOME, SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY, SHARED_CONTEXT_AGENT_ID: 'ben' }
compiled()

async function run(...args: string[]) {
  return runToEnd(args, ben)
}

function jsonLines(stdout: string): Array<Record<string, any>> {
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, any>)
}

t.test('sessions, messages and search', async t => {
  const { session_id } = await ada.createSession({ purpose: 'Review \u001b[31mthe page' })
  const id = (await run('message', 'add', session_id, 'The price is rounded', '--to', 'ada, type:tester')).stdout.trim()
  t.match(id, /^\d+$/)
  const answer = await runToEnd(['message', 'add', session_id, '-', '--answers', id, '--visibility', 'private'], ben, {
    input: 'First line\n\u001b]0;owned\u0007second\n'
  })
  t.equal(answer.code, 0)

  const shown = await run('session', 'show', session_id)
  t.match(shown, { code: 0, stderr: '' })
  t.match(shown.stdout, /Review \\u001b\[31mthe page\nsession_\w+, open, 2 messages\nopened by ada/)
  t.match(shown.stdout, new RegExp(`#${id}  .* ben \\(custom\\)  → ada, type:tester\n    The price is rounded`))
  t.match(shown.stdout, `answers #${id}  [private]\n    First line\n    \\u001b]0;owned\\u0007second`)
  t.notMatch(shown.stdout, /\u001b/)

  t.match((await run('session', 'list')).stdout, new RegExp(`^SESSION .*\n[^]*${session_id} +2 `))
  t.match(jsonLines((await run('session', 'list', '--json')).stdout)[0], { id: String, message_count: Number })
  const found = await run('search', 'rouned price')
  t.match(found.stdout, new RegExp(`^ ?\\d+ +#${id} .*${session_id}\n    The price`))
  t.match(await run('search', 'regresion'), { code: 0, stdout: '', stderr: /Nothing was found/ })
  t.match(await run('session', 'show', 'session_0000000000000000'), {
    code: 1,
    stdout: '',
    stderr: /SESSION_NOT_FOUND/
  })
})

t.test('tasks are listed, claimed and completed', async t => {
  const { session_id } = await ada.createSession({ purpose: 'tasks' })
  const of = ['--session', session_id]
  t.match(await run('task', 'claim', ...of), { code: 1, stdout: '', stderr: /No task is ready/ })
  await ada.createTask({ title: 'Read the logs', session_id, priority: 3 })
  t.match((await run('task', 'list', '--ready', ...of)).stdout, /^TASK .*\ntask_\w+ +submitted .* Read the logs\n$/)
  const [claimed] = jsonLines((await run('task', 'claim', '--json', ...of)).stdout)
  t.match(claimed, { task: { state: 'working', assignee: 'ben' }, lease: { token: Number } })
  t.match(await run('task', 'claim', '--task', claimed?.task.task_id), {
    code: 1,
    stderr: /The task task_\w+ is not ready/
  })
  t.match(await run('task', 'claim', '--task', 'task_0'), { code: 1, stderr: /task list.*TASK_NOT_FOUND/ })
  const token = String(claimed?.lease.token)
  t.match(await run('task', 'complete', claimed?.task.task_id, token, '--result', 'done'), { code: 2, stderr: /JSON/ })
  t.match(await run('task', 'complete', claimed?.task.task_id, token, '--result', '{"errors": 3}'), {
    code: 0,
    stdout: 'completed\n'
  })
  t.match(await ada.getTask({ task_id: claimed?.task.task_id }), { task: { result: { errors: 3 } } })
  t.match(await run('task', 'complete', claimed?.task.task_id, String(Number(token) + 1)), {
    code: 1,
    stderr: /LEASE_LOST/
  })
})

t.test('an inbox says nothing if there is nothing, and each thing once', async t => {
  t.same(await run('inbox', '--agent', 'cleo'), { code: 0, stdout: '', stderr: '' })
  const { session_id } = await ada.createSession({ purpose: 'inbox' })
  const { message_id } = await ada.addMessage({ session_id, content: 'Look\nnow', to: ['cleo'] })
  const inbox = (...args: string[]) => run('inbox', '--agent', 'cleo', ...args)
  t.match(
    (await inbox()).stdout,
    new RegExp(`Message #${message_id} in .*:\n> from ada \\(tester\\)\n> Look\n> now\n$`)
  )
  t.match(jsonLines((await inbox('--format', 'json')).stdout), [{ id: message_id, content: 'Look\nnow', read: false }])
  t.match((await inbox('--once')).stdout, /> Look/)
  t.same(await inbox('--once'), { code: 0, stdout: '', stderr: '' })
  t.match((await inbox('--ack')).stdout, /> Look/)
  t.same(await inbox(), { code: 0, stdout: '', stderr: '' })
  t.match((await ada.getReceipts({ message_id })).receipts, [{ agent_id: 'cleo', acked_at: String }])
  t.match(await inbox('--format', 'yaml'), { code: 2, stderr: /text or json/ })
})

t.test('it gives up when the server is away, and says what is wrong', async t => {
  const nobody = { ...ben, SHARED_CONTEXT_URL: `http://127.0.0.1:${await quietPort()}` }
  t.match(await runToEnd(['inbox'], nobody), { code: 1, stdout: '', stderr: /cannot be reached: ECONNREFUSED/ })
  await runProgram(t, ['tail'], nobody, { ready: /(at http:\S+ cannot be reached: .*; trying again)/ })
  const wrong = await runToEnd(['inbox'], { ...ben, SHARED_CONTEXT_API_KEY: 'wrong-key' })
  t.match(wrong, { code: 1, stderr: /Set SHARED_CONTEXT_API_KEY.*profiles\.json.*INVALID_API_KEY/ })
  t.notMatch(wrong.stderr, 'wrong-key')
  t.match(await runToEnd(['inbox', '--url', 'localhost'], ben), { code: 2, stderr: /--url must be the address/ })
})

t.test('a profile names server, key and agent; its key goes to no other server', async t => {
  process.env.XDG_CONFIG_HOME = HOME
  await writeProfile('default', { url, api_key: API_KEY, agent_id: 'dora', agent_type: 'human' })
  await writeProfile('closed', { url, api_key: 'wrong-key' })
  const env = { HOME, XDG_CONFIG_HOME: HOME }
  const { session_id } = await ada.createSession({ purpose: 'profiles' })
  t.equal((await runToEnd(['message', 'add', session_id, 'Hello'], env)).code, 0)
  t.match((await ada.getMessages({ session_id })).messages, [{ sender: 'dora', sender_type: 'human' }])
  t.match(await runToEnd(['session', 'list', '--profile', 'closed'], { ...ben, ...env }), { code: 1 })
  t.match(await runToEnd(['session', 'list', '--profile', 'default', '--url', url], env), { code: 2 })
  t.match(await runToEnd(['session', 'list', '--url', url], env), { code: 1, stderr: /AUTHENTICATION_REQUIRED/ })
  t.match(await runToEnd(['session', 'list', '--profile', 'nine'], env), { code: 1, stderr: /no profile 'nine'/ })
  t.match(await readFile(profilePath(), 'utf8'), API_KEY)
})

t.test('tail shows what happens, and waits for a server that restarts', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const env = environment(database.url, { PORT: String(await quietPort()) })
  const first = await runProgram(t, ['serve'], env)
  const at = { ...ben, SHARED_CONTEXT_URL: first.url }
  const eve = new SharedContext({ url: first.url, apiKey: API_KEY, agentId: 'eve', tries: 12 })
  const { session_id } = await eve.createSession({ purpose: 'tailed' })
  await eve.addMessages({ session_id, messages: [{ content: 'zero' }, { content: 'one' }] })
  const tail = await runProgram(t, ['tail', '--session', session_id, '--lines', '1'], at, { ready: /( one)/ })
  const all = await runProgram(t, ['tail', '--json'], at, { ready: /"event":"(start)"/ })
  t.notMatch(tail.output(), 'zero')
  await eve.addMessage({ session_id, content: 'two\u001b[0m' })
  await until(() => tail.output().includes('two\\u001b[0m'), 'two')
  await first.stop('SIGTERM')
  await until(() => tail.output().includes('The connection is lost'), 'the loss is told')
  await runProgram(t, ['serve'], env)
  await eve.addMessage({ session_id, content: 'three' })
  await until(() => tail.output().includes('    three'), 'three')
  t.match(tail.output(), /It is back/)
  t.equal(tail.output().split('two').length, 2, 'nothing comes twice')
  await eve.createTask({ session_id, title: 'Read' })
  await until(() => / is submitted: Read/.test(tail.output()), 'the task')
  await until(() => all.output().includes('"content":"three"'), 'three as JSON')
  await eve.deleteSession({ session_id })
  await until(() => tail.output().includes('The session was deleted'), 'the end')
  await until(() => tail.process.exitCode !== null, 'the program ends by itself')
  t.equal(tail.process.exitCode, 0)
})

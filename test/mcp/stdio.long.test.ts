import { type ChildProcess, spawn } from 'node:child_process'
import t from 'tap'
import { tools } from '../support/tools.js'
import { environment, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { saidBy } from './clients.js'
import { parameters, starts } from './local-clients.js'

const database = await createDatabase()
t.teardown(() => database.drop())

t.jobs = 3

for (const [name, start] of Object.entries(starts)) {
  t.test(name, async t => {
    const [client, unnamed] = await Promise.all([
      start(
        t,
        environment(database.url, {
          AGENT_ID: 'a local agent',
          AGENT_TYPE: 'desktop',
          LOG_LEVEL: 'debug',
          TOOLSETS: 'all'
        })
      ),
      start(t, environment(database.url))
    ])
    t.same(
      (await client.listTools()).tools.map(tool => tool.name),
      tools.filter(({ permission }) => permission !== 'admin').map(tool => tool.name)
    )
    const {
      structuredContent: { session_id }
    } = await client.callTool({ name: 'create_session', arguments: { purpose: 'local' } })
    await client.callTool({ name: 'add_message', arguments: { session_id, content: 'from here' } })
    t.match((await client.callTool({ name: 'get_messages', arguments: { session_id } })).structuredContent, {
      messages: [{ content: 'from here', sender: 'a local agent', sender_type: 'desktop' }]
    })
    t.match(saidBy(await client.callTool({ name: 'get_audit_log', arguments: {} })), { code: 'PERMISSION_DENIED' })
    t.match((await client.readResource({ uri: 'agent://a%20local%20agent/memory' })).contents, [{ text: /"count": 0/ }])
    t.equal((await client.getPrompt({ name: 'debug-session', arguments: { session_id } })).messages.length, 1)

    const {
      structuredContent: { agent_info }
    } = await unnamed.callTool({ name: 'get_usage_guidance', arguments: {} })
    t.same(
      agent_info,
      {
        agent_id: name.endsWith('2025') ? 'legacy local' : 'modern local',
        agent_type: 'mcp',
        permissions: ['read', 'write']
      },
      'named after the client'
    )
  })
}

const line = (id: number, method: string, params: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
const OPENING = line(1, 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'x', version: '1' }
})

t.test('ends with its input, and on a signal; nothing but the protocol is on stdout', async t => {
  for (const end of [
    (child: ChildProcess) => {
      child.stdin?.end()
    },
    (child: ChildProcess) => {
      child.kill('SIGTERM')
    },
    (child: ChildProcess) => {
      child.kill('SIGINT')
    }
  ]) {
    const { command, args, env } = parameters(environment(database.url, { LOG_LEVEL: 'debug' }))
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    let stdout = ''
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.stdin.write(OPENING)
    await new Promise<void>(resolve => {
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
        if (stdout.endsWith('\n')) resolve()
      })
    })
    const exited = new Promise(resolve => {
      child.once('close', (code, signal) => {
        resolve(code ?? signal)
      })
    })
    end(child)
    t.equal(await exited, 0, stderr)
    for (const line of stdout.trim().split('\n'))
      t.match(JSON.parse(line), { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-06-18' } })
    t.match(stderr, '"stopped"', 'logs are on stderr')
  }
})

t.test('what is piped in is answered before the end', async t => {
  const call = (id: number) => line(id, 'tools/call', { name: 'list_sessions', arguments: {} })
  const { code, stdout, stderr } = await runToEnd(['mcp'], environment(database.url), {
    input: OPENING + call(2) + call(3)
  })
  t.equal(code, 0, stderr)
  t.same(
    stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { id: number }).id)
      .sort(),
    [1, 2, 3]
  )
})

t.test('an integer that a double does not hold is refused, as over HTTP', async t => {
  const call = (id: number, number: string) =>
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":` +
    `{"name":"set_memory","arguments":{"key":"n${id}","value":[${number}]}}}\n`
  const { stdout } = await runToEnd(['mcp'], environment(database.url), {
    input: OPENING + call(2, '9007199254740993') + call(3, '9007199254740992')
  })
  const answers = new Map(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { id: number; result: unknown })
      .map(({ id, result }) => [id, result])
  )
  t.match(saidBy(answers.get(2)), { code: 'INVALID_INPUT', context: { argument: 'value' } })
  t.match(saidBy(answers.get(3)), { success: true })
})

t.test('what cannot run says so on stderr', async t => {
  const { code, stdout, stderr } = await runToEnd(['mcp'], environment('sqlite:///x'))
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /DATABASE_URL must be a PostgreSQL URL/)
  t.equal((await runToEnd(['mcp', 'surprise'], environment(database.url))).code, 2, 'wrong usage')
})

t.test('no line has a line break of Unicode in it', async t => {
  const { command, args, env } = parameters(environment(database.url))
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  const call = (id: number, name: string, args: object) =>
    `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })}\n`
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stdin.write(OPENING)
  child.stdin.write(call(2, 'create_session', { purpose: 'a\u2028b\u2029c' }))
  child.stdin.end(call(3, 'list_sessions', { query: 'a' }))
  await new Promise(resolve => child.once('exit', resolve))
  const lines = output.split('\n').filter(line => line !== '')
  t.equal(lines.length, 3)
  t.notMatch(output, /[\u2028\u2029\u0085]/)
  t.match(output, '\\u2028')
  for (const line of lines) t.match(JSON.parse(line), { jsonrpc: '2.0', result: {} })
})

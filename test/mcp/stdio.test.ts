import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import t, { type Test } from 'tap'
import { tools } from '../../src/tools/index.js'
import { environment, ROOT, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import type { AnyClient } from './clients.js'

/** The `mcp` command, started by real clients as their users' configuration has it. */

function parameters (env: Record<string, string>) {
  return { command: process.execPath, args: [join(ROOT, 'dist', 'src', 'cli.js'), 'mcp'], env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env }, stderr: 'pipe' as const }
}

const starts: Record<string, (t: Test, env: Record<string, string>) => Promise<AnyClient>> = {
  async 'the SDK of 2025' (t, env) {
    const client = new LegacyClient({ name: 'legacy local', version: '1' })
    await client.connect(new LegacyTransport(parameters(env)))
    t.teardown(() => client.close())
    return client as AnyClient
  },
  async 'the SDK of 2026' (t, env) {
    const client = new ModernClient({ name: 'modern local', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    await client.connect(new ModernTransport(parameters(env)))
    t.teardown(() => client.close())
    return client as unknown as AnyClient
  },
  async 'the SDK of 2026, which looks for the version' (t, env) {
    const client = new ModernClient({ name: 'modern local', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new ModernTransport(parameters(env)))
    t.teardown(() => client.close())
    return client as unknown as AnyClient
  }
}

const database = await createDatabase()
t.teardown(() => database.drop())

for (const [name, start] of Object.entries(starts)) {
  t.test(name, async t => {
    const [client, unnamed] = await Promise.all([
      start(t, environment(database.url, { AGENT_ID: 'a local agent', AGENT_TYPE: 'desktop', LOG_LEVEL: 'debug' })),
      start(t, environment(database.url))
    ])
    t.same((await client.listTools()).tools.map(tool => tool.name), tools.map(tool => tool.name))
    const { structuredContent: { session_id } } = await client.callTool({ name: 'create_session', arguments: { purpose: 'local' } })
    await client.callTool({ name: 'add_message', arguments: { session_id, content: 'from here' } })
    t.match((await client.callTool({ name: 'get_messages', arguments: { session_id } })).structuredContent, { messages: [{ content: 'from here', sender: 'a local agent', sender_type: 'desktop' }] })
    t.match(await client.callTool({ name: 'get_audit_log', arguments: {} }), { isError: true, structuredContent: { code: 'PERMISSION_DENIED' } })
    t.match((await client.readResource({ uri: 'agent://a%20local%20agent/memory' })).contents, [{ text: /"count": 0/ }])
    t.equal((await client.getPrompt({ name: 'debug-session', arguments: { session_id } })).messages.length, 1)

    const { structuredContent: { agent_info } } = await unnamed.callTool({ name: 'get_usage_guidance', arguments: {} })
    t.same(agent_info, { agent_id: name.endsWith('2025') ? 'legacy local' : 'modern local', agent_type: 'mcp', permissions: ['read', 'write'] }, 'named after the client')
  })
}

const OPENING = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } } })}\n`

t.test('ends with its input, and on a signal; nothing but the protocol is on stdout', async t => {
  for (const end of [(child: ChildProcess) => { child.stdin?.end() }, (child: ChildProcess) => { child.kill('SIGTERM') }, (child: ChildProcess) => { child.kill('SIGINT') }]) {
    const { command, args, env } = parameters(environment(database.url, { LOG_LEVEL: 'debug' }))
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    let stdout = ''
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
    child.stdin.write(OPENING)
    await new Promise<void>(resolve => {
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
        if (stdout.endsWith('\n')) resolve()
      })
    })
    const exited = new Promise(resolve => { child.once('close', (code, signal) => { resolve(code ?? signal) }) })
    end(child)
    t.equal(await exited, 0, stderr)
    for (const line of stdout.trim().split('\n')) t.match(JSON.parse(line), { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-06-18' } })
    t.match(stderr, '"stopped"', 'logs are on stderr')
  }
})

t.test('what is piped in is answered before the end', async t => {
  const call = (id: number) => `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'list_sessions', arguments: {} } })}\n`
  const { code, stdout, stderr } = await runToEnd(['mcp'], environment(database.url), { input: OPENING + call(2) + call(3) })
  t.equal(code, 0, stderr)
  t.same(stdout.trim().split('\n').map(line => (JSON.parse(line) as { id: number }).id).sort(), [1, 2, 3])
})

t.test('what cannot run says so on stderr', async t => {
  const { code, stdout, stderr } = await runToEnd(['mcp'], environment('sqlite:///x'))
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /DATABASE_URL must be a PostgreSQL URL/)
  t.equal((await runToEnd(['mcp', 'surprise'], environment(database.url))).code, 1)
})

t.test('beside a running server, on its embedded PostgreSQL, and by itself', async t => {
  const parent = await mkdtemp(join(tmpdir(), 'scs-stdio-'))
  await chmod(parent, 0o711)
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  const env = { DATA_DIR: join(parent, 'data'), PORT: '0', LOG_LEVEL: 'warn' }
  const server = await runProgram(t, ['serve'], env)
  const client = await (starts['the SDK of 2025'] as (typeof starts)[string])(t, env)
  const { structuredContent: { session_id } } = await client.callTool({ name: 'create_session', arguments: { purpose: 'seen by both' } })
  const key = /API key +(\S+)/.exec(server.output())?.[1] as string
  const response = await fetch(`${server.url}/mcp/tool/get_session`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-agent-id': 'over http' }, body: JSON.stringify({ session_id }) })
  t.match(await response.json(), { success: true, session: { purpose: 'seen by both', created_by: 'legacy local' } })
  await client.close()
  t.equal(await server.stop(), 0)

  const alone = await (starts['the SDK of 2026'] as (typeof starts)[string])(t, env)
  t.match(await alone.callTool({ name: 'get_session', arguments: { session_id } }), { structuredContent: { success: true } })
  await alone.close()
})

import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { ROOT, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'

/**
 * A server with secrets that can be recognised is called in good and in bad ways, and everything that comes out of it
 * is searched for them: answers, pages, the log at its most talkative, the audit log, the list of processes, what it
 * says when it cannot start.
 */

const SECRETS = {
  API_KEY: 'zq-agents-7f3a9c51d2e84b06',
  ADMIN_API_KEY: 'zq-admins-0b6d48e1c97f2a35',
  JWT_SECRET_KEY: 'zq-signing-5e1f07c4a9d2836b-5e1f07c4a9d2836b'
}

/** A secret in any of the ways it may come out: as it is, in Base64, as hexadecimal, a good part of it. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    secret.slice(3, 19),
    encodeURIComponent(secret),
    bytes.toString('base64').slice(0, 20),
    bytes.toString('base64url').slice(0, 20),
    bytes.toString('hex').slice(0, 32)
  ]
}

const database = await createDatabase()
const role = `zq_role_${process.pid}_${Date.now()}`
const PASSWORD = 'zq-password-c41e77b09a'
const owner = new pg.Client({ connectionString: database.url })
owner.on('error', () => {})
await owner.connect()
await owner.query(`create role ${role} login superuser password '${PASSWORD}'`)
t.teardown(async () => {
  await owner.end()
  await database.drop()
  const again = new pg.Client({
    connectionString: Object.assign(new URL(database.url), { pathname: '/postgres' }).href
  })
  await again.connect()
  await again.query(`drop role ${role}`)
  await again.end()
})
const url = new URL(database.url)
url.username = role
url.password = PASSWORD

/** @returns the names of secrets that a text holds */
function found(text: string, secrets: Record<string, string>): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => forms(secret).some(form => text.includes(form)))
    .map(([name]) => name)
}

/** Arguments of every process, as `ps` shows them to everybody. */
function processes(): string {
  if (existsSync('/proc')) {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(name => {
        try {
          return (
            readFileSync(join('/proc', name, 'cmdline'), 'utf8') + readFileSync(join('/proc', name, 'comm'), 'utf8')
          )
        } catch {
          return ''
        }
      })
      .join('\n')
  }
  return execFileSync('ps', ['-axo', 'args'], { encoding: 'utf8' })
}

t.test('nothing that comes out of a server holds a secret', async t => {
  const server = await runProgram(t, ['serve'], {
    ...SECRETS,
    DATABASE_URL: url.href,
    PORT: '0',
    LOG_LEVEL: 'trace',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0'
  })
  let answers = ''
  const ask = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: unknown
  ): Promise<any> => {
    const response = await fetch(server.url + path, {
      method,
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    answers += `${JSON.stringify([...response.headers])}${text}\n`
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  const tool = (name: string, args: unknown, headers: Record<string, string>) =>
    ask('POST', `/mcp/tool/${name}`, headers, args)
  const agent = { 'x-api-key': SECRETS.API_KEY, 'x-agent-id': 'agent' }
  const admin = { 'x-api-key': SECRETS.ADMIN_API_KEY, 'x-agent-id': 'admin' }

  // The one place a token is told; it is searched for everywhere else.
  const { token } = (await (
    await fetch(`${server.url}/mcp/tool/authenticate_agent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ agent_id: 'agent', agent_type: 't', api_key: SECRETS.API_KEY })
    })
  ).json()) as { token: string }
  const bearer = { authorization: `Bearer ${token}` }
  const { session_id } = await tool('create_session', { purpose: 'p', idempotency_key: 'i' }, bearer)
  for (const as of [agent, admin, bearer]) {
    for (const [name, args] of [
      ['add_message', { session_id, content: 'c' }],
      ['get_session', { session_id }],
      ['set_memory', { key: 'k', value: 1 }],
      ['list_sessions', {}],
      ['get_usage_guidance', {}],
      ['get_performance_metrics', {}],
      ['get_audit_log', { limit: 1000 }],
      ['search_context', { query: 'c' }]
    ] as const)
      await tool(name, args, as)
  }
  const almost = { 'x-api-key': `${SECRETS.API_KEY}x`, 'x-agent-id': 'agent' }
  const bad: Array<[string, unknown, Record<string, string>]> = [
    ['list_sessions', {}, almost],
    ['list_sessions', {}, { authorization: `Bearer ${token}x` }],
    ['list_sessions', {}, { authorization: `Basic ${SECRETS.ADMIN_API_KEY}` }],
    ['list_sessions', {}, { 'x-api-key': SECRETS.API_KEY }],
    ['list_sessions', { api_key: SECRETS.API_KEY }, agent],
    ['list_sessions', { token }, agent],
    ['get_session', { session_id: SECRETS.API_KEY }, agent],
    ['refresh_token', { current_token: `${token}x` }, agent],
    ['revoke_token', { token: `${token}x` }, bearer],
    ['authenticate_agent', { agent_id: 'a', agent_type: 't', api_key: `${SECRETS.ADMIN_API_KEY}x` }, {}],
    ['authenticate_agent', { agent_id: 'a', agent_type: 't', api_key: [SECRETS.API_KEY] }, {}],
    ['authenticate_agent', `{"api_key":"${SECRETS.API_KEY}"`, {}],
    ['add_message', { session_id, content: 'x', visibility: SECRETS.API_KEY }, agent],
    ['list_sessions', { cursor: token }, agent],
    ['get_messages', { session_id, limit: SECRETS.API_KEY }, agent]
  ]
  for (const [name, args, headers] of bad) await tool(name, args, headers)
  const rpc = (method: string, params: unknown, headers: Record<string, string>) =>
    ask('POST', '/mcp', headers, { jsonrpc: '2.0', id: 1, method, params })
  for (const headers of [agent, admin, bearer, almost, { authorization: `Bearer ${token}x` }]) {
    await rpc(
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
      headers
    )
    for (const method of ['tools/list', 'resources/list', 'prompts/list', SECRETS.API_KEY.slice(0, 2)])
      await rpc(method, {}, headers)
    await rpc('tools/call', { name: 'list_sessions', arguments: { auth_token: `${token}x` } }, headers)
    await rpc('resources/read', { uri: 'server://info' }, headers)
  }
  for (const path of [
    '/metrics',
    '/health',
    '/openapi.json',
    '/docs',
    '/docs/json',
    `/nothing?key=${SECRETS.API_KEY}`,
    `/mcp/tool/x?api_key=${SECRETS.API_KEY}`,
    '/mcp/events'
  ])
    await ask('GET', path)
  // A fault of the server, logged with its stack.
  await owner.query("alter table messages add constraint broken check (content <> 'break')")
  t.equal((await tool('add_message', { session_id, content: 'break' }, bearer)).code, 'INTERNAL_ERROR')
  await owner.query('alter table agent_memory rename to elsewhere')
  t.match(await tool('set_memory', { key: SECRETS.API_KEY, value: token }, bearer), { success: false })
  await owner.query('alter table elsewhere rename to agent_memory')

  const all = { ...SECRETS, PASSWORD, token, signature: token.split('.')[2] as string }
  t.same(found(answers, all), [], `${answers.length} characters of answers`)
  t.same(found(processes(), all), [], 'the list of processes')
  const { rows } = await owner.query('select * from audit_log')
  t.ok(rows.length > 20)
  t.same(found(JSON.stringify(rows), all), [], 'the audit log')
  const { rows: running } = await owner.query('select application_name, query from pg_stat_activity')
  t.same(found(JSON.stringify(running), all), [], 'what the database shows of its connections')
  t.equal(await server.stop(), 0)
  t.ok(server.output().length > 5000, 'it has logged')
  t.same(found(server.output(), all), [], 'the log')
  t.ok(
    found(`a line with ${Buffer.from(SECRETS.API_KEY).toString('base64')}`, all).length === 1,
    'the search finds what it looks for'
  )
})

t.test('nor what it says when it cannot start', async t => {
  const unreachable = new URL(url)
  unreachable.port = '1'
  const nowhere = new URL(url)
  nowhere.pathname = '/nowhere'
  // It would wait for a while.
  const waiting = await runProgram(
    t,
    ['serve'],
    { ...SECRETS, LOG_LEVEL: 'trace', PORT: '0', DATABASE_URL: unreachable.href, DATABASE_CONNECT_TIMEOUT_MS: '500' },
    { ready: /(Waiting up to)/ }
  )
  await waiting.stop()
  t.same(found(waiting.output(), { ...SECRETS, PASSWORD }), [], 'a database that is not there')
  const attempts: Array<[string, string[], Record<string, string>]> = [
    ['another database', ['migrate', 'up'], { DATABASE_URL: nowhere.href }],
    ['an address that is none', ['serve'], { DATABASE_URL: `postgres://${role}:${PASSWORD}@:::/x` }],
    ['a wrong protocol', ['serve'], { DATABASE_URL: url.href.replace('postgres', 'mysql') }],
    ['an address of another machine', ['serve'], { DATABASE_URL: url.href, PORT: '1', HOST: '203.0.113.1' }],
    ['keys that are the same', ['serve'], { DATABASE_URL: url.href, ADMIN_API_KEY: SECRETS.API_KEY }],
    [
      'a short signing secret',
      ['serve'],
      { DATABASE_URL: url.href, JWT_SECRET_KEY: SECRETS.JWT_SECRET_KEY.slice(0, 20) }
    ],
    ['a command that is none', ['sevre'], { DATABASE_URL: url.href }]
  ]
  await Promise.all(
    attempts.map(async ([what, args, env]) => {
      const { code, stdout, stderr } = await runToEnd(args, { ...SECRETS, LOG_LEVEL: 'trace', ...env })
      t.not(code, 0, what)
      t.same(found(stdout + stderr, { ...SECRETS, PASSWORD }), [], what)
    })
  )
})

t.test('the embedded PostgreSQL, whose password and keys it makes itself', async t => {
  const data = join(await temporaryFolder(t), 'data')
  const server = await runProgram(t, ['serve'], { DATA_DIR: data, PORT: '0', LOG_LEVEL: 'trace' })
  const kept = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, string>
  const { api_key, ...others } = kept
  t.same(found(processes(), kept), [], 'the list of processes')
  // The key for agents is printed once, for a person to use; the others never are.
  t.same(found(server.output(), others), [])
  t.equal(
    server
      .output()
      .split('\n')
      .filter(line => line.startsWith('{') && line.includes(api_key as string)).length,
    0,
    'nor is it in the log'
  )
  await server.stop()
})

t.test('what is committed, and what an image is made of', t => {
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    // What a link names is there by itself.
    .filter(name => name !== '' && !/^(test|bench)\//.test(name) && isFile(join(ROOT, name)))
  t.ok(files.length > 100)
  // Private keys, tokens of well-known services, addresses with a password, long hexadecimal values.
  const suspicious = new RegExp(
    [
      /-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b/,
      /\beyJ[A-Za-z0-9_-]{15,}\.eyJ|:\/\/[^\s:/@$<{]+:(?!password@|replace-me@|\$|<|\{)[^\s@/]{6,}@/,
      /(?:KEY|SECRET|PASSWORD|TOKEN)\s*[:=]\s*['"]?[0-9a-f]{32,}/
    ]
      .map(({ source }) => source)
      .join('|')
  )
  const hits = files
    .filter(name => !name.endsWith('package-lock.json'))
    .flatMap(name =>
      readFileSync(join(ROOT, name), 'utf8')
        .split('\n')
        .flatMap((line, i) => (suspicious.test(line) ? [`${name}:${i + 1}: ${line.trim().slice(0, 120)}`] : []))
    )
  t.same(hits, [])
  t.notOk(
    files.some(name => /(^|\/)(\.env|secrets\.(json|yaml)|id_rsa|.*\.pem|.*\.key)$/.test(name)),
    'no file that holds secrets is committed'
  )
  t.end()
})

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}

import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, listen, ok, runToEnd, startApp } from '../helper.js'
import { noteServer } from '../../src/commands/running-server.js'
import { quietPort } from '../support/ports.js'

/** The commands as processes, against a server. Hooks get time enough for a machine that does much else. */
const PATIENT = ['--timeout', '30']

t.jobs = 4

const app = await startApp(t)
const url = await listen(app)

async function newHome(): Promise<{ home: string; env: Record<string, string> }> {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  // Nothing of the machine: no program in the PATH, no folder elsewhere.
  const env = { HOME: home, USERPROFILE: home, PATH: '', DATA_DIR: join(home, 'data'), SHARED_CONTEXT_URL: url }
  return { home, env }
}

const textOf = (...path: string[]) => readFile(join(...path), 'utf8')

t.test('connect gives a coding agent a key of its own, and hands over messages; --remove restores', async t => {
  const { home, env } = await newHome()
  const settings = '{\n  // mine\n  "numStartups": 3\n}\n'
  await writeFile(join(home, '.claude.json'), settings, { mode: 0o644 })
  await mkdir(join(home, '.codex'))
  const admin = { ...env, SHARED_CONTEXT_ADMIN_API_KEY: ADMIN_API_KEY }

  const dry = await runToEnd(['connect', '--dry-run'], admin, { cwd: home })
  t.match(dry, { code: 0, stdout: '' })
  t.match(dry.stderr, /Claude Code\n[^]*\+ .*"mcpServers"[^]*Codex\n[^]*\+ \[mcp_servers.shared-context\]/)
  t.equal(await textOf(home, '.claude.json'), settings)
  t.same((await ok(app, 'list_api_keys', {}, { admin: true })).keys, [], 'it made no key')

  t.match(await runToEnd(['connect'], admin, { cwd: home }), { code: 2, stderr: /confirm it with --yes/ })
  t.equal(await textOf(home, '.claude.json'), settings)

  const first = await runToEnd(['connect', '--yes', '--hooks', 'claude-code'], admin, { cwd: home })
  t.equal(first.code, 0, first.stderr)
  t.match(first.stderr, /an API key of its own, made with the key in SHARED_CONTEXT_ADMIN_API_KEY/)
  t.match(first.stderr, /Others could read it \(mode 0644\); now only you can/)
  const { headers, url: address } = JSON.parse((await textOf(home, '.claude.json')).replace('// mine', '')).mcpServers[
    'shared-context'
  ]
  t.equal(address, `${url}/mcp`)
  t.match(headers, { 'X-API-Key': /^scs_[0-9a-f]{16}_/, 'X-Agent-Id': 'claude-code', 'X-Agent-Type': 'claude-code' })
  for (const secret of [headers['X-API-Key'], ADMIN_API_KEY]) t.notMatch(first.stdout + first.stderr, secret)
  if (process.platform !== 'win32') t.equal((await stat(join(home, '.claude.json'))).mode & 0o777, 0o600)

  const again = await runToEnd(['connect', '--yes', '--hooks', 'claude-code'], admin, { cwd: home })
  t.match(again, { code: 0, stderr: /There is nothing to change/ })
  const keys = (await ok(app, 'list_api_keys', {}, { admin: true })).keys
  t.equal(keys.length, 1, 'it keeps its key')

  const { session_id } = await ok(app, 'create_session', { purpose: 'x' }, { agent_id: 'ben' })
  const content = 'Please look\n> and obey\nScs'
  await ok(app, 'add_message', { session_id, content, to: ['claude-code'] }, { agent_id: 'ben' })
  const hook = JSON.parse(await textOf(home, '.claude', 'settings.json')).hooks.UserPromptSubmit[0].hooks[0]
    .command as string
  t.match(hook, /" hook claude-code prompt --profile claude-code$/)
  const words = ['hook', 'claude-code', 'prompt', '--profile', 'claude-code', ...PATIENT]
  const news = await runToEnd(words, env, { input: '{"hook_event_name":"UserPromptSubmit"}' })
  const { hookEventName, additionalContext } = JSON.parse(news.stdout).hookSpecificOutput
  t.equal(hookEventName, 'UserPromptSubmit')
  t.match(additionalContext, /no instructions[^]*\n> Please look\n> > and obey\n> Scs\n/)
  t.match(await runToEnd(words, env), { code: 0, stdout: '', stderr: '' }, 'once')
  t.match(
    (await runToEnd(['hook', 'claude-code', 'start', ...PATIENT], env)).stdout,
    /Please look/,
    'a new session is told again'
  )

  const removed = await runToEnd(['connect', '--remove', '--yes'], env, { cwd: home })
  t.equal(removed.code, 0, removed.stderr)
  t.equal(await textOf(home, '.claude.json'), settings)
  await t.rejects(stat(join(home, '.claude', 'settings.json')), { code: 'ENOENT' })
})

t.test('a project gets a reference; one coding agent that fails does not stop the others', async t => {
  const { home, env } = await newHome()
  await writeFile(join(home, '.mcp.json'), '{"mcpServers": ')
  const words = ['connect', 'claude-code', 'cursor', 'windsurf', '--scope', 'project', '--yes']
  const { code, stderr } = await runToEnd(words, { ...env, SHARED_CONTEXT_API_KEY: API_KEY }, { cwd: home })
  t.equal(code, 1)
  t.match(stderr, /Claude Code: The file .*\.mcp\.json is damaged at line 1 .*It is as it was\./)
  t.match(stderr, /Windsurf: There is no file for a project/)
  t.notMatch(stderr, API_KEY)
  t.match(await textOf(home, '.cursor', 'mcp.json'), '"X-API-Key": "${env:SHARED_CONTEXT_API_KEY}"')
  t.equal(await textOf(home, '.mcp.json'), '{"mcpServers": ')
})

t.test('two Claude Codes of one user, each with the name of its project', async t => {
  const { home, env } = await newHome()
  const shared = { ...env, SHARED_CONTEXT_API_KEY: API_KEY }
  const names = ['backend', 'frontend']
  for (const name of names) {
    const cwd = join(home, name)
    await mkdir(cwd)
    const words = ['connect', 'claude-code', '--scope', 'project', '--agent', name, '--hooks', '--yes']
    const { code, stderr } = await runToEnd(words, shared, { cwd })
    t.equal(code, 0, stderr)
    t.match(stderr, /The hooks start shared-context-server, which is not in your PATH/)
    t.equal(JSON.parse(await textOf(cwd, '.mcp.json')).mcpServers['shared-context'].headers['X-Agent-Id'], name)
  }
  const { session_id } = await ok(app, 'create_session', { purpose: 'x' }, { agent_id: 'backend' })
  await ok(app, 'add_message', { session_id, content: 'Which field?', to: ['frontend'] }, { agent_id: 'backend' })
  const heard = async (name: string) => {
    const settings = JSON.parse(await textOf(home, name, '.claude', 'settings.json'))
    const command = settings.hooks.UserPromptSubmit[0].hooks[0].command as string
    const [program, ...words] = command.split(' ')
    t.equal(program, 'shared-context-server')
    // The address comes from the file too.
    const bare = { ...shared, SHARED_CONTEXT_URL: '' }
    const plain = words.map(word => word.replaceAll('"', ''))
    return (await runToEnd([...plain, ...PATIENT], bare)).stdout
  }
  t.match(await heard('frontend'), /> Which field\?/)
  t.equal(await heard('backend'), '', 'who wrote it does not hear it')
  const odd = ['connect', 'claude-code', '--scope', 'project', '--agent', '$(id)', '--hooks', '--yes']
  t.match(await runToEnd(odd, shared, { cwd: home }), { code: 1, stderr: /takes a name of letters and digits/ })
})

t.test('words that connect does not take, and keys that are not there', async t => {
  const { home, env } = await newHome()
  for (const [words, code, says] of [
    [['connect', 'emacs'], 2, /'emacs' is no coding agent that this program knows: claude-code, /],
    [['connect', 'cursr'], 2, /Did you mean cursor\?/],
    [['connect', 'codex', 'cursor', '--agent', 'a'], 2, /--agent names one agent/],
    [['connect', 'codex', '--scope', 'mine'], 2, /--scope must be one of user, project/],
    [['connect'], 1, /There is no coding agent on this machine/],
    [
      ['connect', 'codex'],
      1,
      /There is no API key to use, and none in .*data \(DATA_DIR\)\. Set SHARED_CONTEXT_API_KEY/
    ],
    [['connect', 'qwen', '--hooks', '--yes', '--scope', 'project'], 1, /has no hooks/]
  ] as const) {
    const run = await runToEnd([...words], env, { cwd: home })
    t.equal(run.code, code, run.stderr)
    t.match(run.stderr, says, words.join(' '))
  }
})

t.test('hooks say nothing where they cannot', async t => {
  const { env } = await newHome()
  const away = { ...env, SHARED_CONTEXT_URL: `http://127.0.0.1:${await quietPort()}`, SHARED_CONTEXT_API_KEY: API_KEY }
  const quiet = { code: 0, stdout: '', stderr: '' }
  t.match(await runToEnd(['hook', 'codex', 'prompt', ...PATIENT], away), quiet, 'the server is away')
  t.match(await runToEnd(['hook', 'gemini', 'start', ...PATIENT], env), quiet, 'there is no key')
  t.match(await runToEnd(['hook', 'codex', 'prompt', ...PATIENT], { ...env, SHARED_CONTEXT_API_KEY: 'wrong' }), quiet)

  const { session_id } = await ok(app, 'create_session', { purpose: 'x' }, { agent_id: 'ben' })
  await ok(app, 'add_message', { session_id, content: 'Hello @gemini', to: ['gemini'] }, { agent_id: 'ben' })
  const here = { ...env, SHARED_CONTEXT_API_KEY: API_KEY }
  const active = { input: '{"stop_hook_active": true}' }
  t.match(
    await runToEnd(['hook', 'gemini', 'stop', ...PATIENT], here, active),
    quiet,
    'it does not stop an agent twice'
  )
  const { stdout } = await runToEnd(['hook', 'gemini', 'stop', ...PATIENT], here, {
    input: '{"stop_hook_active": false}'
  })
  t.match(JSON.parse(stdout), { decision: 'deny', reason: /> Hello @gemini/ })
  t.match(await runToEnd(['hook', 'gemini', 'dance'], here), { code: 2, stderr: /<moment> must be one of start, / })
})

t.test('doctor says what is wrong, and what to do', async t => {
  const { env } = await newHome()
  const doctor = async (more: Record<string, string>) => {
    const { code, stdout, stderr } = await runToEnd(['doctor', '--json'], { ...env, ...more })
    if (stdout === '') throw new Error(stderr)
    return { code, ...JSON.parse(stdout) } as { code: number; checks: Array<Record<string, unknown>> }
  }
  const [good, wrong, away, strange] = await Promise.all([
    doctor({ SHARED_CONTEXT_API_KEY: API_KEY }),
    doctor({ SHARED_CONTEXT_API_KEY: 'wrong' }),
    doctor({ SHARED_CONTEXT_URL: `http://127.0.0.1:${await quietPort()}` }),
    doctor({ SHARED_CONTEXT_URL: 'http://no-such-host.invalid' })
  ])
  t.equal(good.code, 0, JSON.stringify(good))
  t.same(
    good.checks.map(({ step }) => step),
    ['TCP', 'server', 'database', 'version', 'key', 'agent', 'workspace', 'permissions', 'clock']
  )
  t.match(good.checks[6], { says: 'default' })
  t.match(good.checks[7], { says: 'read, write' })
  t.match(wrong, { code: 1 })
  t.match(wrong.checks.at(-1), { step: 'key', ok: false, says: /INVALID_API_KEY/, advice: /SHARED_CONTEXT_API_KEY/ })
  t.match(away, { code: 1, checks: [{ step: 'TCP', ok: false, says: /Nothing listens/, advice: /npm start/ }] })
  t.match(strange, { code: 1, checks: [{ step: 'DNS', ok: false, says: /no-such-host/ }] })
  const shown = await runToEnd(['doctor'], env)
  t.match(shown, { code: 1, stdout: /FAULT key {2,}There is no API key to try\.\n {4,}Set SHARED_CONTEXT_API_KEY/ })
  const folder = env.DATA_DIR as string
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'secrets.json'), JSON.stringify({ api_key: API_KEY }))
  t.match(await runToEnd(['doctor'], env), { code: 1, stdout: /no API key to try/ }, 'the folder of another server')
  await noteServer(folder, url)
  const here = { ...env, SHARED_CONTEXT_URL: '' }
  const found = { code: 0, stdout: /ok {4}permissions {2,}read, write/ }
  t.match(await runToEnd(['doctor'], here), found, 'it finds the server that runs here')
})

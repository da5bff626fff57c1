import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type CodingAgent, codingAgents } from '../../src/connect/coding-agents.js'
import { fileOf, type Scope } from '../../src/connect/find.js'
import { hookSettings } from '../../src/connect/hooks.js'
import type { Machine } from '../../src/connect/machine.js'
import { compiled, runProgram } from '../helper.js'
import { clis, type Cli } from './clis.js'
import { scriptedModel, type ScriptedModel } from './scripted-model.js'

/**
 * Installs the coding agents that npm has into a temporary folder, connects each with `connect`, asks it for its
 * servers, lets a scripted model see its tools and a message of another agent, and takes the entry out again. It
 * prints a table. `npm run connect:agents [name…]`; with SCOPE=project, by the files of a project and a key in the
 * environment. VERBOSE=1 prints what they say; KEEP=1 keeps the folder.
 */

const ADMIN = 'an-admin-of-this-run-0123456789'
const MESSAGE = 'The quartz lighthouse needs a review'
const SHARED = 'a-key-of-this-run-0123456789'
const SCOPE: Scope = process.env.SCOPE === 'project' ? 'project' : 'user'
/** Milliseconds that a program may take. */
const LIMIT_MS = 120_000

interface Row {
  title: string
  version: string
  list: string
  tools: string
  hooks: string
  restored: string
}

let toolNames: string[] = []

const folder = await mkdtemp(join(tmpdir(), 'coding-agents-'))
// As root, PostgreSQL runs as another user, who has to get through here.
await chmod(folder, 0o711)
const ends: Array<() => unknown> = []
try {
  const names = process.argv.slice(2)
  const server = await runProgram({ teardown: end => ends.push(end) }, ['serve'], {
    ...{ DATA_DIR: join(folder, 'data'), PORT: '0', API_KEY: SHARED, ADMIN_API_KEY: ADMIN }
  })
  toolNames = await namesOfTools(server.url)
  const rows: Row[] = []
  for (const cli of clis.filter(({ agent }) => names.length === 0 || names.includes(agent)))
    rows.push(await examine(cli, server.url))
  print(rows)
} finally {
  for (const end of ends) await end()
  if (process.env.KEEP !== '1') await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  else console.error(folder)
}

async function examine(cli: Cli, url: string): Promise<Row> {
  const agent = codingAgents.find(({ name }) => name === cli.agent) as CodingAgent
  const row: Row = { title: cli.plugin ?? agent.title, version: '', list: '', tools: '', hooks: '', restored: '' }
  const place = join(folder, cli.plugin === undefined ? cli.agent : `${cli.agent}-plugin`)
  const [home, work, bin] = ['home', 'work', 'bin'].map(name => join(place, name)) as [string, string, string]
  for (const path of [home, work, bin]) await mkdir(path, { recursive: true })
  await writeFile(join(bin, 'package.json'), '{"private": true}')
  const installed = await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...cli.packages],
    { cwd: bin },
    process.env
  )
  if (installed.code !== 0) return { ...row, version: `not installed: ${firstLine(installed.output)}` }
  if (cli.after !== undefined)
    await run(process.execPath, [join(bin, 'node_modules', cli.after)], { cwd: bin }, process.env)
  const model = await scriptedModel()
  try {
    const env: Record<string, string> = {
      ...{ HOME: home, USERPROFILE: home, LANG: 'C.UTF-8', CI: '1', NO_COLOR: '1', TERM: 'dumb' },
      PATH: `${join(bin, 'node_modules', '.bin')}:${process.env.PATH}`,
      ...((SCOPE === 'project' || cli.plugin !== undefined) && {
        SHARED_CONTEXT_API_KEY: SHARED,
        SHARED_CONTEXT_URL: url
      }),
      ...cli.env?.(model.url)
    }
    // Hooks of a project call the program by its name.
    await symlink(compiled(), join(bin, 'node_modules', '.bin', 'shared-context-server'))
    const machine: Machine = { platform: process.platform, env, home, cwd: work }
    for (const [path, text] of Object.entries(cli.files?.(model.url, work) ?? {})) {
      await mkdir(dirname(join(home, path)), { recursive: true })
      await writeFile(join(home, path), text)
    }
    const start = (words: string[]) => run(cli.program, words, { cwd: work }, env)
    row.version = /\d+\.\d+\.\d+/.exec((await start(['--version'])).output)?.[0] ?? 'does not start'
    const hooks = hookSettings[agent.name]
    if (cli.plugin !== undefined) {
      await tell(url, agent.name)
      await prompt(cli, start, model, row)
      return row
    }
    const files = [
      await fileOf(agent, machine, SCOPE),
      SCOPE === 'user' ? hooks?.user(machine) : hooks && join(work, ...hooks.project)
    ].filter(path => path !== undefined)
    const before = await Promise.all(files.map(read))
    const connect = (...words: string[]) =>
      run(
        process.execPath,
        [compiled(), 'connect', cli.agent, '--scope', SCOPE, '--yes', ...words],
        { cwd: work },
        { ...env, SHARED_CONTEXT_ADMIN_API_KEY: ADMIN, SHARED_CONTEXT_URL: url }
      )
    const connected = await connect(...(hooks ? ['--hooks'] : []))
    if (connected.code !== 0) return { ...row, list: `connect: ${firstLine(connected.output)}` }
    if (cli.approve !== undefined && SCOPE === 'project') await start(cli.approve)
    if (cli.list !== undefined) {
      const { output } = await start(cli.list)
      row.list =
        cli.connected?.test(output) === true
          ? (cli.says ?? 'connected')
          : `says: ${firstLine(
              output
                .split('\n')
                .filter(line => /shared/.test(line))
                .join('\n') || output
            )}`
    }
    await tell(url, agent.name)
    if (cli.prompt !== undefined) await prompt(cli, start, model, row)
    const removed = await connect('--remove')
    const after = await Promise.all(files.map(read))
    row.restored =
      removed.code === 0 && files.every((_file, index) => sameConfiguration(before[index], after[index])) ? 'yes' : 'no'
    return row
  } finally {
    await model.close()
  }
}

/** A coding agent may write into its files meanwhile; of this program, nothing may be left. */
function sameConfiguration(before: string | undefined, after: string | undefined): boolean {
  return before === after || (after !== undefined && !/shared-context/.test(after))
}

async function prompt(
  cli: Cli,
  start: (words: string[]) => Promise<Ran>,
  model: ScriptedModel,
  row: Row
): Promise<void> {
  const { output } = await start(cli.prompt as string[])
  const asked = model.asked.join('\n')
  // They prefix the names, each in its own way.
  const tools = toolNames.filter(name => new RegExp(`(shared[-_]context[-_]{1,2}|")${name}(?![a-z_])`).test(asked))
  row.tools =
    tools.length > 0 ? String(tools.length) : model.asked.length === 0 ? `no model: ${firstLine(output)}` : 'none'
  if (hookSettings[cli.agent] !== undefined) row.hooks = asked.includes(MESSAGE) ? 'handed over' : 'no'
}

/** What the server lists for an agent. */
async function namesOfTools(url: string): Promise<string[]> {
  const client = new Client({ name: 'agents', version: '1' })
  const requestInit = { headers: { 'X-API-Key': SHARED, 'X-Agent-Id': 'agents' } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }))
  const { tools } = await client.listTools()
  await client.close()
  return tools.map(({ name }) => name)
}

/** Another agent writes to the coding agent. */
async function tell(url: string, agent_id: string): Promise<void> {
  const call = async (tool: string, body: unknown) => {
    const response = await fetch(`${url}/mcp/tool/${tool}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': ADMIN, 'x-agent-id': 'ben' },
      body: JSON.stringify(body)
    })
    return (await response.json()) as { session_id: string }
  }
  const { session_id } = await call('create_session', { purpose: 'A review' })
  await call('add_message', { session_id, content: MESSAGE, to: [agent_id] })
}

interface Ran {
  code: number | null
  output: string
}

function run(program: string, words: string[], { cwd }: { cwd: string }, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise(resolve => {
    const child = spawn(program, words, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL'
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', error => {
      resolve({ code: null, output: error.message })
    })
    child.on('close', code => {
      if (process.env.VERBOSE === '1') console.error(`$ ${program} ${words.join(' ')}\n${output}\n(${code})`)
      resolve({ code, output })
    })
  })
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim().slice(0, 100) ?? ''
}

function print(rows: Row[]): void {
  const head = ['coding agent', 'version', 'its own list', 'tools that its model sees', 'message by hooks', 'restored']
  const cells = rows.map(({ title, version, list, tools, hooks, restored }) => [
    title,
    version,
    list,
    tools,
    hooks,
    restored
  ])
  for (const line of [head, head.map(() => '---'), ...cells])
    console.log(`| ${line.map(cell => (cell === '' ? '–' : cell.replaceAll('|', '\\|'))).join(' | ')} |`)
}

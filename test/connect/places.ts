import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { type CodingAgent, codingAgents } from '../../src/connect/coding-agents.js'
import { SERVER_NAME } from '../../src/connect/entries.js'
import { fileOf, type Scope } from '../../src/connect/find.js'
import type { Machine } from '../../src/connect/machine.js'
import { carryOut, changesFile } from '../../src/connect/plan.js'
import { plansFor, type Wish } from '../../src/connect/plans.js'
import type { WrittenFiles } from '../../src/connect/record.js'
import { shown } from '../../src/connect/shown.js'
import { valueAt } from '../../src/connect/text/formats.js'

/** Coding agents on a home folder of their own, and what the command does to their files. */

export const KEY = `scs_0123456789abcdef_${'k'.repeat(43)}`
export const URL = 'http://127.0.0.1:23456'

async function newMachine(): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), 'connect-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  return { platform: 'linux', env: {}, home, cwd: join(home, 'project') }
}

export interface Place {
  machine: Machine
  agent: CodingAgent
  path: string
  record: WrittenFiles
}

/** What is wanted of the command. */
interface Wanted {
  key?: string
  scope?: Scope
  hooks?: boolean
}

export function wishFor({ agent, path }: Place, what: Wish['what'], more: Wanted = {}): Wish {
  const { key = KEY, scope = 'user', hooks = false } = more
  return {
    what,
    path,
    scope,
    url: URL,
    hooks,
    profile: agent.name,
    hook_command: moment => `shared-context-server hook ${agent.name} ${moment}`,
    connection: {
      url: `${URL}/mcp`,
      key: scope === 'project' ? { variable: 'SHARED_CONTEXT_API_KEY' } : { text: key },
      ...(scope === 'user' && { agent_id: agent.name }),
      stdio: { command: 'node', args: ['cli.js', 'mcp'], env: { AGENT_ID: agent.name } }
    }
  }
}

/** What the command does for one coding agent, once it was agreed to. */
export async function run(place: Place, what: Wish['what'], more: Wanted = {}) {
  const { machine, agent, record } = place
  const plans = await plansFor(agent, machine, wishFor(place, what, more), record)
  const results = []
  for (const plan of plans) results.push({ ...(await carryOut(plan, record)), changed: changesFile(plan) })
  return { lines: plans.flatMap(shown), results }
}

export async function placeOf(agent: CodingAgent, content?: string | Buffer, scope: Scope = 'user'): Promise<Place> {
  const machine = await newMachine()
  const path = (await fileOf(agent, machine, scope)) as string
  await mkdir(dirname(path), { recursive: true })
  if (content !== undefined) await writeFile(path, content, { mode: 0o600 })
  return { machine, agent, path, record: {} }
}

export async function entryOf({ agent, path }: Place): Promise<any> {
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  return valueAt(agent.format, text, [...agent.servers, SERVER_NAME])
}

/** The coding agent of this name. */
export function agentOf(name: string): CodingAgent {
  const found = codingAgents.find(agent => agent.name === name)
  if (found === undefined) throw new Error(`There is no coding agent ${name}`)
  return found
}

/** A file as a user may have it: comments, another server, a trailing comma where the format has some. */
export function lived({ format, servers }: CodingAgent): string {
  if (format === 'toml') return '# mine\nmodel = "x"\n\n[mcp_servers.other] # keep\ncommand = "y"\n'
  return `{\n  // mine\n  "theme": "dark",\n  "${servers[0]}": {\n    "other": { "command": "y" }, // keep\n  },\n}\n`
}

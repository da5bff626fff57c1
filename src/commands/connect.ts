import { homedir } from 'node:os'
import { join } from 'node:path'
import { type CodingAgent, codingAgents } from '../connect/coding-agents.js'
import { KEY_VARIABLE } from '../connect/entries.js'
import { findCodingAgents, programPath, type Scope, SCOPES } from '../connect/find.js'
import { hookSettings } from '../connect/hooks.js'
import { withFileLock } from '../connect/lock.js'
import type { Machine } from '../connect/machine.js'
import { carryOut, changesFile, type Plan } from '../connect/plan.js'
import { named, plansFor, type Wish } from '../connect/plans.js'
import { readRecord, writeRecord } from '../connect/record.js'
import { shown } from '../connect/shown.js'
import { Refused } from '../connect/text/refused.js'
import { commandLine, name as program } from '../version.js'
import { CommandError, meant, UsageError, verb, type Verbs, YES } from './command.js'
import { confirm } from './confirm.js'
import { connectionOf } from './connection.js'
import { configFolder } from './data-folder.js'
import { notice } from './notice.js'
import { keySource, type KeySource } from './own-keys.js'
import { hasProfile, type Profile, profilePath, removeProfile, writeProfile } from './profile.js'
import { isLoopback, urlOption } from './server-address.js'
import { isKeyMissing, whyNot, wishOf } from './wishes.js'

export const verbs: Verbs = {
  '': verb({
    summary:
      'Connects the coding agents of this machine, or those named, to a server, by writing the files that they read. ' +
      'It shows what it writes, and asks.',
    rest: '[client…]',
    options: {
      url: {
        type: 'string',
        value: '<address>',
        description: 'the server; default: SHARED_CONTEXT_URL, or the one that runs here'
      },
      scope: { type: 'string', value: '<scope>', description: 'user (the default): your files; project: files here' },
      agent: {
        type: 'string',
        value: '<agent_id>',
        description: 'its name on the server; default: the client and you'
      },
      hooks: { type: 'boolean', description: 'also hand new messages to the coding agent while it works' },
      remove: { type: 'boolean', description: 'take out what this command wrote' },
      'dry-run': { type: 'boolean', description: 'only show what would be written' },
      yes: YES
    },
    run: async (options, _operands, clients) => {
      await run(options, clients)
    }
  })
}

interface Options {
  url: string | undefined
  scope: string | undefined
  agent: string | undefined
  hooks: boolean
  remove: boolean
  'dry-run': boolean
  yes: boolean
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), cwd: process.cwd() }
}

/** Where this program notes what it has put into which file. */
export function recordPath(): string {
  return join(configFolder(), 'connected.json')
}

async function run(options: Options, clients: string[]): Promise<void> {
  const machine = thisMachine()
  const scope = scopeOf(options.scope)
  const agents = await chosen(machine, clients)
  if (options.agent !== undefined && agents.length > 1)
    throw new UsageError('--agent names one agent. Name the one coding agent that it is for.')
  // The key of a profile comes only with the profile's own address.
  const { url, api_key } = await serverOf(options.url)
  const record = await readRecord(recordPath())
  const failures: string[] = []
  const works: Work[] = []
  const hookless: string[] = []
  for (const agent of agents)
    await orNote(agent, failures, async () => {
      // Of all that are found, those are meant that can be connected like this, and hooks where there are some.
      const hooks = options.hooks && (clients.length > 0 || hookSettings[agent.name] !== undefined)
      const asked = { ...options, hooks, scope, url }
      const reason = whyNot(agent, asked)
      if (reason !== undefined && clients.length === 0) return
      if (reason !== undefined) throw new Refused(reason)
      const wish = await wishOf(agent, machine, asked)
      const plans = await plansFor(agent, machine, wish, record)
      // And those that were never connected need no word when something is taken out.
      if (options.remove && clients.length === 0 && !plans.some(changesFile)) return
      const profile = profileFor(agent, wish, plans)
      const needsProfile = profile !== undefined && !(await hasProfile(wish.profile, profile))
      works.push({ agent, wish, plans, needsProfile })
      if (options.hooks && !options.remove && hookSettings[agent.name] === undefined) hookless.push(agent.title)
    })
  for (const { agent, plans, needsProfile } of works) {
    const lines = [...plans.flatMap(shown), ...(needsProfile ? [`${profilePath()}: the key that its hooks use`] : [])]
    notice([agent.title, ...lines.map(line => `  ${line}`), ''].join('\n'))
  }
  if (hookless.length > 0) {
    const hooked = codingAgents.filter(({ name }) => hookSettings[name] !== undefined).map(({ title }) => title)
    notice(`No hooks for ${hookless.join(', ')}: this program writes hooks only for ${hooked.join(', ')}.`)
  }
  const isNothing = !works.some(({ plans, needsProfile }) => needsProfile || plans.some(changesFile))
  const needsKey = works.some(({ wish }) => isKeyMissing(wish))
  const keys = needsKey ? await keysFor(url, api_key) : undefined
  if (keys !== undefined) notice(`Each that has no key gets ${keys.says}.`)
  if (isNothing && failures.length === 0) notice('There is nothing to change.')
  if (!isNothing && !options['dry-run']) {
    await confirm(options.remove ? 'These lines are taken out.' : 'These lines are written.', options.yes)
    for (const { agent, wish } of works) await orNote(agent, failures, () => carry(agent, machine, wish, keys))
  }
  for (const line of failures) notice(line)
  if (failures.length > 0) process.exitCode = 1
  else if (!isNothing && !options['dry-run']) notice(whatNext(scope, options.remove, url))
}

/** One coding agent, what is wanted for it, and what that does to its files. */
interface Work {
  agent: CodingAgent
  wish: Wish
  plans: Plan[]
  /** Whether its hooks have a profile to get. */
  needsProfile: boolean
}

/** The profile that the hooks of a coding agent use, where it has some: with the key that its own entry has. */
function profileFor(agent: CodingAgent, wish: Wish, plans: readonly Plan[]): Profile | undefined {
  const { what, scope, url, connection } = wish
  const hasHooks = plans.some(({ planned }) => planned.some(({ at }) => at.startsWith('hooks.')))
  if (what !== 'connect' || scope !== 'user' || !hasHooks || !('text' in connection.key)) return undefined
  const agent_id = connection.agent_id ?? agent.name
  return { url, api_key: connection.key.text, agent_id, agent_type: agent.name }
}

/** A coding agent that refuses does not stop the others. */
async function orNote(agent: CodingAgent, failures: string[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof CommandError)) throw error
    failures.push(`${agent.title}: ${error.message}`)
  }
}

/** Writes for one coding agent, and says what else the user has to know. */
async function carry(agent: CodingAgent, machine: Machine, wish: Wish, keys: KeySource | undefined): Promise<void> {
  await withFileLock(recordPath(), () => write(agent, machine, wish, keys))
  const notes = [
    agent.note,
    wish.scope === 'project' ? agent.project_note : undefined,
    wish.hooks ? hookSettings[agent.name]?.note : undefined,
    wish.hooks && wish.scope === 'project' && (await programPath(program, machine)) === undefined
      ? `The hooks start ${program}, which is not in your PATH: install it, or they do nothing.`
      : undefined
  ]
  if (wish.what === 'connect') for (const note of notes) if (note !== undefined) notice(`  ${note}`)
}

/**
 * Makes the key, plans again with it, writes, and notes it at once: the next coding agent may fail. The record and the
 * files are read again, because another run may have written them since the user was asked.
 */
async function write(agent: CodingAgent, machine: Machine, wish: Wish, keys: KeySource | undefined): Promise<void> {
  const { connection } = wish
  if (keys !== undefined && isKeyMissing(wish))
    connection.key = { text: await keys.keyFor(connection.agent_id ?? agent.name, agent.name) }
  const record = await readRecord(recordPath())
  const plans = await plansFor(agent, machine, wish, record)
  for (const plan of plans) {
    if (!changesFile(plan)) continue
    const { tightened } = await named(plan.file.path, () => carryOut(plan, record))
    await writeRecord(recordPath(), record)
    notice(`${agent.title}: ${plan.removes_file ? 'removed' : 'wrote'} ${plan.file.path}`)
    if (tightened !== undefined)
      notice(`  Others could read it (mode 0${tightened.toString(8)}); now only you can, because it holds a key.`)
  }
  const profile = profileFor(agent, wish, plans)
  if (profile !== undefined) await writeProfile(wish.profile, profile)
  if (wish.what === 'remove' && wish.scope === 'user')
    await removeProfile(wish.profile, { url: wish.url, agent_type: agent.name })
}

function scopeOf(given = 'user'): Scope {
  const scope = SCOPES.find(one => one === given)
  if (scope === undefined) throw new UsageError(`--scope must be one of ${SCOPES.join(', ')}.`)
  return scope
}

async function chosen(machine: Machine, names: string[]): Promise<CodingAgent[]> {
  const known = codingAgents.map(({ name }) => name)
  const agents = names.map(name => {
    const found = codingAgents.find(agent => agent.name === name)
    if (found === undefined)
      throw new UsageError(
        `'${name}' is no coding agent that this program knows: ${known.join(', ')}.${meant(name, known)}`
      )
    return found
  })
  const found = agents.length > 0 ? agents : await findCodingAgents(machine)
  if (found.length === 0)
    throw new CommandError(
      `There is no coding agent on this machine that this program knows. Name one: ${known.join(', ')}.`
    )
  return [...new Set(found)]
}

async function serverOf(url: string | undefined): Promise<{ url: string; api_key?: string | undefined }> {
  const { url: address, api_key } = await connectionOf({ url, agent: undefined, profile: undefined })
  return { url: address.replace(/\/+$/, '').replace(/\/mcp$/, ''), api_key }
}

async function keysFor(url: string, given: string | undefined): Promise<KeySource> {
  if (new URL(url).protocol === 'http:' && !isLoopback(url))
    notice(`${url} is not encrypted: everybody on the way can read the API key. Use https.`)
  return keySource(url, given)
}

function whatNext(scope: Scope, remove: boolean, url: string): string {
  if (remove) return `Done. The API keys stay valid until you revoke them: "${commandLine} keys list" shows them.`
  return scope === 'project'
    ? `Done. Each member sets ${KEY_VARIABLE} in the shell that starts the coding agent.`
    : `Done. Restart the coding agents; "${commandLine} doctor${urlOption(url)}" checks the connection.`
}

import { userInfo } from 'node:os'
import { type CodingAgent, startsProgram } from '../connect/coding-agents.js'
import { KEY_VARIABLE } from '../connect/entries.js'
import { fileOf, programPath, type Scope } from '../connect/find.js'
import { hookSettings } from '../connect/hooks.js'
import type { Machine } from '../connect/machine.js'
import { named, type Wish } from '../connect/plans.js'
import { Refused } from '../connect/text/refused.js'
import { name as program, programFile } from '../version.js'
import { dataDir } from './local-keys.js'
import { connectedTo, existingKey } from './own-keys.js'
import { isLoopback, urlOption } from './server-address.js'

/** What the user has asked for. */
interface Asked {
  scope: Scope
  /** The server's base address. */
  url: string
  remove: boolean
  hooks: boolean
  /** The name on the server, if one was given. */
  agent: string | undefined
}

/** What stands for a key that is made only after the plan was agreed to. */
const NEW_KEY = 'scs_a_new_key'

/** A name that means itself in the command line of a hook, which some shell reads. */
const PLAIN_NAME = /^[\w.@/-]+$/

/** The same of an address, in double quotes. */
const PLAIN_ADDRESS = /^[\w.:/[\]~-]+$/

/** Whether the key is still to be made. */
export function isKeyMissing({ connection: { key } }: Wish): boolean {
  return 'text' in key && key.text === NEW_KEY
}

/** Why a coding agent cannot be connected like this; undefined if it can. */
export function whyNot(agent: CodingAgent, { scope, url, remove, hooks, agent: given }: Asked): string | undefined {
  if (scope === 'project' && agent.project === undefined)
    return 'There is no file for a project that could do without the key itself. Use --scope user.'
  if (remove) return undefined
  if (hooks && hookSettings[agent.name] === undefined)
    return 'It has no hooks that could hand over messages. Leave out --hooks.'
  if (scope === 'project' && given !== undefined && !PLAIN_NAME.test(given))
    return "A project's file takes a name of letters and digits with '.', '_', '-', '@' and '/'."
  if (scope === 'project' && hooks && !PLAIN_ADDRESS.test(url))
    return "A project's hooks take an address of letters and digits with ':', '/', '.', '_', '-', '~', '[' and ']'."
  if (!startsProgram(agent)) return undefined
  if (!isLoopback(url)) return `It can only start programs here, and reaches no server at ${url}.`
  return process.env.DATABASE_URL === undefined
    ? undefined
    : 'It starts the program itself, which would need DATABASE_URL in its file. Write the entry by hand.'
}

/** What is wanted for one coding agent. @throws Refused if its file cannot be read */
export async function wishOf(
  agent: CodingAgent,
  machine: Machine,
  { scope, url, remove, hooks, agent: given }: Asked
): Promise<Wish> {
  const path = await fileOf(agent, machine, scope)
  if (path === undefined) throw new Refused('There is no file of it.')
  const agent_id =
    given ?? (isLoopback(url) ? agent.name : `${agent.name}-of-${userInfo().username.replaceAll(/[^\w.-]/g, '-')}`)
  const needsKey = scope === 'user' && !remove && !startsProgram(agent)
  const text = needsKey ? ((await named(path, () => existingKey(agent, path, url, agent_id))) ?? NEW_KEY) : ''
  const command = await hookCommand(machine, scope)
  // What is taken out is a connection to the server that the file names.
  const connected = remove ? await named(path, () => connectedTo(agent, path)) : undefined
  // Whose inbox: the hook asks as the agent that the entry names.
  const whose =
    scope === 'user' ? ` --profile ${agent.name}` : `${given === undefined ? '' : ` --agent ${given}`}${urlOption(url)}`
  return {
    what: remove ? 'remove' : 'connect',
    path,
    scope,
    url: connected ?? url,
    hooks,
    profile: agent.name,
    hook_command: moment => `${command} hook ${agent.name} ${moment}${whose}`,
    connection: {
      url: `${url}/mcp`,
      key: scope === 'project' ? { variable: KEY_VARIABLE } : { text },
      ...(scope === 'user' || given !== undefined ? { agent_id } : {}),
      ...(scope === 'user' ? { agent_type: agent.name } : {}),
      stdio: {
        command: process.execPath,
        args: [programFile, 'mcp'],
        env: { DATA_DIR: dataDir(), AGENT_ID: agent_id, AGENT_TYPE: agent.name }
      }
    }
  }
}

/** How a hook starts this program: by its name, where that is it; a project's files are for other machines too. */
async function hookCommand(machine: Machine, scope: Scope): Promise<string> {
  if (scope === 'project' || (await programPath(program, machine)) !== undefined) return program
  return `"${process.execPath}" "${programFile}"`
}

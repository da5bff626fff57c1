import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SharedContextError } from '../../clients/typescript/src/index.js'
import { clientOf, isAway, LIMIT_MS } from '../connect/call.js'
import type { CodingAgent } from '../connect/coding-agents.js'
import { addressIn, KEY_VARIABLE, keyIn, SERVER_NAME } from '../connect/entries.js'
import { readFound } from '../connect/file.js'
import { valueAt } from '../connect/text/formats.js'
import { CommandError } from './command.js'
import { dataDir, localAdminKey } from './local-keys.js'
import { SECRETS_FILE } from './local-secrets.js'
import { isLoopback, isOwnKey } from './server-address.js'

/** Where API keys for coding agents come from. */
export interface KeySource {
  /** For people: `an API key of its own, made with …`. */
  says: string
  /** The key of one agent; made now, unless it is the one that was given. */
  keyFor: (agent_id: string, agent_type: string) => Promise<string>
}

const ADMIN_KEY_VARIABLE = 'SHARED_CONTEXT_ADMIN_API_KEY'

/**
 * Finds the best source there is: an admin key, which makes a key of the agent's own; the database, if it is here and
 * no server runs; the key that was given.
 * @param given a key of the environment or a profile
 * @throws CommandError that says how to give one
 */
export async function keySource(url: string, given: string | undefined): Promise<KeySource> {
  const isLocal = isLoopback(url)
  const admin = process.env[ADMIN_KEY_VARIABLE]
  if (admin !== undefined && admin !== '') return madeBy(url, admin, `the key in ${ADMIN_KEY_VARIABLE}`)
  const answers = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(LIMIT_MS) }).then(
    ({ ok }) => ok,
    () => false
  )
  if (isLocal && answers) {
    const found = await localAdminKey(url)
    if (found !== undefined && (await isTaken(url, found.key)))
      return madeBy(url, found.key, `the admin key in ${found.where}`)
  }
  if (given !== undefined)
    return {
      says: 'the API key that you gave, which all connected like this share',
      keyFor: () => Promise.resolve(given)
    }
  if (isLocal && !answers && (await isDatabaseHere()))
    return {
      says: `an API key of its own, made in the database of this machine, because nothing answers at ${url}`,
      keyFor: madeInDatabase
    }
  throw new CommandError(
    (answers ? '' : `Nothing answers at ${url}. Start the server, or name another one with --url. `) +
      (isLocal ? `There is no API key to use, and none in ${dataDir()} (DATA_DIR). ` : 'There is no API key to use. ') +
      `Set ${KEY_VARIABLE} to one, or ${ADMIN_KEY_VARIABLE} to an admin's, ` +
      'with which each coding agent gets one of its own.'
  )
}

/**
 * The key that a coding agent has already, if it is good for that name on that server, or if the server does not say:
 * connecting twice makes no second key.
 */
export async function existingKey(
  agent: CodingAgent,
  path: string,
  url: string,
  agent_id: string
): Promise<string | undefined> {
  const entry = await entryIn(agent, path)
  // It goes only to the server that it is for.
  const api_key = addressIn(entry) === `${url}/mcp` ? keyIn(entry) : undefined
  if (api_key === undefined || !/^[\x21-\x7e]+$/.test(api_key)) return undefined
  try {
    const { agent_info } = await clientOf({ url, api_key, agent_id, agent_type: agent.name }).getUsageGuidance()
    return agent_info === null ? undefined : api_key
  } catch (error) {
    return isAway(error) ? api_key : undefined
  }
}

/** The base address of the server that a coding agent is connected to; undefined: none, or it starts the program. */
export async function connectedTo(agent: CodingAgent, path: string): Promise<string | undefined> {
  return addressIn(await entryIn(agent, path))?.replace(/\/mcp$/, '')
}

async function entryIn({ format, servers }: CodingAgent, path: string): Promise<unknown> {
  return valueAt(format, (await readFound(path)).text, [...servers, SERVER_NAME])
}

function madeBy(url: string, admin: string, words: string): KeySource {
  return {
    says: `an API key of its own, made with ${words}`,
    async keyFor(agent_id, agent_type) {
      try {
        return (await adminClient(url, admin).createApiKey({ agent_id, agent_type })).api_key
      } catch (error) {
        if (!(error instanceof SharedContextError)) throw error
        throw new CommandError(`There is no API key for ${agent_id}: ${error.message} (${error.code})`)
      }
    }
  }
}

/** A key of one admin's own names the admin; the shared one takes any name. */
function adminClient(url: string, api_key: string): ReturnType<typeof clientOf> {
  return clientOf({ url, api_key, ...(!isOwnKey(api_key) && { agent_id: 'connect' }) })
}

/** Another server of this machine may listen there: it must not be told that its key is wrong in an error of ours. */
async function isTaken(url: string, admin: string): Promise<boolean> {
  try {
    const { access_level } = await adminClient(url, admin).getUsageGuidance()
    return access_level === 'admin'
  } catch {
    return false
  }
}

async function isDatabaseHere(): Promise<boolean> {
  if (process.env.DATABASE_URL !== undefined) return true
  return readFile(join(dataDir(), SECRETS_FILE)).then(
    () => true,
    () => false
  )
}

/** What `keys create` does. Its module loads the whole service. */
async function madeInDatabase(agent_id: string, agent_type: string): Promise<string> {
  const { createKey } = await import('./keys.js')
  return createKey({ agent_id, agent_type })
}

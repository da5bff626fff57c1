import { type CodingAgent, type Connection } from './coding-agents.js'
import type { Entry } from './text/formats.js'

/** What the server is called in the files of coding agents. */
export const SERVER_NAME = 'shared-context'

/** The environment variable that files of projects refer to. */
export const KEY_VARIABLE = 'SHARED_CONTEXT_API_KEY'

/** The entry of a coding agent. */
export function entryFor(agent: CodingAgent, connection: Connection): Entry {
  const { key, agent_id, agent_type } = connection
  const value = 'text' in key ? key.text : (agent.reference ?? (variable => variable))(key.variable)
  return agent.entry(connection, {
    'X-API-Key': value,
    ...(agent_id !== undefined && { 'X-Agent-Id': agent_id }),
    ...(agent_type !== undefined && { 'X-Agent-Type': agent_type })
  })
}

/** The API key itself in an entry that is there; undefined if it has none, or a reference to the environment. */
export function keyIn(entry: unknown): string | undefined {
  const { headers, http_headers } = Object(entry) as Record<string, unknown>
  const found = Object.entries(Object(headers ?? http_headers) as Record<string, unknown>).find(
    ([name]) => name.toLowerCase() === 'x-api-key'
  )?.[1]
  return typeof found === 'string' && !found.includes('$') && !found.startsWith('{env:') ? found : undefined
}

/** The address of MCP in an entry that is there; undefined if it starts a program. */
export function addressIn(entry: unknown): string | undefined {
  const { url, httpUrl, serverUrl } = Object(entry) as Record<string, unknown>
  return [url, httpUrl, serverUrl].find(address => typeof address === 'string')
}

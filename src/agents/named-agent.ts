import type { Caller } from '../kernel/caller.js'
import { isPrefix } from './api-key.js'
import { bearer, identify } from './identify.js'
import type { Verifiers } from './verifiers.js'

/**
 * The agent that a connection names by itself, whatever its calls say: by X-Agent-Id, a token in a header, a key that
 * is bound to one agent, or as a local process.
 * @returns undefined if the connection leaves the choice to its calls
 * @throws AppError with one of the 401 codes for bad credentials
 */
export async function namedAgent(caller: Caller, verifiers: Verifiers): Promise<string | undefined> {
  const { auth_token: _, mcp_session: __, ...credentials } = caller.credentials
  const { authorization, api_key, agent_id, local } = credentials
  if (authorization === undefined && api_key === undefined && local === undefined) return agent_id?.trim()
  const agent = await identify({ ...caller, identified: undefined, credentials }, verifiers)
  if (agent === null) return undefined
  if (agent.token !== undefined || agent_id !== undefined || local !== undefined) return agent.agent_id
  const { binding } = (await verifiers.keys.allows(api_key ?? bearer(authorization ?? ''))) ?? {}
  return binding === undefined || isPrefix(binding.agent_id) ? undefined : agent.agent_id
}

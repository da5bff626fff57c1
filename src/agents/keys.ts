import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Bounds, DEFAULT_WORKSPACE, type Permission } from '../kernel/agent.js'
import { type ApiKey, hashApiKey, isBound, isPrefix, keyIdOf } from './api-key.js'
import { AppError } from '../kernel/errors.js'
import type { KeyGrant, Keys } from './verifiers.js'

const AGENT_PERMISSIONS: readonly Permission[] = ['read', 'write']
const ADMIN_PERMISSIONS: readonly Permission[] = ['read', 'write', 'admin']

/**
 * Finds a key and its hash by its id. A revocation takes effect within 2 seconds.
 * @throws if the key is not cached and the database cannot be read
 */
export type FindKey = (key_id: string) => Promise<{ key: ApiKey; hash: Buffer; revoked: boolean } | undefined>

/** The accepted API keys: those of agents, and the shared ones of the configuration unless they are `off`. */
export function createKeys(
  shared: { api_key: string | undefined; admin_api_key: string | undefined } | 'off',
  find: FindKey
): Keys {
  const sharedGrant = shared === 'off' ? () => undefined : sharedKeys(shared.api_key, shared.admin_api_key)
  return {
    shared: shared !== 'off',
    async allows(text) {
      const key_id = keyIdOf(text)
      if (key_id === undefined) return sharedGrant(text)
      const found = await find(key_id)
      // A shared key may have the form of an agent's key.
      if (found === undefined || !timingSafeEqual(found.hash, hashApiKey(text))) return sharedGrant(text)
      const { workspace, permissions, agent_id, agent_type, sessions, expires_at } = found.key
      const until = expires_at === null ? undefined : new Date(expires_at)
      if (found.revoked) throw invalidKey('The API key has been revoked.')
      if (until !== undefined && until.getTime() <= Date.now()) throw invalidKey('The API key has expired.')
      return {
        workspace,
        permissions,
        binding: { agent_id, agent_type },
        key_id,
        ...(sessions !== null && { sessions }),
        ...(until !== undefined && { until })
      }
    },
    async bindingOf(key_id) {
      return (await find(key_id))?.key
    }
  }
}

function invalidKey(message: string): AppError {
  return new AppError('INVALID_API_KEY', message, { suggestions: ['Ask whoever gave you the key for a new one'] })
}

/**
 * The shared keys of the configuration. Keys are compared by their HMAC with a random key of this process, and all of
 * them every time, so that the duration reveals neither lengths nor matching characters.
 */
function sharedKeys(
  api_key: string | undefined,
  admin_api_key: string | undefined
): (key: string) => KeyGrant | undefined {
  const salt = randomBytes(32)
  const digest = (key: string) => createHmac('sha256', salt).update(key).digest()
  const keys = [
    ...(admin_api_key !== undefined
      ? [
          {
            digest: digest(admin_api_key),
            grant: { workspace: DEFAULT_WORKSPACE, permissions: ADMIN_PERMISSIONS, operator: true as const }
          }
        ]
      : []),
    ...(api_key !== undefined
      ? [{ digest: digest(api_key), grant: { workspace: DEFAULT_WORKSPACE, permissions: AGENT_PERMISSIONS } }]
      : [])
  ]
  return key => {
    const given_digest = digest(key)
    return keys.filter(k => timingSafeEqual(k.digest, given_digest))[0]?.grant
  }
}

/**
 * The agent_type of an agent that authenticates with a key.
 * @throws AppError PERMISSION_DENIED if the key is not for that agent_id or agent_type
 */
export function boundType(
  { binding, workspace }: KeyGrant,
  agent_id: string,
  agent_type: string | undefined,
  default_type: string
): string {
  if (binding === undefined) return agent_type ?? default_type
  if (!isBound(binding.agent_id, agent_id)) {
    throw new AppError('PERMISSION_DENIED', 'The API key is not for an agent of that name.', {
      workspace,
      context: {
        argument: 'agent_id',
        allowed: isPrefix(binding.agent_id)
          ? `a name that begins with ${JSON.stringify(binding.agent_id.slice(0, -1))}`
          : JSON.stringify(binding.agent_id)
      },
      suggestions: ['Use the agent_id that context.allowed names', 'Or ask for an API key for your name']
    })
  }
  if (agent_type !== undefined && agent_type !== binding.agent_type) {
    throw new AppError('PERMISSION_DENIED', 'The API key is not for agents of that type.', {
      workspace,
      context: { argument: 'agent_type', allowed: JSON.stringify(binding.agent_type) },
      suggestions: ['Use the agent_type that context.allowed names', 'Or ask for an API key for your type']
    })
  }
  return binding.agent_type
}

/** The limits that a key puts on an agent that authenticates with it. */
export function boundsOfKey({ sessions, key_id, until, operator }: KeyGrant): Bounds {
  return {
    ...(sessions !== undefined && { sessions }),
    ...(key_id !== undefined && { key_id }),
    ...(until !== undefined && { until }),
    ...(operator === true && { operator })
  }
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { DEFAULT_WORKSPACE, PERMISSIONS } from '../kernel/agent.js'
import { type ApiKey, hashApiKey, isBound, isPrefix, keyIdOf } from './api-key.js'
import { AppError } from '../kernel/errors.js'
import { rightsEnded } from './rights.js'
import type { KeyGrant, Keys } from './verifiers.js'

/**
 * Finds a key and its hash by its id. A revocation takes effect within 2 seconds.
 * @throws if the key is not cached and the database cannot be read
 */
export type FindKey = (key_id: string) => Promise<{ key: ApiKey; hash: Buffer; revoked: boolean } | undefined>

/**
 * The accepted API keys: those of agents, and the shared ones of the configuration unless they are `off`.
 * @param now by which keys end, in milliseconds since 1970
 */
export function createKeys(
  shared: { api_key: string | undefined; admin_api_key: string | undefined } | 'off',
  find: FindKey,
  now: () => number
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
      if (found.revoked) throw rightsEnded('key_revoked')
      if (until !== undefined && until.getTime() <= now()) throw rightsEnded('key_expired')
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

/** Whether a text may be a JSON web token: one begins with `{"` in base64url. */
const isLikeToken = (text: string) => text.startsWith('eyJ')

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
  const keys: Array<{ digest: Buffer; grant: KeyGrant }> = []
  const accept = (key: string | undefined, grant: Omit<KeyGrant, 'workspace'>) => {
    if (key !== undefined) keys.push({ digest: digest(key), grant: { workspace: DEFAULT_WORKSPACE, ...grant } })
  }
  accept(admin_api_key, { permissions: PERMISSIONS, operator: true })
  accept(api_key, { permissions: ['read', 'write'] })
  const anyIsLikeToken = [admin_api_key, api_key].some(key => key !== undefined && isLikeToken(key))
  return key => {
    // Most bearers are tokens. Without this, the digests took 3 % of the time of add_message.
    if (!anyIsLikeToken && isLikeToken(key)) return undefined
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
  const refusal = (what: string, argument: string, allowed: string, yours: string) =>
    new AppError('PERMISSION_DENIED', `The API key is not for ${what}.`, {
      workspace,
      context: { argument, allowed },
      suggestions: [`Use the ${argument} that context.allowed names`, `Or ask for an API key for your ${yours}`]
    })
  if (!isBound(binding.agent_id, agent_id)) {
    const allowed = isPrefix(binding.agent_id)
      ? `a name that begins with ${JSON.stringify(binding.agent_id.slice(0, -1))}`
      : JSON.stringify(binding.agent_id)
    throw refusal('an agent of that name', 'agent_id', allowed, 'name')
  }
  if (agent_type !== undefined && agent_type !== binding.agent_type)
    throw refusal('agents of that type', 'agent_type', JSON.stringify(binding.agent_type), 'type')
  return binding.agent_type
}

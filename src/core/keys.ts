import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { DEFAULT_WORKSPACE, type Permission } from './agent.js'
import type { Keys } from './service.js'

const AGENT: readonly Permission[] = ['read', 'write']
const ADMIN: readonly Permission[] = ['read', 'write', 'admin']

/**
 * The shared keys of the configuration. A key given is compared by its HMAC under a key of this process, so that neither its
 * length nor where it differs shows in the time; all keys are compared every time.
 */
export function sharedKeys (api_key: string | undefined, admin_api_key: string | undefined): Keys {
  const salt = randomBytes(32)
  const digest = (key: string) => createHmac('sha256', salt).update(key).digest()
  const known = [
    ...(admin_api_key !== undefined ? [{ digest: digest(admin_api_key), permissions: ADMIN }] : []),
    ...(api_key !== undefined ? [{ digest: digest(api_key), permissions: AGENT }] : [])
  ]
  return {
    allows (key) {
      const given = digest(key)
      const matching = known.filter(k => timingSafeEqual(k.digest, given))
      return matching[0] !== undefined ? { workspace: DEFAULT_WORKSPACE, permissions: matching[0].permissions } : undefined
    }
  }
}

import { createHash, randomBytes } from 'node:crypto'
import type { Permission } from '../kernel/agent.js'

/**
 * A key of an agent's own: `scs_`, its public id, and 256 random bits. It is looked up by the id and kept as the
 * SHA-256 of the whole, which is enough for what cannot be guessed. Keys that were generated for a data folder begin
 * alike, and are shorter.
 */

const KEY = /^scs_([0-9a-f]{16})_[\w-]{43}$/

/** What is kept of a key, but for its hash. */
export interface ApiKey {
  workspace: string
  key_id: string
  /** An agent_id, or with `*` at its end what agent_ids begin with. */
  agent_id: string
  agent_type: string
  permissions: Permission[]
  /** null: all of the workspace. */
  sessions: string[] | null
  created_at: string
  /** Who made it, and the key that one had; null by command, and by a shared key. */
  created_by: string | null
  created_with: string | null
  expires_at: string | null
  revoked_at: string | null
}

/** @returns the key, to be shown once, and what is kept of it */
export function newApiKey(): { api_key: string; key_id: string; hash: Buffer } {
  const id = randomBytes(8).toString('hex')
  const api_key = `scs_${id}_${randomBytes(32).toString('base64url')}`
  return { api_key, key_id: `key_${id}`, hash: hashApiKey(api_key) }
}

export function hashApiKey(api_key: string): Buffer {
  return createHash('sha256').update(api_key).digest()
}

/** The id in a key; undefined for what is none. */
export function keyIdOf(text: string): string | undefined {
  const id = KEY.exec(text)?.[1]
  return id === undefined ? undefined : `key_${id}`
}

/** Whether a key's binding lets an agent go by that name. */
export function isBound(binding: string, agent_id: string): boolean {
  return binding.endsWith('*') ? agent_id.startsWith(binding.slice(0, -1)) : agent_id === binding
}

export function isPrefix(binding: string): boolean {
  return binding.endsWith('*')
}

import { createHash, randomBytes } from 'node:crypto'
import type { Selectable } from 'kysely'
import { composed } from '../kernel/text.js'
import type { Schema } from '../postgres/schema.js'

/**
 * An agent's own API key: `scs_`, its public id, and 256 random bits. The database finds it by the id and stores the
 * SHA-256 of the whole key, which is enough for a secret that cannot be guessed. The generated shared keys start alike
 * but are shorter.
 */

const KEY = /^scs_([0-9a-f]{16})_[\w-]{43}$/

/** The stored data of a key, without its hash. */
export type ApiKey = Omit<Selectable<Schema['api_keys']>, 'hash'>

/** @returns the key, to be shown once, with the id and hash to store */
export function newApiKey(): { api_key: string; key_id: string; hash: Buffer } {
  const id = randomBytes(8).toString('hex')
  const api_key = `scs_${id}_${randomBytes(32).toString('base64url')}`
  return { api_key, key_id: `key_${id}`, hash: hashApiKey(api_key) }
}

export function hashApiKey(api_key: string): Buffer {
  return createHash('sha256').update(api_key).digest()
}

/** The id in a key; undefined if the text is not a key. */
export function keyIdOf(text: string): string | undefined {
  const id = KEY.exec(text)?.[1]
  return id === undefined ? undefined : `key_${id}`
}

/** Whether a key with this binding may be used for the agent_id, however the accents of the two were typed. */
export function isBound(binding: string, agent_id: string): boolean {
  const name = composed(agent_id)
  return isPrefix(binding) ? name.startsWith(composed(binding.slice(0, -1))) : name === composed(binding)
}

export function isPrefix(binding: string): boolean {
  return binding.endsWith('*')
}

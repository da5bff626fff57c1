import type { Caller } from '../connect/call.js'
import { KEY_VARIABLE } from '../connect/entries.js'
import { readProfile } from './profile.js'
import { DEFAULT_URL } from './server-address.js'

/**
 * Who calls from here: the profile that is named, else the environment, else the profile of the first name that has
 * one, else the profile `default`.
 * @param name what the agent is called where only a shared key is given
 */
export async function callerFromHere(profile: string | undefined, name?: string): Promise<Caller | undefined> {
  const { SHARED_CONTEXT_URL = DEFAULT_URL, SHARED_CONTEXT_AGENT_ID, [KEY_VARIABLE]: api_key } = process.env
  if (profile !== undefined) return readProfile(profile)
  if (api_key === undefined || api_key === '')
    return (name === undefined ? undefined : await readProfile(name).catch(() => undefined)) ?? readProfile()
  // A key of one agent's own says whose it is.
  const isOwn = /^scs_[0-9a-f]{16}_/.test(api_key)
  const agent_id = SHARED_CONTEXT_AGENT_ID ?? (isOwn ? undefined : (name ?? 'doctor'))
  const url = SHARED_CONTEXT_URL.replace(/\/+$/, '').replace(/\/mcp$/, '')
  return { url, api_key, ...(agent_id !== undefined && { agent_id }) }
}

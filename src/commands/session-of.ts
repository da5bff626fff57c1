import type { SharedContext } from '../../clients/typescript/src/index.js'
import { composed } from '../kernel/text.js'
import { CommandError } from './command.js'

/** A session on the command line is its id, or its key. */
export const EITHER = '<session> is its id or its key.'

/** The most sessions that one call lists. */
const PAGE = 200

export function isSessionId(text: string): boolean {
  return /^session_[0-9a-f]{16}$/.test(text)
}

/** A key as the server keeps it. */
export function keyOf(text: string): string {
  return composed(text.trim())
}

/**
 * The id of the session that the text means. An id is not looked up: the call that uses it does.
 *
 * No call of the server looks up a key without opening a session. So this reads the lists of sessions until it meets
 * the key.
 * @throws CommandError if no session that the caller may see has the key
 */
export async function sessionOf<T extends string | undefined>(client: SharedContext, text: T): Promise<T | string> {
  if (text === undefined || isSessionId(text)) return text
  const key = keyOf(text)
  for (const archived of [false, true])
    for await (const session of client.each('list_sessions', { archived, limit: PAGE }))
      if (session.key === key) return session.id
  throw new CommandError(
    `There is no session '${text}' that you may see: neither an id nor a key. ` +
      'The commands session list and session list --archived show both.'
  )
}

import type { Redact, Redacted, TextArgument } from '../kernel/text-arguments.js'
import { MESSAGE_TEXTS, SESSION_TEXTS, type Transcript } from './transcript.js'

export interface LookedThrough {
  transcript: Transcript
  /** What has been found so far, for the audit row; undefined: nothing. All of it once the messages have been read. */
  found: () => Redacted['audit'] | undefined
}

/** Looks through a session for secrets before it is imported. @param redact undefined: nobody wants that */
export function lookThrough({ session, messages }: Transcript, redact: Redact | undefined): LookedThrough {
  let found: Redacted['audit'] | undefined
  function looked<T extends object>(fields: T, texts: readonly TextArgument[]): T {
    const redacted = redact?.(fields as Record<string, unknown>, texts)
    if (redacted === undefined) return fields
    const secrets = { ...found?.secrets }
    for (const [kind, times] of Object.entries(redacted.audit.secrets)) secrets[kind] = (secrets[kind] ?? 0) + times
    found = { ...redacted.audit, secrets }
    return redacted.input as T
  }
  async function* all(): typeof messages {
    for await (const message of messages) yield looked(message, MESSAGE_TEXTS)
  }
  return { transcript: { session: looked(session, SESSION_TEXTS), messages: all() }, found: () => found }
}

import type { HookMoment, HookSettings } from './hooks.js'

/** What the coding agent reads from the hook's standard output. */
export function hookAnswer({ events, blocks }: HookSettings, moment: HookMoment, text: string): string {
  return JSON.stringify(
    moment === 'stop'
      ? { decision: blocks, reason: `${text}\n\n${AFTER}\n\n${STOP}` }
      : { hookSpecificOutput: { hookEventName: events[moment], additionalContext: `${text}\n\n${AFTER}` } }
  )
}

const AFTER =
  'To answer, call add_message of shared-context with the session_id and, as parent_message_id, the number. ' +
  'ack_messages tells the senders that you take care of it.'
const STOP = 'If nothing of this needs you now, say so and stop.'

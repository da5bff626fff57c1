import { AppError } from '../kernel/errors.js'

/** How much there may be of what is stored; 0: any amount. */
export interface Quotas {
  /** Sessions of a workspace. */
  sessions: number
  /** Numbers given in a session: its messages, and its later changes. */
  session_messages: number
  /** Bytes written into a session: content and metadata of its messages. */
  session_bytes: number
  /** Values an agent remembers. */
  memory_entries: number
  /** Bytes of their keys, values and metadata. */
  memory_bytes: number
  /** Tasks of a workspace that are not done. */
  tasks: number
}

/** What is full, and what the caller can do. */
const words: Record<keyof Quotas, [full: string, advice: string]> = {
  sessions: [
    'The workspace has as many sessions as it may have',
    'Call list_sessions and go on in a session that is there'
  ],
  session_messages: [
    'The session would have more messages and changes than a session may have',
    'Call create_session and go on in the new session'
  ],
  session_bytes: [
    'More bytes would be written into the session than a session may hold',
    'Call create_session and go on in the new session'
  ],
  memory_entries: [
    'This agent would remember more values than an agent may',
    'Call list_memory to see what is there, and delete_memory for what is no longer needed; ' +
      'expires_in makes a value go by itself'
  ],
  memory_bytes: [
    'This agent would remember more bytes than an agent may',
    'Call list_memory to see what is there and how large it is, and delete_memory for what is no longer needed'
  ],
  tasks: [
    'The workspace would have more tasks that are not done than it may',
    'Call list_tasks to see them, and cancel_task for what is no longer needed; those that are completed do not count'
  ]
}

const NAMES = Object.keys(words) as Array<keyof Quotas>

/** As the configuration has them. */
export function quotasOf(config: { [name in keyof Quotas as `quota_${name}`]: number }): Quotas {
  return Object.fromEntries(NAMES.map(name => [name, config[`quota_${name}`]])) as Record<keyof Quotas, number>
}

export const NO_QUOTAS: Quotas = Object.fromEntries(NAMES.map(name => [name, 0])) as Record<keyof Quotas, number>

/** @param advice for a case in which the usual advice does not help */
export function quotaExceeded(quota: keyof Quotas, quotas: Quotas, advice = words[quota][1]): AppError {
  const limit = quotas[quota]
  return new AppError('QUOTA_EXCEEDED', `${words[quota][0]}: ${limit}.`, {
    context: { quota, limit },
    suggestions: [advice, `The operator of this server can raise QUOTA_${quota.toUpperCase()}`]
  })
}

/** Whether a quota is set and an amount lies beyond it. */
export function isBeyond(quota: keyof Quotas, amount: number, quotas: Quotas): boolean {
  return quotas[quota] !== 0 && amount > quotas[quota]
}

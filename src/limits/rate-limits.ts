import { networkOf } from '../kernel/network.js'
import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Limited, RateLimitStatus } from '../kernel/rate-limit-status.js'

/*
 * Rate limits: how many calls a minute one agent, one key and one address may make, on all replicas together. Here is
 * what counts for which limit, and what a caller beyond it is told. store/rate-limits.ts counts.
 */

/** 0: not limited. */
export type PerMinute = Readonly<Record<Limited, number>>

/** Takes calls from what is left. If too little is left, it refuses and takes nothing. */
export type Take = (
  of: Limited,
  workspace: string,
  subject: string,
  count: number
) => RateLimitStatus | Promise<RateLimitStatus>

/** Gets the caller's rate-limit status, also before the call is refused. */
export type Told = ((status: RateLimitStatus) => void) | undefined

export interface Limits {
  /** Counts a call for its agent and for its key. @throws AppError RATE_LIMITED */
  call: (agent: Agent, told: Told) => void | Promise<void>
  /** Counts requests for their address. @throws AppError RATE_LIMITED */
  request: (address: string, told: Told, count?: number) => void | Promise<void>
  /**
   * An MCP session that is opened. With good credentials it counts for their key and workspace: one address may hide
   * hundreds of clients. Without (null) it counts for the address.
   * @throws AppError RATE_LIMITED
   */
  initialize: (agent: Agent | null, address: string, told: Told) => void | Promise<void>
  /**
   * Counts a wrong key or token for its address.
   * @returns how many more are answered this minute
   * @throws AppError RATE_LIMITED
   */
  failure: (address: string, told: Told) => Promise<number>
}

/** Stands for the key of callers with a key of the configuration, and of callers without a key. */
const SHARED_KEY = 'shared'
/** Addresses belong to no workspace. */
const NO_WORKSPACE = ''

/** Counts two or three times for every request, usually without waiting. */
export function createLimits(take: Take, per_minute: PerMinute): Limits {
  type Status = RateLimitStatus | undefined

  function admit(of: Limited, workspace: string, subject: string, count: number, told: Told): Status | Promise<Status> {
    if (per_minute[of] === 0) return undefined
    return then(take(of, workspace, subject, count), status => {
      told?.(status)
      if (!status.admitted) throw rateLimited(status)
      return status
    })
  }

  function ofAddress(of: Limited, address: string, told: Told, count = 1): Status | Promise<Status> {
    return admit(of, NO_WORKSPACE, networkOf(address), count, told)
  }

  return {
    call: ({ workspace, agent_id, key_id = SHARED_KEY }, told) =>
      then(admit('agent', workspace, agent_id, 1, told), () =>
        then(admit('key', workspace, key_id, 1, told), () => {})
      ),
    request: (address, told, count) => then(ofAddress('address', address, told, count), () => {}),
    initialize(agent, address, told) {
      if (agent === null) return then(ofAddress('initialize', address, told), () => {})
      const { workspace, key_id = SHARED_KEY } = agent
      return then(admit('initialize_key', workspace, key_id, 1, told), () =>
        then(admit('initialize_workspace', workspace, workspace, 1, told), () => {})
      )
    },
    failure: async (address, told) => (await ofAddress('failure', address, told))?.remaining ?? Infinity
  }
}

/** Goes on at once if there is nothing to wait for. */
function then<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

const words: Record<Limited, string> = {
  agent: 'This agent has made as many calls as it may within a minute',
  key: 'The callers with this API key have made as many calls as they may within a minute',
  address: 'As many requests have come from this address as may within a minute',
  failure: 'Too many wrong keys or tokens have come from this address within a minute',
  initialize: 'As many MCP sessions have been opened from this address as may within a minute',
  initialize_key: 'As many MCP sessions have been opened with this API key as may within a minute',
  initialize_workspace: 'As many MCP sessions have been opened in this workspace as may within a minute'
}

const FEWER_CALLS =
  'Do more with one call: add_messages writes up to 100 messages, ' +
  'wait_for_messages waits for what comes instead of asking again and again'
const KEEP_SESSION = 'Keep the Mcp-Session-Id that initialize answered, and go on with it'

/** What is better than to call again at once. */
const advice: Record<Limited, string> = {
  agent: FEWER_CALLS,
  key: FEWER_CALLS,
  address:
    'Ask the operator of this server whether RATE_LIMIT_ADDRESS_PER_MINUTE fits, and TRUST_PROXY if there is a proxy',
  failure: 'Check the key or token before it is sent again; a right one is taken all the same',
  initialize: KEEP_SESSION,
  initialize_key: KEEP_SESSION,
  initialize_workspace: KEEP_SESSION
}

function rateLimited({ of, limit, reset_s }: RateLimitStatus): AppError {
  return new AppError('RATE_LIMITED', `${words[of]}: ${limit}.`, {
    context: { limit_of: of, limit, window_seconds: 60 },
    suggestions: ['Wait retry_after seconds and call again', advice[of]],
    retry_after: reset_s
  })
}

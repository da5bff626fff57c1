import type { AuthenticateAgentOutput } from './generated/tools.js'
import { orAborted, TIMER_MAX_MS, unref } from './pause.js'
import type { ClientOptions, TokenState } from './options.js'
import { RefusedError, SharedContextError } from './refused-error.js'
import { backoff, mayPass } from './retry.js'

/** Calls a tool with these headers. */
type Post = (tool: string, input: Record<string, unknown>, headers: Record<string, string>) => Promise<unknown>

/** After these it helps to get another token, once. */
const STALE = new Set(['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'INVALID_TOKEN'])
/** A new token is got when so much of the life of the old one is left. */
const RENEWAL_SHARE = 0.2
/** Where a token does not say when it ends. */
const FAR_AHEAD_MS = 365 * 86_400_000

interface Held extends Partial<TokenState> {
  token: string
  renewAt: number
  expiresAt: number
}

/** How the client shows who it is: it gets tokens, holds them and replaces them in time. */
export class Credentials {
  private held: Held | undefined
  private renewal: Promise<Held> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private isClosed = false

  constructor(
    private readonly options: ClientOptions,
    private readonly post: Post
  ) {
    const { apiKey, token, agentId, exchangeKey } = options
    if (apiKey !== undefined && token !== undefined) throw new TypeError('Pass apiKey or token, not both.')
    if (apiKey !== undefined && agentId === undefined && exchangeKey !== false)
      throw new TypeError('Pass agentId with apiKey: the token is for one agent.')
    for (const secret of [apiKey, token])
      if (typeof secret === 'string' && !/^[\x21-\x7e]+$/.test(secret))
        throw new TypeError('A key or token is a text of ASCII without spaces: is a variable not set, or quoted twice?')
    if (typeof token !== 'string') return
    this.held = held({ token, expiresAt: endOf(token) })
    this.schedule(this.held.renewAt)
  }

  /** What the service granted with the token that is held; undefined if it did not say. */
  get state(): TokenState | undefined {
    const { token, agent_id, agent_type, permissions, expiresAt } = this.held ?? {}
    if (token === undefined || agent_id === undefined || expiresAt === undefined) return undefined
    return { token, agent_id, agent_type: agent_type ?? '', permissions: permissions ?? [], expiresAt }
  }

  /** The headers of the next request. @throws SharedContextError if no token can be got; the signal's reason */
  async headers(signal?: AbortSignal): Promise<Record<string, string>> {
    const { apiKey, token, exchangeKey, agentId, agentType } = this.options
    if (apiKey !== undefined && exchangeKey === false)
      return {
        'x-api-key': apiKey,
        ...(agentId !== undefined && { 'x-agent-id': headerValue(agentId) }),
        ...(agentType !== undefined && { 'x-agent-type': headerValue(agentType) })
      }
    if (apiKey === undefined && token === undefined)
      return agentId === undefined ? {} : { 'x-agent-id': headerValue(agentId) }
    return { authorization: `Bearer ${(await this.current(signal)).token}` }
  }

  /**
   * Whether another try may go better: the service refused the token that was sent, and another one is there now.
   * @throws SharedContextError if no other token can be got
   */
  async replaced(error: unknown, sent: Record<string, string>, signal?: AbortSignal): Promise<boolean> {
    if (!(error instanceof RefusedError) || !STALE.has(error.code) || sent.authorization === undefined) return false
    if (typeof this.options.token === 'string' && this.options.refreshToken !== true) return false
    // Others were refused with the same token, and one of them has got a new one.
    if (sent.authorization !== `Bearer ${this.held?.token}`) return true
    // The exchange that is under way has ended the old token.
    if (typeof this.options.token === 'string' && this.renewal === undefined) return false
    await orAborted(this.renew(), signal)
    return true
  }

  /** Stops what goes on in the background. */
  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
  }

  /**
   * A token that can only be exchanged while it lives must be so also while no call asks for one: an event stream may
   * be all that uses it.
   */
  private schedule(renewAt: number): void {
    if (this.options.refreshToken !== true || this.isClosed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(
      () => {
        this.renew().catch((error: unknown) => {
          if (mayPass(error)) this.schedule(Date.now() + backoff(1, error))
        })
      },
      Math.min(TIMER_MAX_MS, Math.max(0, renewAt - Date.now()))
    )
    unref(this.timer)
  }

  private async current(signal?: AbortSignal): Promise<Held> {
    const { held } = this
    const now = Date.now()
    if (held !== undefined && (now < held.renewAt || !this.renews)) return held
    try {
      return await orAborted(this.renew(), signal)
    } catch (error) {
      // The old one is still good for a while, and the service may be back before it ends.
      if (held !== undefined && now < held.expiresAt && error instanceof SharedContextError) return held
      throw error
    }
  }

  private get renews(): boolean {
    return typeof this.options.token !== 'string' || this.options.refreshToken === true
  }

  /** Gets a token; many that ask at once share one. */
  private renew(): Promise<Held> {
    this.renewal ??= this.fetched().then(
      fresh => {
        this.held = fresh
        this.renewal = undefined
        this.schedule(fresh.renewAt)
        const { state } = this
        if (state !== undefined) this.options.onToken?.(state)
        return fresh
      },
      (error: unknown) => {
        this.renewal = undefined
        throw error
      }
    )
    return this.renewal
  }

  private async fetched(): Promise<Held> {
    const { token, apiKey = '' } = this.options
    if (typeof token === 'function') {
      const got = await token()
      return held({ token: got, expiresAt: endOf(got) })
    }
    const began = Date.now()
    const answer = (
      typeof token === 'string'
        ? await this.post('refresh_token', {}, { authorization: `Bearer ${this.held?.token ?? token}` })
        : await this.post('authenticate_agent', this.request(), { 'x-api-key': apiKey })
    ) as AuthenticateAgentOutput
    const { agent_id, agent_type, permissions, expires_in } = answer
    return held({ token: answer.token, agent_id, agent_type, permissions, expiresAt: began + expires_in * 1000 })
  }

  private request(): Record<string, unknown> {
    const { agentId, agentType = 'custom', permissions, sessions } = this.options
    return {
      agent_id: agentId,
      agent_type: agentType,
      ...(permissions !== undefined && { requested_permissions: permissions }),
      ...(sessions !== undefined && { sessions })
    }
  }
}

function held(state: Omit<Held, 'renewAt'>): Held {
  const now = Date.now()
  return { ...state, renewAt: now + (state.expiresAt - now) * (1 - RENEWAL_SHARE) }
}

/** The service reads names as UTF-8; a header's text is its bytes. */
function headerValue(name: string): string {
  return Array.from(new TextEncoder().encode(name), byte => String.fromCharCode(byte)).join('')
}

/** When a JWT ends, in milliseconds since 1970; far ahead if it does not say. The service decides, not this. */
function endOf(token: string): number {
  try {
    const text = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))
    const { exp } = JSON.parse(text) as { exp?: unknown }
    if (typeof exp === 'number') return exp * 1000
  } catch {
    // Not a JWT.
  }
  return Date.now() + FAR_AHEAD_MS
}

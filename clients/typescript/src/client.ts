import { Credentials } from './credentials.js'
import { type EventsOptions, EventStream } from './events.js'
import { Follower, type FollowOptions } from './follow.js'
import { ToolMethods } from './generated/methods.js'
import { LISTS, ONCE, TAKES_KEY, type Tools } from './generated/tools.js'
import { Lease, type LeaseOptions } from './lease.js'
import type { CallOptions, ClientOptions, TokenState } from './options.js'
import { withRetries } from './retry.js'
import { post, type Wire, wireTo } from './transport.js'
import { type ClaimedTask, work, type WorkOptions } from './work.js'

/** Where a client looks for the service. */
export const DEFAULT_URL = 'http://127.0.0.1:23456'
const TIMEOUT_MS = 30_000
const TRIES = 6

/** The tools that answer page after page. */
export type ListName = keyof typeof LISTS
/** What such a tool lists. */
export type Item<N extends ListName> = Tools[N]['output'] extends Record<(typeof LISTS)[N], Array<infer I>> ? I : never

/**
 * One agent's connection to the service: a method for each tool, and what takes several calls. It holds no connection
 * open between calls, and many calls may run at a time.
 *
 * Every call throws `RefusedError` (of a class for its code) if the service refuses it, `UnreachableError` if nobody
 * answers, and the signal's reason if its signal aborts.
 */
export class SharedContext extends ToolMethods {
  /** The address of the service. */
  readonly url: string
  private readonly wire: Wire
  private readonly credentials: Credentials
  private readonly options: ClientOptions

  /** @throws TypeError if the options cannot be used */
  constructor(options: ClientOptions = {}) {
    super()
    this.options = options
    this.wire = wireTo(options.url ?? DEFAULT_URL, options.fetch)
    this.url = this.wire.base.href
    this.credentials = new Credentials(options, (tool, input, headers) =>
      this.send(tool, JSON.stringify(input), headers, {}, options.tries ?? TRIES)
    )
  }

  /** The token that the client has got, and what it may do; undefined before the first call, and for ready tokens. */
  get identity(): TokenState | undefined {
    return this.credentials.state
  }

  /** Stops renewing the token in the background, which only a client with `refreshToken` does. Calls still work. */
  close(): void {
    this.credentials.close()
  }

  /**
   * Calls a tool by its name. Prefer the methods: they say what they do. While the service is away or busy, the call is
   * tried again; what writes has an idempotency_key then, so that it happens once.
   */
  override async call<N extends keyof Tools>(
    name: N,
    input: Tools[N]['input'],
    options: CallOptions = {}
  ): Promise<Tools[N]['output']> {
    // All tries have the same key, and the same body.
    const keyed =
      TAKES_KEY.has(name) && !onlyReads(name, input) ? { idempotency_key: newKey(), ...defined(input) } : input
    const body = JSON.stringify(keyed)
    const tries = ONCE.has(name) ? 1 : (options.tries ?? this.options.tries ?? TRIES)
    const headers = await this.credentials.headers(options.signal)
    const call = (sent: Record<string, string>) => this.send(name, body, sent, { ...options, ...waitOf(input) }, tries)
    try {
      return (await call(headers)) as Tools[N]['output']
    } catch (error) {
      if (!(await this.credentials.replaced(error, headers, options.signal))) throw error
      return (await call(await this.credentials.headers(options.signal))) as Tools[N]['output']
    }
  }

  /** The items of a list, page after page, as far as the loop goes. */
  async *each<N extends ListName>(
    name: N,
    input: Tools[N]['input'] = {},
    options?: CallOptions
  ): AsyncGenerator<Item<N>, void> {
    for await (const page of this.pages(name, input, options)) {
      const fields: object = page
      yield* (fields as Record<string, Array<Item<N>>>)[LISTS[name]] ?? []
    }
  }

  /** The answers of a list, page after page, as far as the loop goes. */
  async *pages<N extends ListName>(
    name: N,
    input: Tools[N]['input'] = {},
    options?: CallOptions
  ): AsyncGenerator<Tools[N]['output'], void> {
    for (let cursor: string | null | undefined = input.cursor; cursor !== null;) {
      const page: { next_cursor: string | null } = await this.call(name, { ...input, cursor }, options)
      yield page as Tools[N]['output']
      cursor = page.next_cursor
    }
  }

  /**
   * Follows a session: each message that the agent may see comes once, in order. It goes on while the service restarts,
   * and ends when the session is closed, when the loop is left, or when the signal aborts.
   */
  follow(session_id: string, options: FollowOptions = {}): Follower {
    return new Follower(this, session_id, options)
  }

  /**
   * Opens an event stream, of one session or of all: messages, and everything else that changes. It comes back after
   * the last event while the service restarts.
   */
  events(options: EventsOptions = {}): EventStream {
    return new EventStream({ wire: this.wire, credentials: this.credentials }, options)
  }

  /**
   * Holds one name or several, all or none, and renews the hold in the background. Give it up with `release`, or let
   * `await using` do so.
   *
   * If an answer of the service is lost, the names may be this agent's already, under a token that nobody knows. They
   * are then asked for until that lease has ended, `ttlSeconds` at most; a signal ends this, too.
   * @throws LeaseHeldError if somebody else still holds one after `waitSeconds`
   * @throws LeaseLostError if the answer came so late that somebody else may have the names by then
   */
  lease(names: string | readonly string[], options: LeaseOptions = {}): Promise<Lease> {
    const list = typeof names === 'string' ? [names] : [...names]
    const { tries = TRIES, agentId } = this.options
    return Lease.acquire(this, list, options, { tries, agentId })
  }

  /** Does something while it holds names. The signal of the lease aborts if it is lost meanwhile. */
  async withLease<T>(
    names: string | readonly string[],
    run: (lease: Lease) => T | Promise<T>,
    options?: LeaseOptions
  ): Promise<T> {
    const lease = await this.lease(names, options)
    try {
      return await run(lease)
    } finally {
      await lease.release()
    }
  }

  /**
   * Claims tasks, one after the other, and waits where there is none. Each is held, and the hold renewed, until it is
   * completed, failed or released. A task about which the loop says nothing counts as failed.
   * @param where a session's id, or its key: the session is opened if there is none. Left out: the tasks of any session
   */
  work(where?: string, options: WorkOptions = {}): AsyncGenerator<ClaimedTask, void> {
    return work(this, where, options)
  }

  private send(
    tool: string,
    body: string,
    headers: Record<string, string>,
    { signal, timeoutMs = this.options.timeoutMs ?? TIMEOUT_MS, waitMs = 0 }: CallOptions & { waitMs?: number },
    tries: number
  ): Promise<unknown> {
    return withRetries(
      () => post(this.wire, `mcp/tool/${tool}`, body, { headers, signal, timeoutMs: timeoutMs + waitMs }),
      { tries, signal }
    )
  }
}

/** What a call waits for by its own arguments, in milliseconds. */
function waitOf(input: object): { waitMs: number } {
  const { timeout_seconds, wait_seconds } = input as { timeout_seconds?: number; wait_seconds?: number }
  return { waitMs: (timeout_seconds ?? wait_seconds ?? 0) * 1000 }
}

/** Whether a batch only reads: with a key the service would keep its answer, and so write what was read. */
function onlyReads(tool: string, input: object): boolean {
  const { operations } = input as { operations?: ReadonlyArray<{ op?: unknown }> }
  return tool === 'batch_memory' && operations?.every(({ op }) => op === 'get' || op === 'list') === true
}

/** Without what is undefined, which would hide a default of ours. */
function defined(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}

/** Browsers have `randomUUID` only on pages that came over HTTPS or from this machine. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}

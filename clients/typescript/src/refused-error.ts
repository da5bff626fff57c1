/** The object that the service answers instead of an answer. */
export interface ErrorBody {
  error: string
  code: string
  severity?: 'warning' | 'error' | 'critical'
  recoverable?: boolean
  suggestions?: string[]
  request_id?: string
  context?: Record<string, unknown>
  retry_after?: number
}

/** What a call can end with: the service refused it, or did not answer it. */
export abstract class SharedContextError extends Error {
  /** For programs: a code of the service, or `UNREACHABLE`. */
  abstract readonly code: string
  /** What to do next, in words for whoever decides that. */
  abstract readonly suggestions: readonly string[]
  /** Whether the same call may succeed soon. The client has then tried several times already. */
  abstract readonly mayPass: boolean
  /** Seconds after which it may succeed, if the service said so. */
  abstract readonly retryAfter: number | undefined
}

/** After these it helps to wait and call again. */
const PASSING = new Set(['SERVICE_UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'RATE_LIMITED', 'CONFLICT'])

/** The service refused a call. Each code has a class of its own. */
export class RefusedError extends SharedContextError {
  readonly code: string
  readonly suggestions: readonly string[]
  readonly mayPass: boolean
  readonly retryAfter: number | undefined
  /** What the call met, such as `{ argument, given, allowed }`. */
  readonly context: Readonly<Record<string, unknown>>
  /** Names the call in the log of the service. */
  readonly requestId: string | undefined
  /** The HTTP status of the answer. */
  readonly status: number

  constructor(body: ErrorBody, status: number) {
    super(body.error)
    this.name = new.target.name
    this.code = body.code
    this.suggestions = body.suggestions ?? []
    this.mayPass = PASSING.has(body.code)
    this.retryAfter = body.retry_after
    this.context = body.context ?? {}
    this.requestId = body.request_id
    this.status = status
  }
}

/** Nobody answered, or somebody else than the service: a gateway, a proxy, another program. */
export class UnreachableError extends SharedContextError {
  override readonly name = 'UnreachableError'
  readonly code = 'UNREACHABLE'
  readonly suggestions: readonly string[]
  readonly mayPass: boolean
  readonly retryAfter: number | undefined
  /** The HTTP status, if somebody answered. */
  readonly status: number | undefined

  constructor(
    message: string,
    more: {
      suggestions: string[]
      mayPass: boolean
      status?: number
      retryAfter?: number | undefined
      cause?: unknown
    }
  ) {
    super(message, { cause: more.cause })
    this.suggestions = more.suggestions
    this.mayPass = more.mayPass
    this.status = more.status
    this.retryAfter = more.retryAfter
  }
}

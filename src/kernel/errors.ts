import { type ErrorCode, errorKinds, type Severity } from './error-kinds.js'

export { type ErrorCode, errorKinds }

export type ErrorContext = Record<string, unknown>

/** An expected failure, whose words the caller reads. The caller reads INTERNAL_ERROR for anything else thrown. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly context: ErrorContext | undefined
  readonly suggestions: readonly string[]
  readonly retry_after: number | undefined
  /** Where its audit row belongs, if the call got so far that this is known and its agent is not. */
  readonly workspace: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      context?: ErrorContext
      suggestions?: string[]
      retry_after?: number
      cause?: unknown
      workspace?: string
    } = {}
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.context = more.context
    this.suggestions = more.suggestions ?? errorKinds[code].suggestions
    this.retry_after = more.retry_after ?? errorKinds[code].retry_after
    this.workspace = more.workspace
  }

  get status(): number {
    return errorKinds[this.code].status
  }
}

/** The body of every failure, on both fronts. */
export interface ErrorBody {
  success: false
  error: string
  code: ErrorCode
  severity: Severity
  recoverable: boolean
  suggestions: string[]
  timestamp: string
  request_id: string
  context?: ErrorContext
  retry_after?: number
}

export function errorBody(error: AppError, request_id: string): ErrorBody {
  const { severity, recoverable } = errorKinds[error.code]
  return {
    success: false,
    error: error.message,
    code: error.code,
    severity,
    recoverable,
    suggestions: [...error.suggestions],
    timestamp: new Date().toISOString(),
    request_id,
    ...(error.context !== undefined && { context: error.context }),
    ...(error.retry_after !== undefined && { retry_after: error.retry_after })
  }
}

export function internalError(cause: unknown): AppError {
  return new AppError('INTERNAL_ERROR', 'Something went wrong inside the server.', { cause })
}

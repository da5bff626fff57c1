/**
 * The error table of docs/semantics.md, Errors. Every sentence a caller reads comes from this repository: texts of the
 * database or of a library can leak data, and a model may obey what it reads in them.
 */

export type Severity = 'warning' | 'error' | 'critical'

interface ErrorKind {
  status: number
  severity: Severity
  /** Whether the caller can get past it by itself: other arguments, other credentials, or waiting. */
  recoverable: boolean
  /** What a model could do next, unless the place that throws knows better. */
  suggestions: readonly string[]
  /** Seconds to wait, where waiting helps. */
  retry_after?: number
  /** One line for docs/troubleshooting.md. */
  meaning: string
}

const kinds = {
  INVALID_INPUT: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'An argument is missing, unknown, of the wrong type or out of range; `context` names it.',
    suggestions: ['Correct the argument named in context and call again']
  },
  INVALID_JSON: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'The request body is not a JSON object in UTF-8.',
    suggestions: ['Send the arguments as one JSON object, encoded in UTF-8']
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    severity: 'warning',
    recoverable: true,
    meaning: 'The request body is not declared as JSON.',
    suggestions: ['Send the header Content-Type: application/json']
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    severity: 'warning',
    recoverable: true,
    meaning:
      'The request body is larger than BODY_LIMIT, or than 512 KiB where no header brings good credentials, or it holds more than 100 000 JSON values or 12 000 names of fields.',
    suggestions: ['Split the content over several calls']
  },
  INVALID_API_KEY: {
    status: 401,
    severity: 'error',
    recoverable: true,
    meaning: 'The API key is missing or wrong.',
    suggestions: [
      "Pass the server's API key as api_key, or in the X-API-Key header",
      'Ask the operator of this server for the key'
    ]
  },
  AUTHENTICATION_REQUIRED: {
    status: 401,
    severity: 'error',
    recoverable: true,
    meaning: 'No credentials were given and the call needs some.',
    suggestions: [
      'Call authenticate_agent, then send its token as Authorization: Bearer <token>',
      'Or send the API key as X-API-Key together with X-Agent-Id: <your agent id>'
    ]
  },
  INVALID_TOKEN: {
    status: 401,
    severity: 'error',
    recoverable: true,
    meaning: 'The token is not one this server issued.',
    suggestions: ['Call authenticate_agent for a new token and send it as Authorization: Bearer <token>']
  },
  TOKEN_EXPIRED: {
    status: 401,
    severity: 'warning',
    recoverable: true,
    meaning: "The token's life is over.",
    suggestions: ['Call authenticate_agent for a new token; call refresh_token before expires_at next time']
  },
  TOKEN_REVOKED: {
    status: 401,
    severity: 'error',
    recoverable: true,
    meaning: 'The token was revoked, or replaced by refresh_token.',
    suggestions: ['Use the token that refresh_token returned, or call authenticate_agent for a new one']
  },
  PERMISSION_DENIED: {
    status: 403,
    severity: 'error',
    recoverable: false,
    meaning: 'The agent lacks the permission that `context.required_permission` names.',
    suggestions: [
      'Authenticate again with requested_permissions that include the required one, using a key that allows it'
    ]
  },
  SESSION_NOT_FOUND: {
    status: 404,
    severity: 'warning',
    recoverable: true,
    meaning: 'There is no such session, or the caller may not see it.',
    suggestions: ['Call list_sessions to find an existing session_id', 'Call create_session to open a new one']
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    severity: 'warning',
    recoverable: true,
    meaning: 'There is no such message, or the caller may not see it.',
    suggestions: ['Call get_messages to see the messages of the session and their ids']
  },
  API_KEY_NOT_FOUND: {
    status: 404,
    severity: 'warning',
    recoverable: true,
    meaning: 'There is no API key with that key_id, or the caller may not manage it.',
    suggestions: ['Call list_api_keys to see the keys you manage and their ids']
  },
  MEMORY_NOT_FOUND: {
    status: 404,
    severity: 'warning',
    recoverable: true,
    meaning: 'No value is stored under that key in that scope, or it has expired.',
    suggestions: [
      'Call list_memory with session_id "all" to see which keys exist in which scope',
      'Call set_memory to store a value'
    ]
  },
  TOOL_NOT_FOUND: {
    status: 404,
    severity: 'warning',
    recoverable: true,
    meaning: 'There is no tool, or no page, of that name.',
    suggestions: [
      'Call get_usage_guidance for what this server offers',
      'Read GET /openapi.json, or open /docs, for every tool and its arguments'
    ]
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    severity: 'warning',
    recoverable: true,
    meaning: 'The address exists, but not for that HTTP method.',
    suggestions: ['Call tools with POST /mcp/tool/<name>']
  },
  KEY_EXISTS: {
    status: 409,
    severity: 'warning',
    recoverable: true,
    meaning: 'set_memory with overwrite:false met a live key.',
    suggestions: ['Pass overwrite: true to replace the value', 'Call get_memory to read the value that is there']
  },
  SESSION_CLOSED: {
    status: 409,
    severity: 'warning',
    recoverable: true,
    meaning: 'The session is closed; it can be read, not written.',
    suggestions: [
      'Call create_session for a new session',
      'The creator or an admin can reopen it: update_session with is_active: true'
    ]
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    severity: 'warning',
    recoverable: true,
    meaning: 'The same idempotency_key came earlier with other arguments.',
    suggestions: [
      'Use a new idempotency_key for a new request',
      'Repeat the first request unchanged to get its answer again'
    ]
  },
  CONFLICT: {
    status: 409,
    severity: 'warning',
    recoverable: true,
    meaning: 'Somebody else changed the same thing at the same moment.',
    suggestions: ['Read the current state and try again'],
    retry_after: 1
  },
  INVALID_KEY: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'A memory key is empty, longer than 255 characters, or holds control characters.',
    suggestions: ['Use a key of 1 to 255 characters without control characters']
  },
  INVALID_METADATA: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'metadata is not an object, or is too large.',
    suggestions: ['Pass metadata as a JSON object of at most 50 keys and 10000 characters; put long texts into content']
  },
  INVALID_VISIBILITY: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'The visibility is not one that exists.',
    suggestions: ['Use one of: public, private, agent_only, admin_only']
  },
  INVALID_TTL: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'expires_in is not a whole number of seconds from 0 to 31536000.',
    suggestions: ['Pass expires_in in whole seconds, at most 31536000 (a year); 0 or no value keeps it for ever']
  },
  INVALID_DATETIME: {
    status: 400,
    severity: 'warning',
    recoverable: true,
    meaning: 'A time is not an ISO-8601 date or date-time.',
    suggestions: ['Use a date such as 2026-01-31, or a date-time such as 2026-01-31T09:30:00Z']
  },
  CONTENT_TOO_LARGE: {
    status: 413,
    severity: 'warning',
    recoverable: true,
    meaning: 'A text or a value is longer than its limit.',
    suggestions: ['Split the content over several calls, or store a shorter summary']
  },
  RATE_LIMITED: {
    status: 429,
    severity: 'warning',
    recoverable: true,
    meaning:
      'Too many calls in a short time, by the agent, with its key or from its address: `context.limit_of` says which.',
    suggestions: ['Wait retry_after seconds and call again'],
    retry_after: 1
  },
  QUOTA_EXCEEDED: {
    status: 429,
    severity: 'warning',
    recoverable: true,
    meaning:
      'As much is stored as may be; `context.quota` names what there is too much of, `context.limit` how much there may be.',
    suggestions: ['Delete what is no longer needed']
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    severity: 'error',
    recoverable: true,
    meaning:
      'The server is stopping, has too many requests in flight or too many bytes of request bodies, or the request took too long.',
    suggestions: ['Wait retry_after seconds and call again; with the same idempotency_key a write happens once'],
    retry_after: 1
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    severity: 'critical',
    recoverable: true,
    meaning: 'The database cannot be reached.',
    suggestions: ['Wait retry_after seconds and call again; with the same idempotency_key a write happens once'],
    retry_after: 2
  },
  INTERNAL_ERROR: {
    status: 500,
    severity: 'critical',
    recoverable: false,
    meaning: 'A fault of the server, logged under `request_id`.',
    suggestions: ['Report the request_id to the operator of this server', 'Try once more later']
  }
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof kinds
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds

export type ErrorContext = Record<string, unknown>

/** An expected failure: told to the caller as it is. Anything else that is thrown is told as INTERNAL_ERROR. */
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
    this.suggestions = more.suggestions ?? kinds[code].suggestions
    this.retry_after = more.retry_after ?? errorKinds[code].retry_after
    this.workspace = more.workspace
  }

  get status(): number {
    return kinds[this.code].status
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
  const { severity, recoverable } = kinds[error.code]
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

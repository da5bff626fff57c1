/**
 * The error table of docs/semantics.md, Errors. Every sentence a caller reads comes from this repository: texts of the
 * database or of a library can leak data, and a model may obey what it reads in them.
 */

export type Severity = 'warning' | 'error' | 'critical'

interface ErrorKind {
  status: number
  /** One line for docs/troubleshooting.md. */
  meaning: string
  /** What a model could do next, unless the place that throws knows better. */
  suggestions: readonly string[]
  severity: Severity
  /** Whether the caller can get past it by itself: other arguments, other credentials, or waiting. */
  recoverable: boolean
  /** Seconds to wait, where waiting helps. */
  retry_after?: number
}

function kind(
  status: number,
  meaning: string,
  suggestions: readonly string[],
  more: Partial<Pick<ErrorKind, 'severity' | 'recoverable' | 'retry_after'>> = {}
): ErrorKind {
  return { status, meaning, suggestions, severity: 'warning', recoverable: true, ...more }
}

const kinds = {
  INVALID_INPUT: kind(400, 'An argument is missing, unknown, of the wrong type or out of range; `context` names it.', [
    'Correct the argument named in context and call again'
  ]),
  INVALID_JSON: kind(400, 'The request body is not a JSON object in UTF-8.', [
    'Send the arguments as one JSON object, encoded in UTF-8'
  ]),
  UNSUPPORTED_MEDIA_TYPE: kind(415, 'The request body is not declared as JSON.', [
    'Send the header Content-Type: application/json'
  ]),
  PAYLOAD_TOO_LARGE: kind(
    413,
    'The request body is larger than BODY_LIMIT, or than 512 KiB where no header brings good credentials, ' +
      'or it holds more than 100 000 JSON values or 10 000 names of fields.',
    ['Split the content over several calls']
  ),
  INVALID_API_KEY: kind(
    401,
    'The API key is missing or wrong.',
    ["Pass the server's API key as api_key, or in the X-API-Key header", 'Ask the operator of this server for the key'],
    { severity: 'error' }
  ),
  AUTHENTICATION_REQUIRED: kind(
    401,
    'No credentials were given and the call needs some.',
    [
      'Call authenticate_agent, then send its token as Authorization: Bearer <token>',
      'Or send the API key as X-API-Key together with X-Agent-Id: <your agent id>',
      'The Python and TypeScript clients take the key from SHARED_CONTEXT_API_KEY, or as an option'
    ],
    { severity: 'error' }
  ),
  INVALID_TOKEN: kind(
    401,
    'The token is not one this server issued.',
    ['Call authenticate_agent for a new token and send it as Authorization: Bearer <token>'],
    { severity: 'error' }
  ),
  TOKEN_EXPIRED: kind(401, "The token's life is over.", [
    'Call authenticate_agent for a new token; call refresh_token before expires_at next time'
  ]),
  TOKEN_REVOKED: kind(
    401,
    'The token was revoked, or replaced by refresh_token.',
    ['Use the token that refresh_token returned, or call authenticate_agent for a new one'],
    { severity: 'error' }
  ),
  PERMISSION_DENIED: kind(
    403,
    'The agent lacks the permission that `context.required_permission` names.',
    ['Authenticate again with requested_permissions that include the required one, using a key that allows it'],
    { severity: 'error', recoverable: false }
  ),
  SESSION_NOT_FOUND: kind(404, 'There is no such session, or the caller may not see it.', [
    'Call list_sessions to find an existing session_id',
    'Call create_session to open a new one'
  ]),
  MESSAGE_NOT_FOUND: kind(404, 'There is no such message, or the caller may not see it.', [
    'Call get_messages to see the messages of the session and their ids'
  ]),
  API_KEY_NOT_FOUND: kind(404, 'There is no API key with that key_id, or the caller may not manage it.', [
    'Call list_api_keys to see the keys you manage and their ids'
  ]),
  MEMORY_NOT_FOUND: kind(404, 'No value is stored under that key in that scope, or it has expired.', [
    'Call list_memory with session_id "all" to see which keys exist in which scope',
    'Call set_memory to store a value'
  ]),
  TASK_NOT_FOUND: kind(404, 'There is no such task, or the caller may not see it.', [
    'Call list_tasks to see the tasks in reach and their ids'
  ]),
  TOOL_NOT_FOUND: kind(404, 'There is no tool, or no page, of that name.', [
    'Call get_usage_guidance for what this server offers',
    'Read GET /openapi.json, or open /docs, for every tool and its arguments'
  ]),
  METHOD_NOT_ALLOWED: kind(405, 'The address exists, but not for that HTTP method.', [
    'Call tools with POST /mcp/tool/<name>'
  ]),
  KEY_EXISTS: kind(409, 'set_memory with overwrite:false met a live key.', [
    'Pass overwrite: true to replace the value',
    'Call get_memory to read the value that is there'
  ]),
  VERSION_CONFLICT: kind(
    409,
    'The value has another version than `if_version` says: `context.version` is the one it has, 0 for none.',
    ['Read the value with get_memory, and decide anew what to store', 'Or change it in place with update_memory']
  ),
  SESSION_CLOSED: kind(409, 'The session is closed; it can be read, not written.', [
    'Call create_session for a new session',
    'The creator or an admin can reopen it: update_session with is_active: true'
  ]),
  LEASE_LOST: kind(409, 'The lease has ended, was given up, or is held by somebody else: its token is outdated.', [
    'Stop the work that the lease was for: somebody else may do it by now',
    'Call claim_task or acquire_lease again'
  ]),
  LEASE_HELD: kind(
    409,
    'Somebody else holds a lease on one of the names; `context.holders` says who, and until when.',
    ['Wait until the lease ends: call acquire_lease with wait_seconds', 'Ask the holder to release it']
  ),
  IDEMPOTENCY_CONFLICT: kind(409, 'The same idempotency_key came earlier with other arguments.', [
    'Use a new idempotency_key for a new request',
    'Repeat the first request unchanged to get its answer again'
  ]),
  CONFLICT: kind(
    409,
    'Somebody else changed the same thing at the same moment.',
    ['Read the current state and try again'],
    { retry_after: 1 }
  ),
  INVALID_KEY: kind(
    400,
    'A key of memory or of a session is empty, longer than 255 characters, or holds characters it may not.',
    ['Use a key of 1 to 255 characters without control characters']
  ),
  INVALID_METADATA: kind(400, 'metadata is not an object, or is too large.', [
    'Pass metadata as a JSON object of at most 50 keys and 10000 characters; put long texts into content'
  ]),
  INVALID_VISIBILITY: kind(400, 'The visibility is not one that exists.', [
    'Use one of: public, private, agent_only, direct, admin_only'
  ]),
  INVALID_TTL: kind(400, 'expires_in is not a whole number of seconds from 0 to 31536000.', [
    'Pass expires_in in whole seconds, at most 31536000 (a year); 0 or no value keeps it for ever'
  ]),
  INVALID_DATETIME: kind(400, 'A time is not an ISO-8601 date or date-time.', [
    'Use a date such as 2026-01-31, or a date-time such as 2026-01-31T09:30:00Z'
  ]),
  CONTENT_TOO_LARGE: kind(413, 'A text or a value is longer than its limit.', [
    'Split the content over several calls, or store a shorter summary'
  ]),
  RATE_LIMITED: kind(
    429,
    'Too many calls in a short time, by the agent, with its key or from its address: `context.limit_of` says which.',
    ['Wait retry_after seconds and call again'],
    { retry_after: 1 }
  ),
  QUOTA_EXCEEDED: kind(
    429,
    'A quota is used up: `context.quota` names it, `context.limit` says how much may be stored.',
    ['Delete what is no longer needed']
  ),
  SERVICE_UNAVAILABLE: kind(
    503,
    'The server is stopping, has too many requests in flight or too many bytes of request bodies, ' +
      'or the request took too long.',
    ['Wait retry_after seconds and call again; with the same idempotency_key a write happens once'],
    { severity: 'error', retry_after: 1 }
  ),
  DATABASE_UNAVAILABLE: kind(
    503,
    'The database cannot be reached.',
    ['Wait retry_after seconds and call again; with the same idempotency_key a write happens once'],
    { severity: 'critical', retry_after: 2 }
  ),
  INTERNAL_ERROR: kind(
    500,
    'A fault of the server, logged under `request_id`.',
    ['Report the request_id to the operator of this server', 'Try once more later'],
    { severity: 'critical', recoverable: false }
  )
}

export type ErrorCode = keyof typeof kinds
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds

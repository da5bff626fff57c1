// Generated from the catalogue by `npm run docs`; edit the tools in src/ instead.

import { RefusedError } from '../refused-error.js'

/** The codes by which the service refuses a call. */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'INVALID_JSON'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'PAYLOAD_TOO_LARGE'
  | 'INVALID_API_KEY'
  | 'AUTHENTICATION_REQUIRED'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_REVOKED'
  | 'PERMISSION_DENIED'
  | 'SESSION_NOT_FOUND'
  | 'MESSAGE_NOT_FOUND'
  | 'API_KEY_NOT_FOUND'
  | 'MEMORY_NOT_FOUND'
  | 'TASK_NOT_FOUND'
  | 'TOOL_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'KEY_EXISTS'
  | 'VERSION_CONFLICT'
  | 'SESSION_CLOSED'
  | 'LEASE_LOST'
  | 'LEASE_HELD'
  | 'IDEMPOTENCY_CONFLICT'
  | 'CONFLICT'
  | 'INVALID_KEY'
  | 'INVALID_METADATA'
  | 'INVALID_VISIBILITY'
  | 'INVALID_TTL'
  | 'INVALID_DATETIME'
  | 'CONTENT_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'QUOTA_EXCEEDED'
  | 'SERVICE_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'INTERNAL_ERROR'

/** An argument is missing, unknown, of the wrong type or out of range; `context` names it. */
export class InvalidInputError extends RefusedError {}

/** The request body is not a JSON object in UTF-8. */
export class InvalidJsonError extends RefusedError {}

/** The request body is not declared as JSON. */
export class UnsupportedMediaTypeError extends RefusedError {}

/**
 * The request body is larger than BODY_LIMIT, or than 512 KiB where no header brings good credentials, or it holds
 * more than 100 000 JSON values or 10 000 names of fields.
 */
export class PayloadTooLargeError extends RefusedError {}

/** The API key is missing or wrong. */
export class InvalidApiKeyError extends RefusedError {}

/** No credentials were given and the call needs some. */
export class AuthenticationRequiredError extends RefusedError {}

/** The token is not one this server issued. */
export class InvalidTokenError extends RefusedError {}

/** The token's life is over. */
export class TokenExpiredError extends RefusedError {}

/** The token was revoked, or replaced by refresh_token. */
export class TokenRevokedError extends RefusedError {}

/** The agent lacks the permission that `context.required_permission` names. */
export class PermissionDeniedError extends RefusedError {}

/** There is no such session, or the caller may not see it. */
export class SessionNotFoundError extends RefusedError {}

/** There is no such message, or the caller may not see it. */
export class MessageNotFoundError extends RefusedError {}

/** There is no API key with that key_id, or the caller may not manage it. */
export class ApiKeyNotFoundError extends RefusedError {}

/** No value is stored under that key in that scope, or it has expired. */
export class MemoryNotFoundError extends RefusedError {}

/** There is no such task, or the caller may not see it. */
export class TaskNotFoundError extends RefusedError {}

/** There is no tool, or no page, of that name. */
export class ToolNotFoundError extends RefusedError {}

/** The address exists, but not for that HTTP method. */
export class MethodNotAllowedError extends RefusedError {}

/** set_memory with overwrite:false met a live key. */
export class KeyExistsError extends RefusedError {}

/** The value has another version than `if_version` says: `context.version` is the one it has, 0 for none. */
export class VersionConflictError extends RefusedError {}

/** The session is closed; it can be read, not written. */
export class SessionClosedError extends RefusedError {}

/** The lease has ended, was given up, or is held by somebody else: its token is outdated. */
export class LeaseLostError extends RefusedError {}

/** Somebody else holds a lease on one of the names; `context.holders` says who, and until when. */
export class LeaseHeldError extends RefusedError {}

/** The same idempotency_key came earlier with other arguments. */
export class IdempotencyConflictError extends RefusedError {}

/** Somebody else changed the same thing at the same moment. */
export class ConflictError extends RefusedError {}

/** A key of memory or of a session is empty, longer than 255 characters, or holds characters it may not. */
export class InvalidKeyError extends RefusedError {}

/** metadata is not an object, or is too large. */
export class InvalidMetadataError extends RefusedError {}

/** The visibility is not one that exists. */
export class InvalidVisibilityError extends RefusedError {}

/** expires_in is not a whole number of seconds from 0 to 31536000. */
export class InvalidTtlError extends RefusedError {}

/** A time is not an ISO-8601 date or date-time. */
export class InvalidDatetimeError extends RefusedError {}

/** A text or a value is longer than its limit. */
export class ContentTooLargeError extends RefusedError {}

/**
 * Too many calls in a short time, by the agent, with its key or from its address: `context.limit_of` says which.
 */
export class RateLimitedError extends RefusedError {}

/** A quota is used up: `context.quota` names it, `context.limit` says how much may be stored. */
export class QuotaExceededError extends RefusedError {}

/**
 * The server is stopping, has too many requests in flight or too many bytes of request bodies, or the request took
 * too long.
 */
export class ServiceUnavailableError extends RefusedError {}

/** The database cannot be reached. */
export class DatabaseUnavailableError extends RefusedError {}

/** A fault of the server, logged under `request_id`. */
export class InternalError extends RefusedError {}

/** The class of each code. */
export const ERRORS: Record<ErrorCode, typeof RefusedError> = {
  INVALID_INPUT: InvalidInputError,
  INVALID_JSON: InvalidJsonError,
  UNSUPPORTED_MEDIA_TYPE: UnsupportedMediaTypeError,
  PAYLOAD_TOO_LARGE: PayloadTooLargeError,
  INVALID_API_KEY: InvalidApiKeyError,
  AUTHENTICATION_REQUIRED: AuthenticationRequiredError,
  INVALID_TOKEN: InvalidTokenError,
  TOKEN_EXPIRED: TokenExpiredError,
  TOKEN_REVOKED: TokenRevokedError,
  PERMISSION_DENIED: PermissionDeniedError,
  SESSION_NOT_FOUND: SessionNotFoundError,
  MESSAGE_NOT_FOUND: MessageNotFoundError,
  API_KEY_NOT_FOUND: ApiKeyNotFoundError,
  MEMORY_NOT_FOUND: MemoryNotFoundError,
  TASK_NOT_FOUND: TaskNotFoundError,
  TOOL_NOT_FOUND: ToolNotFoundError,
  METHOD_NOT_ALLOWED: MethodNotAllowedError,
  KEY_EXISTS: KeyExistsError,
  VERSION_CONFLICT: VersionConflictError,
  SESSION_CLOSED: SessionClosedError,
  LEASE_LOST: LeaseLostError,
  LEASE_HELD: LeaseHeldError,
  IDEMPOTENCY_CONFLICT: IdempotencyConflictError,
  CONFLICT: ConflictError,
  INVALID_KEY: InvalidKeyError,
  INVALID_METADATA: InvalidMetadataError,
  INVALID_VISIBILITY: InvalidVisibilityError,
  INVALID_TTL: InvalidTtlError,
  INVALID_DATETIME: InvalidDatetimeError,
  CONTENT_TOO_LARGE: ContentTooLargeError,
  RATE_LIMITED: RateLimitedError,
  QUOTA_EXCEEDED: QuotaExceededError,
  SERVICE_UNAVAILABLE: ServiceUnavailableError,
  DATABASE_UNAVAILABLE: DatabaseUnavailableError,
  INTERNAL_ERROR: InternalError
}

# Generated from the OpenAPI page by `npm run docs`; edit the tools in src/ of the server instead.
"""An exception for each code with which the server refuses a call."""

from .._base_errors import BusyError, CredentialsError, NotFoundError, RequestError, ServerError


class InvalidInputError(RequestError):
    """An argument is missing, unknown, of the wrong type or out of range; `context` names it."""

    code = "INVALID_INPUT"


class InvalidJsonError(RequestError):
    """The request body is not a JSON object in UTF-8."""

    code = "INVALID_JSON"


class UnsupportedMediaTypeError(RequestError):
    """The request body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class PayloadTooLargeError(RequestError):
    """The request body is larger than BODY_LIMIT, or than 512 KiB where no header brings good credentials, or it
    holds more than 100 000 JSON values or 10 000 names of fields.
    """

    code = "PAYLOAD_TOO_LARGE"


class InvalidApiKeyError(CredentialsError):
    """The API key is missing or wrong."""

    code = "INVALID_API_KEY"


class AuthenticationRequiredError(CredentialsError):
    """No credentials were given and the call needs some."""

    code = "AUTHENTICATION_REQUIRED"


class InvalidTokenError(CredentialsError):
    """The token is not one this server issued."""

    code = "INVALID_TOKEN"


class TokenExpiredError(CredentialsError):
    """The token's life is over."""

    code = "TOKEN_EXPIRED"


class TokenRevokedError(CredentialsError):
    """The token was revoked, or replaced by refresh_token."""

    code = "TOKEN_REVOKED"


class PermissionDeniedError(ServerError):
    """The agent lacks the permission that `context.required_permission` names."""

    code = "PERMISSION_DENIED"


class SessionNotFoundError(NotFoundError):
    """There is no such session, or the caller may not see it."""

    code = "SESSION_NOT_FOUND"


class MessageNotFoundError(NotFoundError):
    """There is no such message, or the caller may not see it."""

    code = "MESSAGE_NOT_FOUND"


class ApiKeyNotFoundError(NotFoundError):
    """There is no API key with that key_id, or the caller may not manage it."""

    code = "API_KEY_NOT_FOUND"


class MemoryNotFoundError(NotFoundError):
    """No value is stored under that key in that scope, or it has expired."""

    code = "MEMORY_NOT_FOUND"


class TaskNotFoundError(NotFoundError):
    """There is no such task, or the caller may not see it."""

    code = "TASK_NOT_FOUND"


class ToolNotFoundError(NotFoundError):
    """There is no tool, or no page, of that name."""

    code = "TOOL_NOT_FOUND"


class MethodNotAllowedError(ServerError):
    """The address exists, but not for that HTTP method."""

    code = "METHOD_NOT_ALLOWED"


class KeyExistsError(ServerError):
    """set_memory with overwrite:false met a live key."""

    code = "KEY_EXISTS"


class VersionConflictError(ServerError):
    """The value has another version than `if_version` says: `context.version` is the one it has, 0 for none."""

    code = "VERSION_CONFLICT"


class SessionClosedError(ServerError):
    """The session is closed; it can be read, not written."""

    code = "SESSION_CLOSED"


class LeaseLostError(ServerError):
    """The lease has ended, was given up, or is held by somebody else: its token is outdated."""

    code = "LEASE_LOST"


class LeaseHeldError(ServerError):
    """Somebody else holds a lease on one of the names; `context.holders` says who, and until when."""

    code = "LEASE_HELD"


class IdempotencyConflictError(ServerError):
    """The same idempotency_key came earlier with other arguments."""

    code = "IDEMPOTENCY_CONFLICT"


class ConflictError(ServerError):
    """Somebody else changed the same thing at the same moment."""

    code = "CONFLICT"


class InvalidKeyError(RequestError):
    """A key of memory or of a session is empty, longer than 255 characters, or holds characters it may not."""

    code = "INVALID_KEY"


class InvalidMetadataError(RequestError):
    """metadata is not an object, or is too large."""

    code = "INVALID_METADATA"


class InvalidVisibilityError(RequestError):
    """The visibility is not one that exists."""

    code = "INVALID_VISIBILITY"


class InvalidTtlError(RequestError):
    """expires_in is not a whole number of seconds from 0 to 31536000."""

    code = "INVALID_TTL"


class InvalidDatetimeError(RequestError):
    """A time is not an ISO-8601 date or date-time."""

    code = "INVALID_DATETIME"


class ContentTooLargeError(RequestError):
    """A text or a value is longer than its limit."""

    code = "CONTENT_TOO_LARGE"


class RateLimitedError(BusyError):
    """Too many calls in a short time, by the agent, with its key or from its address: `context.limit_of` says
    which.
    """

    code = "RATE_LIMITED"


class QuotaExceededError(ServerError):
    """A quota is used up: `context.quota` names it, `context.limit` says how much may be stored."""

    code = "QUOTA_EXCEEDED"


class ServiceUnavailableError(BusyError):
    """The server is stopping, has too many requests in flight or too many bytes of request bodies, or the request
    took too long.
    """

    code = "SERVICE_UNAVAILABLE"


class DatabaseUnavailableError(BusyError):
    """The database cannot be reached."""

    code = "DATABASE_UNAVAILABLE"


class InternalError(ServerError):
    """A fault of the server, logged under `request_id`."""

    code = "INTERNAL_ERROR"


BY_CODE: dict[str, type[ServerError]] = {
    "INVALID_INPUT": InvalidInputError,
    "INVALID_JSON": InvalidJsonError,
    "UNSUPPORTED_MEDIA_TYPE": UnsupportedMediaTypeError,
    "PAYLOAD_TOO_LARGE": PayloadTooLargeError,
    "INVALID_API_KEY": InvalidApiKeyError,
    "AUTHENTICATION_REQUIRED": AuthenticationRequiredError,
    "INVALID_TOKEN": InvalidTokenError,
    "TOKEN_EXPIRED": TokenExpiredError,
    "TOKEN_REVOKED": TokenRevokedError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "SESSION_NOT_FOUND": SessionNotFoundError,
    "MESSAGE_NOT_FOUND": MessageNotFoundError,
    "API_KEY_NOT_FOUND": ApiKeyNotFoundError,
    "MEMORY_NOT_FOUND": MemoryNotFoundError,
    "TASK_NOT_FOUND": TaskNotFoundError,
    "TOOL_NOT_FOUND": ToolNotFoundError,
    "METHOD_NOT_ALLOWED": MethodNotAllowedError,
    "KEY_EXISTS": KeyExistsError,
    "VERSION_CONFLICT": VersionConflictError,
    "SESSION_CLOSED": SessionClosedError,
    "LEASE_LOST": LeaseLostError,
    "LEASE_HELD": LeaseHeldError,
    "IDEMPOTENCY_CONFLICT": IdempotencyConflictError,
    "CONFLICT": ConflictError,
    "INVALID_KEY": InvalidKeyError,
    "INVALID_METADATA": InvalidMetadataError,
    "INVALID_VISIBILITY": InvalidVisibilityError,
    "INVALID_TTL": InvalidTtlError,
    "INVALID_DATETIME": InvalidDatetimeError,
    "CONTENT_TOO_LARGE": ContentTooLargeError,
    "RATE_LIMITED": RateLimitedError,
    "QUOTA_EXCEEDED": QuotaExceededError,
    "SERVICE_UNAVAILABLE": ServiceUnavailableError,
    "DATABASE_UNAVAILABLE": DatabaseUnavailableError,
    "INTERNAL_ERROR": InternalError,
}

"""What all errors of this package have in common, and the families of those that the server answers with."""

from collections.abc import Mapping, Sequence
from typing import Any


class SharedContextError(Exception):
    """Everything that this package raises on purpose.

    Attributes:
        code: The error's name for programs, such as SESSION_NOT_FOUND.
        suggestions: What to do next, in words for a person or a model; may be empty.
        details: More about it, such as the argument that was wrong. The server calls it context.
        retry_after: Seconds after which a repeat may succeed; None if waiting does not help.
    """

    code: str = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        suggestions: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.suggestions = list(suggestions)
        self.details = dict(details or {})
        self.retry_after = retry_after

    def __str__(self) -> str:
        return " ".join([f"{self.code}: {self.message}", *(f"→ {each}." for each in self.suggestions)])


class NoAnswerError(SharedContextError):
    """The server could not be reached, or the connection broke before its answer was here. __cause__ says how.

    Attributes:
        maybe_done: Whether the request may have reached the server, so that what it asks for may have happened.
    """

    code = "NO_ANSWER"

    def __init__(self, message: str, *, maybe_done: bool = False) -> None:
        super().__init__(message, suggestions=["Look whether the server runs at this address", "Try again later"])
        self.maybe_done = maybe_done


class UnexpectedAnswerError(SharedContextError):
    """The answer does not come from shared-context-server: a gateway in front, or a wrong address.

    Attributes:
        status: The HTTP status of the answer.
        content_type: What the answer says that it is.
    """

    code = "UNEXPECTED_ANSWER"

    def __init__(
        self, message: str, *, status: int = 0, content_type: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(
            message,
            suggestions=["Look whether the address is that of shared-context-server", "Look at the gateway in front"],
            retry_after=retry_after,
        )
        self.status = status
        self.content_type = content_type


class ServerError(SharedContextError):
    """The server refused a call. The class says why; a code that this package does not know yet is of this class.

    Attributes:
        tool: The tool that was called.
        status: The HTTP status of the answer.
        request_id: Under which the server's log has the call.
        body: The whole answer.
    """

    def __init__(self, message: str, *, tool: str = "", status: int = 0, body: Mapping[str, Any] | None = None) -> None:
        body = dict(body or {})
        super().__init__(
            message,
            suggestions=body.get("suggestions") or (),
            details=body.get("context"),
            retry_after=body.get("retry_after"),
        )
        self.code = str(body.get("code", type(self).code))
        self.tool = tool
        self.status = status
        self.request_id: str | None = body.get("request_id")
        self.body: dict[str, Any] = body


class RequestError(ServerError):
    """The arguments are wrong or too large. The same call fails again."""


class CredentialsError(ServerError):
    """The API key or the token is missing, wrong, or has ended."""


class NotFoundError(ServerError):
    """There is no such thing, or this agent may not see it."""


class BusyError(ServerError):
    """The server cannot do it now. This package has tried several times before it raises this."""

"""Calls as HTTP requests, and answers as dicts or errors. No input and no output: both clients use it."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from ._base_errors import NoAnswerError, UnexpectedAnswerError
from ._generated.catalogue import NULL_IS_VALUE, TOOLS, Tool
from ._not_given import NOT_GIVEN
from .errors import error_of

# The connection was never made, so the server has not seen the request.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def facts_of(tool: str) -> Tool:
    """What is known of a tool; of one that a newer server has, nothing."""
    return TOOLS.get(tool, Tool())


def encode(tool: str, arguments: Mapping[str, Any]) -> bytes:
    """The body of a call. A write gets an idempotency key, so that all tries of this call happen once.

    Raises:
        TypeError: A value is not JSON.
        ValueError: A number is not finite, or a text holds half of a surrogate pair.
    """
    given = {
        name: value
        for name, value in arguments.items()
        if value is not NOT_GIVEN and (value is not None or name in NULL_IS_VALUE)
    }
    if facts_of(tool).keyed and not _only_reads(tool, given):
        given.setdefault("idempotency_key", uuid.uuid4().hex)
    return json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _only_reads(tool: str, given: Mapping[str, Any]) -> bool:
    """Whether a batch only reads: with a key the server would keep its answer, and so write what was read."""
    operations = given.get("operations")
    return (
        tool == "batch_memory"
        and isinstance(operations, list)
        and all(isinstance(each, dict) and each.get("op") in ("get", "list") for each in operations)
    )


def wait_of(tool: str, arguments: Mapping[str, Any]) -> float:
    """For how many seconds a call waits on the server before it answers."""
    wait = facts_of(tool).wait
    if wait is None:
        return 0.0
    name, default = wait
    given = arguments.get(name)
    return float(default if given is None else given)


def timeouts(seconds: float, wait_seconds: float = 0.0) -> httpx.Timeout:
    """Time limits of a request: `seconds` for each step, and the wait on top of it for the answer."""
    return httpx.Timeout(seconds, read=seconds + wait_seconds, pool=None)


def answer_of(tool: str, response: httpx.Response) -> dict[str, Any]:
    """The answer of a call.

    Raises:
        ServerError: The server refused it.
        UnexpectedAnswerError: Somebody else answered.
    """
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        raise unexpected(response)
    if not body["success"]:
        raise error_of(tool, response.status_code, body)
    return body


def unexpected(response: httpx.Response) -> UnexpectedAnswerError:
    """The error for an answer that is not of this server. It repeats nothing of what the answer holds."""
    content_type = response.headers.get("Content-Type", "nothing")
    where = " It is a redirect, which is not followed." if response.is_redirect else ""
    return UnexpectedAnswerError(
        f"The answer is not one of shared-context-server: HTTP {response.status_code}, {content_type}.{where}",
        status=response.status_code,
        content_type=content_type,
        retry_after=_retry_after(response),
    )


def no_answer(url: str, error: httpx.RequestError) -> NoAnswerError:
    """The error for a request that got no answer."""
    sent = not isinstance(error, _NOT_SENT)
    what = "The connection broke before the answer came" if sent else "The server cannot be reached"
    return NoAnswerError(f"{what} ({type(error).__name__}): {url}", maybe_done=sent)


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None

"""Calls over HTTP: tries, token and time limits. Threads may share it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from . import _wire
from ._base_errors import CredentialsError, SharedContextError
from .retry import RetryPolicy
from .settings import Settings
from .tokens import Token, TokenKeeper, is_stale, token_of

# One try: whoever calls decides what comes next.
ONE_TRY = RetryPolicy(tries=1)


class TooLongError(Exception):
    """A call has more bytes than its caller wants to send. Nothing was sent."""


class Transport:
    """The way to the server.

    Args:
        token: A ready token, or a function that returns one whenever a new one is needed.
        http: A client to send with, such as one with a proxy or certificates of its own. It stays open.
    """

    def __init__(
        self, settings: Settings, token: str | Callable[[], str] | None = None, http: httpx.Client | None = None
    ) -> None:
        self.settings = settings
        self._http = http or httpx.Client(limits=httpx.Limits(max_connections=None))
        self._owns_http = http is None
        self._ready_token = token if isinstance(token, str) else None
        self._tokens: TokenKeeper | None = None
        if callable(token):
            self._tokens = TokenKeeper(lambda: Token(token()))
        elif settings.api_key is not None:
            self._tokens = TokenKeeper(self._authenticate)

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        timeout_seconds: float | None = None,
        retries: RetryPolicy | None = None,
        bytes_max: int | None = None,
    ) -> dict[str, Any]:
        """Calls a tool and returns its answer.

        Args:
            timeout_seconds: The time limit of one try, beside what the call itself waits.
            retries: Other tries than the settings say.
            bytes_max: What may be sent at most.

        Raises:
            SharedContextError: The call failed, also when it was tried again.
            TooLongError: It is longer than `bytes_max`.
        """
        content = _wire.encode(tool, arguments)
        if bytes_max is not None and len(content) > bytes_max:
            raise TooLongError
        limits = _wire.timeouts(timeout_seconds or self.settings.timeout_seconds, _wire.wait_of(tool, arguments))
        once = _wire.facts_of(tool).once
        policy = retries or self.settings.retries
        token = self.token()
        try:
            return self._try(tool, content, token, limits, policy, once)
        except CredentialsError as error:
            if token is None or self._tokens is None or not is_stale(error):
                raise
        return self._try(tool, content, self.token(token), limits, policy, once)

    def stream(self, path: str, headers: Mapping[str, str], token: str | None, read_seconds: float) -> Any:
        """Opens an event stream, as a context manager of the response."""
        return self._http.stream(
            "GET",
            self.settings.url + path,
            headers={**self.settings.headers(token), **headers, "Accept": "text/event-stream"},
            timeout=httpx.Timeout(self.settings.timeout_seconds, read=read_seconds, pool=None),
        )

    def token(self, refused: str | None = None) -> str | None:
        """The token to send; None if the server asks for none."""
        return self._ready_token if self._tokens is None else self._tokens.current(refused)

    @property
    def renews(self) -> bool:
        """Whether it can get a new token in the place of one that has ended."""
        return self._tokens is not None

    def _authenticate(self) -> Token:
        asked_at = time.monotonic()
        arguments = {
            "agent_id": self.settings.agent_id,
            "agent_type": self.settings.agent_type,
            "api_key": self.settings.api_key,
            "requested_permissions": list(self.settings.permissions),
        }
        content = _wire.encode("authenticate_agent", arguments)
        # A second token does no harm, so unlike other calls with secrets it is tried again.
        limits = _wire.timeouts(self.settings.timeout_seconds)
        answer = self._try("authenticate_agent", content, None, limits, self.settings.retries, once=False)
        return token_of(answer, asked_at)

    def _try(
        self, tool: str, content: bytes, token: str | None, limits: httpx.Timeout, policy: RetryPolicy, once: bool
    ) -> dict[str, Any]:
        tries = 0
        while True:
            try:
                return self._send(tool, content, token, limits)
            except SharedContextError as error:
                tries += 1
                pause = policy.pause(error, tries, once=once)
                if pause is None:
                    raise
            time.sleep(pause)

    def _send(self, tool: str, content: bytes, token: str | None, limits: httpx.Timeout) -> dict[str, Any]:
        headers = {**self.settings.headers(token), "Content-Type": "application/json"}
        url = f"{self.settings.url}/mcp/tool/{tool}"
        try:
            response = self._http.post(url, content=content, headers=headers, timeout=limits)
        except httpx.RequestError as error:
            raise _wire.no_answer(self.settings.url, error) from error
        return _wire.answer_of(tool, response)

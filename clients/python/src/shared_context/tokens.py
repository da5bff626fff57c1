"""The token of an agent: fetched when first needed, renewed before it ends, and once after the server refused it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ._base_errors import CredentialsError, SharedContextError
from .retry import is_passing

# After these codes a new token helps.
_STALE = frozenset({"TOKEN_EXPIRED", "TOKEN_REVOKED", "INVALID_TOKEN"})
# A token is renewed when this part of its life is over, at most so many seconds before its end.
_RENEW_AT = 0.8
_RENEW_BEFORE_SECONDS = 300.0
# If the renewal failed while the token still lives, the next try comes so many seconds later.
_RENEW_AGAIN_SECONDS = 5.0


@dataclass
class Token:
    """A token, and when to renew it, in seconds of time.monotonic()."""

    text: str
    renew_at: float = float("inf")
    ends_at: float = float("inf")


def token_of(answer: dict[str, Any], asked_at: float) -> Token:
    """The token in an answer of authenticate_agent. Its life is counted by this machine's clock alone."""
    life = float(answer["expires_in"])
    return Token(
        answer["token"],
        renew_at=asked_at + max(life * _RENEW_AT, life - _RENEW_BEFORE_SECONDS),
        ends_at=asked_at + life,
    )


def is_stale(error: CredentialsError) -> bool:
    """Whether a new token may help."""
    return error.code in _STALE


def _keep(token: Token | None, refused: str | None, error: SharedContextError) -> Token:
    """The token to go on with after its renewal failed. Raises the error if there is none."""
    now = time.monotonic()
    if token is None or token.text == refused or now >= token.ends_at or not is_passing(error):
        raise error
    token.renew_at = now + _RENEW_AGAIN_SECONDS
    return token


class TokenKeeper:
    """Hands out the token to all threads; of many that need a new one, one fetches it."""

    def __init__(self, fetch: Callable[[], Token]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._token: Token | None = None

    def current(self, refused: str | None = None) -> str:
        """The token to send.

        Args:
            refused: The token that the server refused: if it is still the current one, a new one is fetched.
        """
        with self._lock:
            token = self._token
            if token is None or token.text == refused or time.monotonic() >= token.renew_at:
                try:
                    token = self._fetch()
                except SharedContextError as error:
                    token = _keep(token, refused, error)
                self._token = token
            return token.text


class AsyncTokenKeeper:
    """Hands out the token to all tasks; of many that need a new one, one fetches it."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]]) -> None:
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._token: Token | None = None

    async def current(self, refused: str | None = None) -> str:
        """As TokenKeeper.current."""
        async with self._lock:
            token = self._token
            if token is None or token.text == refused or time.monotonic() >= token.renew_at:
                try:
                    token = await self._fetch()
                except SharedContextError as error:
                    token = _keep(token, refused, error)
                self._token = token
            return token.text

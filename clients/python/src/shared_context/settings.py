"""Where the server is, and who calls it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from .retry import RetryPolicy

DEFAULT_URL = "http://127.0.0.1:23456"


def _version() -> str:
    try:
        return version("shared-context-client")
    except PackageNotFoundError:  # The sources are used without being installed.
        return "unknown"


VERSION = _version()


@dataclass(frozen=True)
class Settings:
    """What both clients need to know. Secrets are not in its repr."""

    url: str
    agent_id: str | None
    agent_type: str
    api_key: str | None = field(repr=False)
    permissions: tuple[str, ...]
    timeout_seconds: float
    retries: RetryPolicy

    def headers(self, token: str | None) -> dict[str, str]:
        """The headers of a call. Without any credentials the agent's name stands alone: AUTH_ENABLED=false."""
        given = {"User-Agent": f"shared-context-client/{VERSION}"}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        elif self.agent_id is not None:
            given["X-Agent-Id"] = self.agent_id
            given["X-Agent-Type"] = self.agent_type
        return given


def settings_of(
    agent_id: str | None,
    agent_type: str,
    *,
    url: str | None,
    api_key: str | None,
    has_token: bool,
    permissions: Sequence[str],
    timeout_seconds: float,
    retries: RetryPolicy | None,
) -> Settings:
    """Settings from arguments, else from SHARED_CONTEXT_URL and SHARED_CONTEXT_API_KEY.

    Raises:
        ValueError: There is an API key, but no agent_id; or something is of no use.
    """
    if not has_token and api_key is None:
        api_key = os.environ.get("SHARED_CONTEXT_API_KEY") or None
    if has_token and api_key is not None:
        raise ValueError("Pass api_key or token, not both")
    if api_key is not None and not agent_id:
        raise ValueError("Pass agent_id: an API key does not say which agent calls")
    if timeout_seconds <= 0:
        raise ValueError("timeout_seconds must be more than 0")
    address = (url or os.environ.get("SHARED_CONTEXT_URL") or DEFAULT_URL).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ValueError("url must begin with http:// or https://")
    return Settings(
        url=address,
        agent_id=agent_id,
        agent_type=agent_type,
        api_key=api_key,
        permissions=tuple(permissions),
        timeout_seconds=timeout_seconds,
        retries=retries or RetryPolicy(),
    )

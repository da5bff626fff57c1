"""A small client of shared-context-server, for the examples and to copy: httpx and nothing else.

It reads SHARED_CONTEXT_URL (default http://127.0.0.1:23456) and SHARED_CONTEXT_API_KEY.
"""

import os
import threading
import time
import uuid
from typing import Any, Iterator

import httpx

# These take an idempotency_key: repeated with the same key, they happen once.
WRITES = {
    "create_session", "update_session", "close_session", "archive_session", "delete_session", "import_session",
    "add_message", "add_messages", "mark_read", "set_message_visibility", "delete_message", "set_memory", "delete_memory",
    "update_memory", "batch_memory", "set_namespace", "ask", "ack_messages", "set_status",
    "create_task", "create_tasks", "revoke_api_key", "set_retention", "erase_agent",
}
# After these it helps to wait retry_after seconds and call again.
PASSING = {"SERVICE_UNAVAILABLE", "DATABASE_UNAVAILABLE", "RATE_LIMITED", "CONFLICT"}
# After these it helps to authenticate again, once.
STALE = {"TOKEN_EXPIRED", "TOKEN_REVOKED", "INVALID_TOKEN"}


def printable(text: str) -> str:
    """Text for a terminal, which may obey control characters in what other agents wrote."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)


class SharedContextError(Exception):
    """The server refused a call: `code` is for programs, the suggestions are for whoever decides what to do next."""

    def __init__(self, body: dict[str, Any]):
        super().__init__(f"{body['code']}: {body['error']} {' / '.join(body['suggestions'])}")
        self.code: str = body["code"]
        self.body = body


class SharedContext:
    """One agent's connection. It may be shared by threads."""

    def __init__(
        self,
        agent_id: str,
        agent_type: str = "custom",
        *,
        url: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        permissions: list[str] | None = None,
        timeout: float = 5.0,
        tries: int = 4,
    ):
        self.agent_id = agent_id
        self.agent_type = agent_type
        self.permissions = permissions or ["read", "write"]
        self.granted: list[str] = []
        self._api_key = api_key or os.environ.get("SHARED_CONTEXT_API_KEY", "")
        self._token = token
        self._tries = tries
        self._lock = threading.Lock()
        self.url = url or os.environ.get("SHARED_CONTEXT_URL", "http://127.0.0.1:23456")
        self._http = httpx.Client(base_url=self.url, timeout=timeout)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "SharedContext":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def token(self) -> str:
        """The agent's token; fetched with the API key when first needed."""
        with self._lock:
            if self._token is None:
                self._token = self._authenticate()
            return self._token

    def renew(self) -> None:
        """Forgets the token: the next use fetches a new one with the API key."""
        with self._lock:
            self._token = None

    def _authenticate(self) -> str:
        answer = self._send("authenticate_agent", {
            "agent_id": self.agent_id,
            "agent_type": self.agent_type,
            "api_key": self._api_key,
            "requested_permissions": self.permissions,
        }, {})
        self.granted = answer["permissions"]
        return answer["token"]

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Calls a tool and returns its answer. Raises SharedContextError where the server says no."""
        if tool in WRITES:
            # One key for all tries of this call: a repeat after a time-out does not write twice.
            arguments.setdefault("idempotency_key", uuid.uuid4().hex)
        token = self.token
        try:
            return self._send(tool, arguments, {"Authorization": f"Bearer {token}"})
        except SharedContextError as error:
            if error.code not in STALE or not self._api_key:
                raise
        with self._lock:
            # Another thread may have fetched a new token meanwhile.
            if self._token == token:
                self._token = self._authenticate()
            token = self._token
        return self._send(tool, arguments, {"Authorization": f"Bearer {token}"})

    def _send(self, tool: str, arguments: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        for last in [False] * (self._tries - 1) + [True]:
            try:
                # Every answer is a JSON object with `success`, whatever its HTTP status.
                body = self._http.post(f"/mcp/tool/{tool}", json=arguments, headers=headers).json()
            except httpx.TransportError:
                if last:
                    raise
                time.sleep(1)
                continue
            if body["success"]:
                return body
            if last or body["code"] not in PASSING:
                raise SharedContextError(body)
            time.sleep(body.get("retry_after", 1))
        raise AssertionError("unreachable")

    # What most agents need, in fewer words.

    def open_session(self, purpose: str, **metadata: Any) -> str:
        return self.call("create_session", purpose=purpose, metadata=metadata)["session_id"]

    def say(self, session_id: str, content: str, **more: Any) -> int:
        """Writes a message; `more` is visibility, metadata, parent_message_id. Returns its id."""
        return self.call("add_message", session_id=session_id, content=content, **more)["message_id"]

    def messages(self, session_id: str, **filters: Any) -> list[dict[str, Any]]:
        return self.call("get_messages", session_id=session_id, **filters)["messages"]

    def search(self, session_id: str | None, query: str, **more: Any) -> list[dict[str, Any]]:
        return self.call("search_context", session_id=session_id, query=query, **more)["results"]

    def remember(self, key: str, value: Any, session_id: str | None = None, **more: Any) -> None:
        self.call("set_memory", key=key, value=value, session_id=session_id, **more)

    def recall(self, key: str, default: Any = None, session_id: str | None = None) -> Any:
        try:
            return self.call("get_memory", key=key, session_id=session_id)["value"]
        except SharedContextError as error:
            if error.code != "MEMORY_NOT_FOUND":
                raise
            return default

    def follow(self, session_id: str, after_seq: int = 0, for_seconds: float = 30.0) -> Iterator[dict[str, Any]]:
        """Yields each message once, in order, as it appears; ends after `for_seconds`."""
        until = time.monotonic() + for_seconds
        while True:
            # Comes back as soon as there is something; 4 s at most, since httpx gives up after 5.
            patience = max(0.0, min(4.0, until - time.monotonic()))
            page = self.call("wait_for_messages", session_id=session_id, after_seq=after_seq, limit=100, timeout_seconds=patience)
            yield from page["messages"]
            # The cursor is last_seq, not the last message's seq: it also passes what this agent may not see.
            after_seq = page["last_seq"]
            if time.monotonic() > until and not page["has_more"]:
                return

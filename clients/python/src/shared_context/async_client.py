"""The client for programs that run in asyncio."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from ._generated.async_tools import AsyncToolMethods
from ._generated.models import InboxMessage, Message
from .async_events import AsyncEventStream
from .async_leases import AsyncLease
from .async_transport import AsyncTransport, TokenSource
from .async_waits import AsyncFollower, inbox
from .async_work import AsyncWork, session_id_of
from .outage import PATIENCE_SECONDS
from .retry import RetryPolicy
from .settings import Settings, settings_of
from .waits import WAIT_SECONDS, Acknowledge
from .work import OnError


class AsyncClient(AsyncToolMethods):
    """One agent's connection to shared-context-server. The tasks of one event loop may share it.

    Each tool of the server is a method with keyword arguments; the answer is the dict that the server sent. A call that
    fails for a moment (no connection, a gateway, a busy server) is made again, and still happens once. What cannot be
    helped is raised: see shared_context.errors.

    Args:
        agent_id: The name under which others see this agent. An API key needs it.
        agent_type: What kind of agent it is. Messages with the visibility agent_only are for one kind.
        url: Where the server is. Default: SHARED_CONTEXT_URL, else http://127.0.0.1:23456.
        api_key: What it gets its tokens with. Default: SHARED_CONTEXT_API_KEY.
        token: A ready token in the place of an API key, or a function, also an asynchronous one, that returns one
            whenever a new one is needed. Without a function the client cannot renew it.
        permissions: What to ask for of read, write and admin. The key may allow less.
        timeout_seconds: The time limit of each step of one try, beside what a call waits on the server.
        retries: How often and how long a call tries.
        http_client: An httpx.AsyncClient to send with: with a proxy, or certificates of its own. It is not closed.
    """

    def __init__(
        self,
        agent_id: str | None = None,
        agent_type: str = "custom",
        *,
        url: str | None = None,
        api_key: str | None = None,
        token: TokenSource | None = None,
        permissions: Sequence[str] = ("read", "write"),
        timeout_seconds: float = 10.0,
        retries: RetryPolicy | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self.settings: Settings = settings_of(
            agent_id,
            agent_type,
            url=url,
            api_key=api_key,
            has_token=token is not None,
            permissions=permissions,
            timeout_seconds=timeout_seconds,
            retries=retries,
        )
        self.transport = AsyncTransport(self.settings, token, http_client)

    async def close(self) -> None:
        """Closes the connections. Loops of other tasks end with an error."""
        await self.transport.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.settings.agent_id!r} at {self.settings.url}>"

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, timeout_seconds: float | None = None
    ) -> dict[str, Any]:
        """Calls a tool by its name, such as one that is newer than this package.

        Args:
            timeout_seconds: The time limit of each step of one try, in place of the client's.
        """
        return await self.transport.call(tool, arguments, timeout_seconds=timeout_seconds)

    async def pages(self, tool: str, field: str, arguments: Mapping[str, Any]) -> AsyncIterator[Any]:
        """Goes through all pages of a list, one item at a time.

        Args:
            field: Of the answer, the field with the items.
        """
        cursor: str | None = None
        while True:
            page = await self.call(tool, {**arguments, "cursor": cursor})
            for item in page[field]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def iter_messages(
        self,
        session_id: str,
        *,
        after_seq: int = 0,
        limit: int = 200,
        sender: str | None = None,
        parent_message_id: int | None = None,
    ) -> AsyncIterator[Message]:
        """The messages of a session from the oldest on, up to the newest that is there now.

        Args:
            after_seq: Where to begin: a last_seq of an earlier answer.
            limit: How many messages one page has.
        """
        while True:
            page = await self.get_messages(
                session_id=session_id,
                after_seq=after_seq,
                limit=limit,
                sender=sender,
                parent_message_id=parent_message_id,
            )
            for message in page["messages"]:
                yield message
            after_seq = page["last_seq"]
            if not page["has_more"]:
                return

    def follow(
        self,
        session_id: str,
        *,
        after_seq: int = 0,
        sender: str | None = None,
        mentions_only: bool | None = None,
        wait_seconds: float = WAIT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> AsyncFollower:
        """Each message of a session once, in order, as it appears, until the session is closed.

        It waits on the server, and goes on where it was after the server was away.

        Args:
            after_seq: Where to begin; 0 is the first message. The follower's `position` is where it stands.
            wait_seconds: How long one call waits, at most 60.
            patience_seconds: For how long the server may be away before the error is raised.
        """
        return AsyncFollower(
            self,
            session_id,
            after_seq,
            sender=sender,
            mentions_only=mentions_only,
            wait_seconds=wait_seconds,
            patience_seconds=patience_seconds,
        )

    def events(
        self,
        session_id: str | None = None,
        *,
        after_seq: int | None = None,
        last_event_id: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> AsyncEventStream:
        """The changes of a session, or of all sessions, as they are made. A lost connection loses and doubles none.

        Args:
            session_id: The session; None for all.
            after_seq: Where the stream of one session begins. Default: now.
            last_event_id: Where any stream goes on: the last_event_id of an earlier one.
            patience_seconds: For how long the server may be away before the error is raised.
        """
        if last_event_id is None and after_seq is not None:
            if session_id is None:
                raise ValueError("after_seq counts the changes of one session: pass session_id, or last_event_id")
            last_event_id = str(after_seq)
        return AsyncEventStream(self.transport, session_id, last_event_id, patience_seconds)

    def inbox(
        self,
        *,
        acknowledge: Acknowledge = "after",
        session_id: str | None = None,
        note: str | None = None,
        wait_seconds: float = WAIT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> AsyncIterator[InboxMessage]:
        """What others address to this agent or its type, and what mentions it, for ever.

        Args:
            acknowledge: When to tell the sender: before the body runs, or after, when the loop comes back. What was not
                acknowledged comes again.
            note: What to tell the sender with it.
        """
        return inbox(
            self,
            acknowledge=acknowledge,
            session_id=session_id,
            note=note,
            wait_seconds=wait_seconds,
            patience_seconds=patience_seconds,
        )

    async def session(self, session: str) -> str:
        """The id of a session that is named by its id or by its key; with a key that nobody has used it is opened."""
        return await session_id_of(self, session)

    def lease(
        self, *names: str, ttl_seconds: int = 60, wait_seconds: float = 0.0, purpose: str | None = None
    ) -> AsyncLease:
        """Names that this agent alone holds while the `async with` lasts, renewed in the background.

        Args:
            names: 1 to 20 names: anything that agents agree on. All or none are taken.
            ttl_seconds: After so many seconds without a renewal others may have them.
            wait_seconds: How long to wait for names that others hold; then LeaseHeldError. float("inf") is for ever.
            purpose: What for: those who want the name see it.
        """
        return AsyncLease(self, names, ttl_seconds=ttl_seconds, wait_seconds=wait_seconds, purpose=purpose)

    def work(
        self,
        session: str | None = None,
        *,
        idle_seconds: float | None = None,
        on_error: OnError = "raise",
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> AsyncWork:
        """Tasks to do, one after the other, for ever: each is claimed, and renewed while the body runs.

        A loop cannot see what its body raises, so let each task see it: `async with task:` completes the task with
        `task.result`, or fails it if the body raises. Without the `async with` the task is completed when the loop
        comes back for the next one, and fails if the loop is left before.

        Args:
            session: The session whose tasks to do, by its id or key; None for the tasks of any session or none.
            idle_seconds: Ends the loop when there was no task for so long. Default: never.
            on_error: With "continue", what the body of a `async with task:` raises is logged, and the loop goes on.
            patience_seconds: For how long the server may be away before the error is raised.
        """
        return AsyncWork(self, session, idle_seconds=idle_seconds, on_error=on_error, patience_seconds=patience_seconds)

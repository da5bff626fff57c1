"""Following a session and an inbox in asyncio, by calls that wait."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ._base_errors import SharedContextError
from ._generated.models import InboxMessage, Message
from .errors import MessageNotFoundError
from .outage import Outage
from .waits import Acknowledge

if TYPE_CHECKING:
    from .async_client import AsyncClient


class AsyncFollower:
    """The messages of a session, each once, in order, as they appear. It ends when the session is closed.

    Attributes:
        position: The after_seq with which another follower goes on. It moves when a whole page has been handled: a
            message that was handled after that comes again.
    """

    def __init__(
        self,
        client: "AsyncClient",
        session_id: str,
        after_seq: int,
        *,
        sender: str | None,
        mentions_only: bool | None,
        wait_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._client = client
        self._session_id = session_id
        self._sender = sender
        self._mentions_only = mentions_only
        self._wait_seconds = wait_seconds
        self._outage = Outage(patience_seconds)
        self.position = after_seq

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            try:
                page = await self._client.wait_for_messages(
                    session_id=self._session_id,
                    after_seq=self.position,
                    timeout_seconds=self._wait_seconds,
                    limit=100,
                    sender=self._sender,
                    mentions_only=self._mentions_only,
                )
            except SharedContextError as error:
                await asyncio.sleep(self._outage.pause(error))
                continue
            self._outage.over()
            for message in page["messages"]:
                yield message
            # Not the last message's seq: last_seq also passes what this agent may not see.
            self.position = page["last_seq"]
            if not page["is_active"] and not page["has_more"]:
                return


async def inbox(
    client: "AsyncClient",
    *,
    acknowledge: Acknowledge,
    session_id: str | None,
    note: str | None,
    wait_seconds: float,
    patience_seconds: float,
) -> AsyncIterator[InboxMessage]:
    """What others address to this agent, for ever. See AsyncClient.inbox."""
    outage = Outage(patience_seconds)
    while True:
        try:
            page = await client.wait_for_inbox(session_id=session_id, timeout_seconds=wait_seconds)
        except SharedContextError as error:
            await asyncio.sleep(outage.pause(error))
            continue
        outage.over()
        # The newest come first; who works through them begins with the oldest.
        for message in reversed(page["messages"]):
            if acknowledge == "before" and not await _acknowledged(client, message, note):
                continue
            yield message
            if acknowledge == "after":
                await _acknowledged(client, message, note)


async def _acknowledged(client: "AsyncClient", message: InboxMessage, note: str | None) -> bool:
    """Acknowledges a message. Returns False if it was deleted meanwhile."""
    try:
        await client.ack_messages(message_ids=[message["id"]], note=note)
    except MessageNotFoundError:
        return False
    return True

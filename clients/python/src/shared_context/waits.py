"""Following a session and an inbox by calls that wait."""

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ._base_errors import SharedContextError
from ._generated.models import InboxMessage, Message
from .errors import MessageNotFoundError
from .outage import Outage

if TYPE_CHECKING:
    from .client import Client

# One wait. Proxies commonly end requests after 30 or 60 seconds.
WAIT_SECONDS = 20.0
Acknowledge = Literal["before", "after"]

_SESSION_ID = re.compile(r"session_[0-9a-f]{16}")


def is_session_id(name: str) -> bool:
    """Whether a name is the id of a session, and not a key."""
    return _SESSION_ID.fullmatch(name) is not None


class Follower:
    """The messages of a session, each once, in order, as they appear. It ends when the session is closed.

    Attributes:
        position: The after_seq with which another follower goes on. It moves when a whole page has been handled: a
            message that was handled after that comes again.
    """

    def __init__(
        self,
        client: "Client",
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

    def __iter__(self) -> Iterator[Message]:
        while True:
            try:
                page = self._client.wait_for_messages(
                    session_id=self._session_id,
                    after_seq=self.position,
                    timeout_seconds=self._wait_seconds,
                    limit=100,
                    sender=self._sender,
                    mentions_only=self._mentions_only,
                )
            except SharedContextError as error:
                time.sleep(self._outage.pause(error))
                continue
            self._outage.over()
            yield from page["messages"]
            # Not the last message's seq: last_seq also passes what this agent may not see.
            self.position = page["last_seq"]
            if not page["is_active"] and not page["has_more"]:
                return


def inbox(
    client: "Client",
    *,
    acknowledge: Acknowledge,
    session_id: str | None,
    note: str | None,
    wait_seconds: float,
    patience_seconds: float,
) -> Iterator[InboxMessage]:
    """What others address to this agent, for ever. See Client.inbox."""
    outage = Outage(patience_seconds)
    while True:
        try:
            page = client.wait_for_inbox(session_id=session_id, timeout_seconds=wait_seconds)
        except SharedContextError as error:
            time.sleep(outage.pause(error))
            continue
        outage.over()
        # The newest come first; who works through them begins with the oldest.
        for message in reversed(page["messages"]):
            if acknowledge == "before" and not _acknowledged(client, message, note):
                continue
            yield message
            if acknowledge == "after":
                _acknowledged(client, message, note)


def _acknowledged(client: "Client", message: InboxMessage, note: str | None) -> bool:
    """Acknowledges a message. Returns False if it was deleted meanwhile."""
    try:
        client.ack_messages(message_ids=[message["id"]], note=note)
    except MessageNotFoundError:
        return False
    return True

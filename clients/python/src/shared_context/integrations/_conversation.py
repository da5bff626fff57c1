"""A conversation of a framework as messages of a session: a message for each of its items, with the item as payload."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from .._generated.models import Message, MessageInput
from ..client import Client
from ..errors import MessageNotFoundError

Visibility = Literal["public", "private", "agent_only"]

# What one add_messages takes, and one message.
_CALL_MAX = 100
_CONTENT_MAX = 100_000
_PAGE = 100


class Conversation:
    """The items of one framework in one session. Messages that others write into the session are not among them.

    Args:
        session: The session's id, or a key: with a key that nobody has used it is opened.
        form: Which framework's items these are.
        visibility: Who else may read them.
    """

    def __init__(self, client: Client, session: str, *, form: str, visibility: Visibility) -> None:
        self.client = client
        self._session = session
        self._form = form
        self._visibility: Visibility = visibility
        self._session_id: str | None = None

    @property
    def session_id(self) -> str:
        """The id of the session, which is opened when first needed."""
        if self._session_id is None:
            self._session_id = self.client.session(self._session)
        return self._session_id

    def add(self, items: Sequence[tuple[str, Any]]) -> None:
        """Adds items, each with the text in which it is searched."""
        messages: list[MessageInput] = [
            {
                # A text that is too long is left to the payload.
                "content": text if 0 < len(text) <= _CONTENT_MAX and not text.isspace() else "",
                "payload": item,
                "metadata": {"form": self._form},
                "visibility": self._visibility,
            }
            for text, item in items
        ]
        for start in range(0, len(messages), _CALL_MAX):
            self.client.add_messages(session_id=self.session_id, messages=messages[start : start + _CALL_MAX])

    def items(self, limit: int | None = None) -> list[Any]:
        """The items from the oldest to the newest; with a limit the newest ones."""
        if limit is not None and limit <= 0:
            return []
        newest = []
        for message in self._newest_first():
            newest.append(message["payload"])
            if len(newest) == limit:
                break
        return newest[::-1]

    def pop(self) -> Any:
        """Takes the newest item away and returns it; None if there is none."""
        for message in self._newest_first():
            try:
                self.client.delete_message(message_id=message["id"])
            except MessageNotFoundError:
                # Somebody else was faster.
                continue
            return message["payload"]
        return None

    def clear(self) -> None:
        """Deletes all items. The session stays, with what others wrote."""
        for message in list(self._newest_first()):
            try:
                self.client.delete_message(message_id=message["id"])
            except MessageNotFoundError:
                continue

    def _newest_first(self) -> Iterator[Message]:
        before: int | None = None
        while True:
            page = self.client.get_messages(session_id=self.session_id, order="desc", limit=_PAGE, before_seq=before)
            for message in page["messages"]:
                if message["metadata"].get("form") == self._form and "payload" in message:
                    yield message
            if not page["has_more"] or not page["messages"]:
                return
            before = page["messages"][-1]["seq"]

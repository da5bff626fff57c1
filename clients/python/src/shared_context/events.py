"""Event streams: changes as they are made, over lost connections, each once."""

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, cast

import httpx

from . import _wire
from ._base_errors import CredentialsError, SharedContextError
from ._generated.models import Message, Task
from .outage import Outage
from .tokens import is_stale
from .transport import Transport

# The server sends something at least every 15 seconds: a connection that is silent for longer is dead.
SILENCE_SECONDS = 40.0
# These events are about the stream and not about what changed.
OF_THE_STREAM = frozenset({"start", "position", "end"})
_TOKEN_ENDED = frozenset({"token_expired", "token_revoked", "key_expired", "key_revoked"})


@dataclass(frozen=True)
class Event:
    """A change.

    Attributes:
        id: Its place in the stream, for last_event_id.
        type: What happened: message_added, visibility_changed, message_hidden, message_deleted, session_updated,
            session_closed, session_deleted or task_changed. A newer server may send others.
        data: What the server says about it.
    """

    id: str
    type: str
    data: dict[str, Any]

    @property
    def message(self) -> Message | None:
        """The message that was added or changed, if the event has one."""
        return cast("Message | None", self.data.get("message"))

    @property
    def task(self) -> Task | None:
        """The task that changed, without its description and result, if the event has one."""
        return cast("Task | None", self.data.get("task"))

    @property
    def session_id(self) -> str | None:
        """The session of the change, if the event names it: those of the stream of all sessions do."""
        inner = self.data.get("message") or self.data.get("task") or {}
        return cast("str | None", self.data.get("session_id") or inner.get("session_id"))


@dataclass
class Position:
    """Where a stream stands, and what the server said when it ended the connection."""

    last_event_id: str | None
    pause_seconds: float = 1.0
    end_reason: str | None = None
    ended: bool = False
    token_ended: bool = False

    def headers(self) -> dict[str, str]:
        """Those of the next connection, which begins now."""
        self.end_reason = None
        self.token_ended = False
        return {} if self.last_event_id is None else {"Last-Event-ID": self.last_event_id}

    def handled(self, event: Event) -> None:
        """The reader has come back for the next event, or the event is about the stream."""
        if event.id:
            self.last_event_id = event.id
        if event.type == "end":
            self.end_reason = str(event.data.get("reason"))
            self.token_ended = self.end_reason in _TOKEN_ENDED
            self.ended = not event.data.get("resume") and not self.token_ended


@dataclass
class EventParser:
    """Bytes of an event stream → events."""

    position: Position
    _rest: bytes = b""
    _fields: dict[str, str] = field(default_factory=dict)

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that end in this chunk."""
        # Not str.splitlines, which httpx uses: it also splits at characters that JSON may hold, such as U+2028.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = (self._line(line.decode().removesuffix("\r")) for line in lines)
        return [event for event in events if event is not None]

    def _line(self, line: str) -> Event | None:
        if line:
            # A line that begins with a colon is a comment: a sign of life.
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if fields.get("retry", "").isdecimal():
            self.position.pause_seconds = int(fields["retry"]) / 1000
        if "data" not in fields:
            return None
        return Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))


def path_of(session_id: str | None) -> str:
    return "/mcp/events" if session_id is None else f"/mcp/sessions/{session_id}/events"


class EventStream:
    """Changes of one session, or of all, each once. Iterate over it; it may be left and taken up again.

    Attributes:
        last_event_id: The id of the last event that was handled: the loop has come back for the next one. Whoever keeps
            it can go on there later, also in another process.
        end_reason: Why the server ended the stream; session_gone after the session was deleted.
    """

    def __init__(
        self, transport: Transport, session_id: str | None, last_event_id: str | None, patience_seconds: float
    ) -> None:
        self._transport = transport
        self._path = path_of(session_id)
        self._position = Position(last_event_id)
        self._outage = Outage(patience_seconds)
        self._refused: str | None = None
        self._events: Generator[Event, None, None] | None = None

    @property
    def last_event_id(self) -> str | None:
        return self._position.last_event_id

    @property
    def end_reason(self) -> str | None:
        return self._position.end_reason

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        if self._events is None:
            self._events = self._follow()
        try:
            return next(self._events)
        except BaseException:
            self._events = None
            raise

    def close(self) -> None:
        """Ends the connection. The next event opens a new one, after the last event that was handled."""
        events, self._events = self._events, None
        if events is not None:
            events.close()

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> Generator[Event, None, None]:
        position = self._position
        while not position.ended:
            pause = position.pause_seconds
            try:
                yield from self._connection()
                pause = 0.0 if position.token_ended else position.pause_seconds
            except httpx.RequestError as fault:
                pause = self._outage.pause(_wire.no_answer(self._transport.settings.url, fault))
            except SharedContextError as error:
                pause = self._outage.pause(error)
            if not position.ended:
                time.sleep(pause)

    def _connection(self) -> Generator[Event, None, None]:
        position = self._position
        token = self._transport.token(self._refused)
        with self._transport.stream(self._path, position.headers(), token, SILENCE_SECONDS) as response:
            if response.status_code != 200 or "text/event-stream" not in response.headers.get("Content-Type", ""):
                response.read()
                self._check(response, token)
                return
            self._outage.over()
            self._refused = None
            parser = EventParser(position)
            for chunk in response.iter_bytes():
                for event in parser.feed(chunk):
                    if event.type not in OF_THE_STREAM:
                        yield event
                    position.handled(event)
                    if position.end_reason is not None:
                        self._refused = token if position.token_ended else None
                        return

    def _check(self, response: httpx.Response, token: str | None) -> None:
        """Raises what the server said instead of a stream, unless a new token helps."""
        try:
            _wire.answer_of("events", response)
        except CredentialsError as error:
            # A token that was fetched for this connection and is refused too is no use.
            if not self._transport.renews or not is_stale(error) or self._refused is not None:
                raise
            self._refused = token
            self._position.token_ended = True
            return
        raise _wire.unexpected(response)

"""Event streams in asyncio: changes as they are made, over lost connections, each once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType

import httpx

from . import _wire
from ._base_errors import CredentialsError, SharedContextError
from .async_transport import AsyncTransport
from .events import OF_THE_STREAM, SILENCE_SECONDS, Event, EventParser, Position, path_of
from .outage import Outage
from .tokens import is_stale


class AsyncEventStream:
    """Changes of one session, or of all, each once. Iterate over it; it may be left and taken up again.

    Attributes:
        last_event_id: The id of the last event that was handled: the loop has come back for the next one. Whoever keeps
            it can go on there later, also in another process.
        end_reason: Why the server ended the stream; session_gone after the session was deleted.
    """

    def __init__(
        self, transport: AsyncTransport, session_id: str | None, last_event_id: str | None, patience_seconds: float
    ) -> None:
        self._transport = transport
        self._path = path_of(session_id)
        self._position = Position(last_event_id)
        self._outage = Outage(patience_seconds)
        self._refused: str | None = None
        self._events: AsyncGenerator[Event, None] | None = None

    @property
    def last_event_id(self) -> str | None:
        return self._position.last_event_id

    @property
    def end_reason(self) -> str | None:
        return self._position.end_reason

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._events is None:
            self._events = self._follow()
        try:
            return await anext(self._events)
        except BaseException:
            self._events = None
            raise

    async def close(self) -> None:
        """Ends the connection. The next event opens a new one, after the last event that was handled."""
        events, self._events = self._events, None
        if events is not None:
            await events.aclose()

    async def __aenter__(self) -> "AsyncEventStream":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        position = self._position
        while not position.ended:
            pause = position.pause_seconds
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
                pause = 0.0 if position.token_ended else position.pause_seconds
            except httpx.RequestError as fault:
                pause = self._outage.pause(_wire.no_answer(self._transport.settings.url, fault))
            except SharedContextError as error:
                pause = self._outage.pause(error)
            if not position.ended:
                await asyncio.sleep(pause)

    async def _connection(self) -> AsyncGenerator[Event, None]:
        position = self._position
        token = await self._transport.token(self._refused)
        async with self._transport.stream(self._path, position.headers(), token, SILENCE_SECONDS) as response:
            if response.status_code != 200 or "text/event-stream" not in response.headers.get("Content-Type", ""):
                await response.aread()
                self._check(response, token)
                return
            self._outage.over()
            self._refused = None
            parser = EventParser(position)
            async for chunk in response.aiter_bytes():
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

"""A relay for HTTP on 127.0.0.1: a load balancer, which fails where it is told to. Then it loses requests and answers,
or answers in HTML."""

import asyncio
import threading
from collections.abc import Callable
from itertools import cycle
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit

# What happens to a request: nothing; it is lost on its way; its answer is lost, whole or from the middle on; a gateway
# answers in its place, before or after the server has done it; the answer is late; a gateway hides the server behind a
# page of its own.
Fault = Literal[
    "none", "lose_request", "lose_answer", "half_answer", "gateway", "gateway_after", "late", "busy", "page"
]
LATE_SECONDS = 0.4
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class Request:
    """What a plan sees of a request."""

    def __init__(self, head: bytes) -> None:
        self.method, self.path = head.decode("latin-1").split(" ", 2)[:2]
        self.tool = self.path.rpartition("/")[2]


Plan = Callable[[Request], Fault]


class Relay:
    """Runs in a thread of its own. Each connection carries one request; the targets take turns.

    Attributes:
        plan: Which fault a request meets. It may be exchanged at any time.
        tools: How often each tool reached the relay.
    """

    def __init__(self, *targets: str) -> None:
        self._turns = cycle([(parts.hostname or "", parts.port or 80) for parts in map(urlsplit, targets)])
        self.plan: Plan = lambda request: "none"
        self.tools: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = ""

    def __enter__(self) -> "Relay":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Cuts every connection that is open now."""
        self._loop.call_soon_threadsafe(self._cut)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        await asyncio.sleep(0)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head, body = await _read_request(reader)
            request = Request(head)
            self.tools[request.tool] = self.tools.get(request.tool, 0) + 1
            await self._answer(self.plan(request), head, body, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, fault: Fault, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if fault == "lose_request":
            writer.transport.abort()
            return
        if fault in ("gateway", "busy", "page"):
            status = {"gateway": b"502 Bad Gateway", "busy": b"429 Too Many Requests", "page": b"200 OK"}[fault]
            await _send_html(writer, status)
            return
        if fault == "late":
            await asyncio.sleep(LATE_SECONDS)
        upstream, sender = await asyncio.open_connection(*next(self._turns))
        try:
            sender.write(head + body)
            await sender.drain()
            if fault in ("lose_answer", "half_answer", "gateway_after"):
                answer = await upstream.read()
                if fault == "gateway_after":
                    await _send_html(writer, b"502 Bad Gateway")
                    return
                if fault == "half_answer":
                    writer.write(answer[: len(answer) * 2 // 3])
                    await writer.drain()
                    await asyncio.sleep(0.01)
                writer.transport.abort()
                return
            # A stream of events has no end: what comes goes on at once.
            while chunk := await upstream.read(65536):
                writer.write(chunk)
                await writer.drain()
        finally:
            sender.close()


async def _read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if line]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    # The server ends the connection after its answer, so the end of the answer is the end of the connection.
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]), await reader.readexactly(length)


async def _send_html(writer: asyncio.StreamWriter, status: bytes) -> None:
    head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (status, len(_HTML)) + _HTML)
    await writer.drain()

"""The rounds, which are the same for every framework.

The framework's own agent, with the framework's own MCP client, lists the tools of a server, makes five calls and waits
for a message. The server is killed and started again, and the agent reads what there is. It does what the scripted
model says; this program looks at what came back, and at what is on the server.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

import httpx
from model import THE_END, Model, Step  # It lets the next import find what the tests share.
from server import Server, running, why_no_server

from shared_context import Client

LIMIT_SECONDS = 240
WAIT_SECONDS = 20

FIRST = "The price is rounded before tax"
SECOND = "Then it is rounded twice"
VALUE = {"page": "checkout", "line": 42}


class Place(NamedTuple):
    """Where the server and the model are, for the framework."""

    url: str
    headers: dict[str, str]
    model_url: str


# Has the framework's agent do what a text says, and returns what the agent says in the end.
Ask = Callable[[str], Awaitable[str]]
# Connects the framework to the server, and makes the agent.
Connect = Callable[[Place], AbstractAsyncContextManager[Ask]]

CALLS: list[Step] = [
    ("create_session", lambda _: {"purpose": "Review the checkout page"}),
    ("add_message", lambda got: {"session_id": got["create_session"]["session_id"], "content": FIRST}),
    ("get_messages", lambda got: {"session_id": got["create_session"]["session_id"]}),
    ("set_memory", lambda _: {"key": "next step", "value": VALUE}),
    ("search_context", lambda got: {"session_id": got["create_session"]["session_id"], "query": "rouned price"}),
]


def wait_in(session_id: str, after_seq: int) -> list[Step]:
    arguments = {"session_id": session_id, "after_seq": after_seq, "timeout_seconds": WAIT_SECONDS}
    return [("wait_for_messages", lambda _: arguments)]


def read_in(session_id: str) -> list[Step]:
    return [("get_messages", lambda _: {"session_id": session_id})]


class Rounds:
    """One run of the rounds of a framework."""

    def __init__(self, connect: Connect, agent_id: str, server: Server, model: Model) -> None:
        self._connect = connect
        self._agent_id = agent_id
        self._server = server
        self._model = model
        headers = {"X-API-Key": server.api_key, "X-Agent-Id": agent_id}
        self._place = Place(f"{server.url}/mcp", headers, model.url)

    async def run(self) -> dict[str, object]:
        async with self._connect(self._place) as ask:
            session_id, seq = await self._five_calls(ask)
            listed = len(self._names())
            await self._wait(ask, session_id, seq)
            await asyncio.to_thread(self._server.stop, signal.SIGKILL)
            await asyncio.to_thread(self._server.start)
            lost = await self._lost(ask, session_id)
        if lost:
            async with self._connect(self._place) as ask:
                await self._read(ask, session_id)
        reconnect = "new connection" if lost else "by itself"
        return {"listed": listed, "calls": len(CALLS), "wait": True, "reconnect": reconnect}

    async def _five_calls(self, ask: Ask) -> tuple[str, int]:
        """Makes them, and looks at what each has done. Returns the session and the last message's seq."""
        await self._play(ask, CALLS)
        got = self._model.answers
        missing = [name for name in self._names() if not any(tool.endswith(name) for tool in self._model.offered)]
        expect([], missing, "tools that the framework did not offer to the model")
        session_id = got["create_session"]["session_id"]
        expect([FIRST], contents(got["get_messages"]), "get_messages")
        expect([self._agent_id], [message["sender"] for message in got["get_messages"]["messages"]], "the sender")
        expect([FIRST], [found["message"]["content"] for found in got["search_context"]["results"]], "search_context")
        expect("next step", got["set_memory"]["key"], "set_memory")
        with self._client(self._agent_id) as same:
            expect(VALUE, same.get_memory(key="next step")["value"], "the value stored")
            expect("Review the checkout page", same.get_session(session_id=session_id)["session"]["purpose"], "purpose")
        return session_id, got["add_message"]["seq"]

    async def _wait(self, ask: Ask, session_id: str, seq: int) -> None:
        written = asyncio.create_task(asyncio.to_thread(self._write_to_who_waits, session_id))
        await self._play(ask, wait_in(session_id, seq))
        await written
        answer = self._model.answers["wait_for_messages"]
        expect([SECOND], contents(answer), "wait_for_messages")
        expect(False, answer["timed_out"], "timed_out")

    async def _read(self, ask: Ask, session_id: str) -> None:
        await self._play(ask, read_in(session_id))
        expect([FIRST, SECOND], contents(self._model.answers["get_messages"]), "get_messages after the restart")

    async def _lost(self, ask: Ask, session_id: str) -> bool:
        """Whether the restart has ended the connection, so that the agent cannot read through it."""
        try:
            await self._read(ask, session_id)
        except Exception as error:
            print(f"Over the connection of before the restart: {type(error).__name__}: {error}", file=sys.stderr)
            return True
        return False

    async def _play(self, ask: Ask, script: list[Step]) -> None:
        self._model.play(script)
        said = await ask("Review the checkout page.")
        if self._model.fault is not None:
            raise AssertionError(self._model.fault)
        expect(True, self._model.over, "every call of the script was answered")
        expect(True, THE_END in said, f"what the agent says in the end ({said[:200]!r}) is what the model said")

    def _write_to_who_waits(self, session_id: str) -> None:
        """Writes a message as soon as the server says that the framework's agent waits."""
        with self._client("watcher") as watcher:
            until = time.monotonic() + WAIT_SECONDS
            while time.monotonic() < until:
                agents = watcher.list_agents(query=self._agent_id)["agents"]
                if any(agent["waiting"] for agent in agents):
                    watcher.add_message(session_id=session_id, content=SECOND)
                    return
                time.sleep(0.2)
        raise AssertionError(f"{self._agent_id} never waited")

    def _client(self, agent_id: str) -> Client:
        return Client(agent_id, url=self._server.url, api_key=self._server.api_key)

    def _names(self) -> set[str]:
        """The tools that the server lists, without any framework."""
        headers = {**self._place.headers, "Accept": "application/json, text/event-stream"}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answer = httpx.post(self._place.url, headers=headers, json=asked).raise_for_status().json()
        return {tool["name"] for tool in answer["result"]["tools"]}


def contents(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [message["content"] for message in answer["messages"]]


def expect(wanted: object, found: object, what: str) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


async def rounds(name: str, connect: Connect) -> dict[str, object]:
    with Model() as model, running(Server()) as server:
        return await asyncio.wait_for(Rounds(connect, f"rounds-{name}", server, model).run(), LIMIT_SECONDS)


def run(name: str, connect: Connect) -> None:
    """Prints what has been found as one line of JSON, or ends with the fault."""
    why = why_no_server()
    if why is not None:
        sys.exit(why)
    print(json.dumps(asyncio.run(rounds(name, connect))))

"""What the programs of this folder share. Each runs in the environment of one framework, and prints what it found."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from answers import find

URL = os.environ["SHARED_CONTEXT_URL"] + "/mcp?toolsets=all"
HEADERS = {"X-API-Key": os.environ["SHARED_CONTEXT_API_KEY"], "X-Agent-Id": "converter"}

Call = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Found:
    """How many tools a framework has taken, and which it has refused, in which mode of its converter, and why."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.refused: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.called = 0

    def load(self, name: str, convert: Callable[[], Any], mode: str = "") -> None:
        try:
            convert()
            self.loaded.add(name)
        except Exception as error:
            self.refused[f"{name} {mode}".strip()] = reason(error)

    async def call(self, call: Call) -> None:
        """Calls some tools through the framework, each with what the answers before it named."""
        ids: dict[str, Any] = {}
        for name, arguments, kept in CALLS:
            given = {
                key: ids.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()
            }
            try:
                answer = said(await call(name, given))
                ids.update({word: dig(answer, path) for word, path in kept.items()})
                self.called += 1
            except Exception as error:
                self.failed[name] = reason(error)

    def tell(self) -> None:
        print(json.dumps({**vars(self), "loaded": len(self.loaded - {name.split()[0] for name in self.refused})}))


# A name that begins with "the " stands for what an earlier answer has named.
CALLS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("create_session", {"purpose": "Converters", "metadata": {"of": "a run"}}, {"the session": "session_id"}),
    (
        "add_message",
        {"session_id": "the session", "content": "x", "payload": {"n": [1, 2]}, "to": ["somebody"]},
        {"the message": "message_id"},
    ),
    ("get_messages", {"session_id": "the session", "limit": 10}, {}),
    ("set_memory", {"key": "text", "value": "x", "session_id": "the session"}, {}),
    ("set_memory", {"key": "objects", "value": [{"a": 1}, {"a": 2}], "session_id": "the session"}, {}),
    ("get_memory", {"key": "objects", "session_id": "the session"}, {}),
    ("create_task", {"title": "a task", "session_id": "the session"}, {"the task": "task.task_id"}),
    ("claim_task", {"task_id": "the task"}, {"the token": "lease.token"}),
    ("complete_task", {"task_id": "the task", "lease_token": "the token", "result": {"done": True}}, {}),
    ("search_context", {"query": "x", "session_id": "the session"}, {}),
]


def input_of(tool: Any) -> dict[str, Any]:
    """The schema of a tool's arguments, as either generation of the package `mcp` calls it."""
    schema: dict[str, Any] = tool.input_schema if hasattr(tool, "input_schema") else tool.inputSchema
    return schema


def names_of(schema: dict[str, Any]) -> set[str]:
    return set(schema["properties"])


def said(answer: Any) -> dict[str, Any]:
    """The object of the service in whatever a framework makes of it."""
    text = answer if isinstance(answer, str) else json.dumps(answer, default=plain)
    found = find(json.loads(text) if text.lstrip().startswith(("{", "[")) else text)
    if found is None:
        raise ValueError(f"no answer of the service in {text[:200]}")
    if found.get("success") is not True:
        raise ValueError(str(found.get("error")))
    return found


def plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else vars(value)


def dig(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value[name]
    return value


def reason(error: BaseException) -> str:
    # Of a group of exceptions, which Python 3.10 does not know, the first says enough.
    while inner := getattr(error, "exceptions", ()):
        error = inner[0]
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:200]


def run(work: Callable[[Found], Awaitable[None]]) -> None:
    found = Found()
    asyncio.run(limited(work, found))
    found.tell()


async def limited(work: Callable[[Found], Awaitable[None]], found: Found) -> None:
    await asyncio.wait_for(work(found), 180)

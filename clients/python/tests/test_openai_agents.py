"""OpenAI Agents SDK: a run remembers what an earlier one said, and its agent uses the tools."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shared_context import Client

pytest.importorskip("agents", reason="openai-agents is not here")

from agents import Agent, Model, ModelResponse, Runner, Usage, set_tracing_disabled
from agents.memory.session import Session
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from shared_context.integrations.openai_agents import SharedContextSession, shared_context_tools

set_tracing_disabled(True)


def says(text: str) -> Any:
    part = ResponseOutputText(annotations=[], text=text, type="output_text", logprobs=[])
    return ResponseOutputMessage(id="m", content=[part], role="assistant", status="completed", type="message")


def calls(name: str, arguments: str) -> Any:
    return ResponseFunctionToolCall(call_id="c1", name=name, arguments=arguments, type="function_call", id="f1")


class Scripted(Model):
    """A model that answers what a script says, and notes what it was asked."""

    def __init__(self, *outputs: Any) -> None:
        self.outputs = list(outputs)
        self.inputs: list[Any] = []

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any) -> ModelResponse:
        self.inputs.append(input)
        return ModelResponse(output=[self.outputs.pop(0)], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def test_items_are_kept_in_their_order(client: Client, another: Client, name: Callable[[str], str]) -> None:
    async def run() -> None:
        key = name("conversation")
        session = SharedContextSession(key, client)
        assert isinstance(session, Session)
        assert await session.get_items() == [] and await session.pop_item() is None
        await session.add_items([])
        items: list[Any] = [{"role": "user", "content": f"message {n}"} for n in range(250)]
        items.append({"type": "function_call_output", "call_id": "c", "output": "x" * 200_000})
        items.append({"role": "assistant", "content": [{"type": "output_text", "text": "é\u0301 🚀"}]})
        await session.add_items(items)
        assert await SharedContextSession(key, client).get_items() == items
        assert await session.get_items(limit=3) == items[-3:]
        assert await session.get_items(limit=0) == []
        assert await session.pop_item() == items[-1]
        # What somebody else writes there is no part of the conversation.
        session_id = another.session(key)
        another.add_message(session_id=session_id, content="I am reading along")
        assert await session.pop_item() == items[-2]
        found = another.search_context(session_id=session_id, query="message 17")["results"]
        assert found[0]["message"]["payload"] == items[17]
        await session.clear_session()
        assert await session.get_items() == []
        await session.add_items(items[:1])
        assert await session.get_items() == items[:1]

    asyncio.run(run())


def test_a_private_conversation_is_read_by_nobody_else(
    client: Client, another: Client, name: Callable[[str], str]
) -> None:
    async def run() -> None:
        key = name("conversation")
        await SharedContextSession(key, client, visibility="private").add_items([{"role": "user", "content": "secret"}])
        assert await SharedContextSession(key, another).get_items() == []

    asyncio.run(run())


def test_a_run_remembers_an_earlier_one_and_uses_tools(
    client: Client, another: Client, name: Callable[[str], str]
) -> None:
    async def run() -> None:
        session_id = client.create_session(purpose="A team")["session_id"]
        model = Scripted(calls("share_with_team", '{"content": "Shelf 7 is damaged"}'), says("Shared."), says("Ada."))
        agent = Agent(name="helper", model=model, tools=list(shared_context_tools(client, session_id)))
        key = name("conversation")
        first = await Runner.run(agent, "My name is Ada. Share it.", session=SharedContextSession(key, client))
        assert first.final_output == "Shared."
        second = await Runner.run(agent, "What is my name?", session=SharedContextSession(key, client))
        assert second.final_output == "Ada."
        asked = [item.get("content") for item in model.inputs[-1]]
        assert asked[0] == "My name is Ada. Share it." and asked[-1] == "What is my name?"
        assert [message["content"] for message in another.iter_messages(session_id)] == ["Shelf 7 is damaged"]

    asyncio.run(run())

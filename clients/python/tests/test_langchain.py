"""LangChain: a chain remembers its conversation, and its tools work."""

import asyncio
from collections.abc import Callable

import pytest

from shared_context import Client

pytest.importorskip("langchain_core", reason="langchain-core is not here")

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables.history import RunnableWithMessageHistory

from shared_context.integrations.langchain import (
    SharedContextChatMessageHistory,
    shared_context_tools,
)


def test_a_history_keeps_messages_of_all_kinds(client: Client, name: Callable[[str], str]) -> None:
    key = name("history")
    history = SharedContextChatMessageHistory(client, key)
    assert history.messages == []
    call = {"name": "look", "args": {"n": 1}, "id": "call-1", "type": "tool_call"}
    messages = [
        HumanMessage("Where?", id="1"),
        AIMessage("", tool_calls=[call], id="2"),
        ToolMessage("There", tool_call_id="call-1", id="3"),
        AIMessage([{"type": "text", "text": "There."}], id="4"),
    ]
    history.add_messages(messages)
    assert SharedContextChatMessageHistory(client, key).messages == messages
    assert SharedContextChatMessageHistory(client, key, limit=2).messages == messages[-2:]
    history.add_user_message("And then?")
    assert history.messages[-1].content == "And then?"
    history.clear()
    assert history.messages == []


def test_a_chain_remembers(client: Client, name: Callable[[str], str]) -> None:
    async def run() -> None:
        model = FakeListChatModel(responses=["By the river.", "A blanket."])
        chain = RunnableWithMessageHistory(
            model, lambda session_id: SharedContextChatMessageHistory(client, session_id)
        )
        config = {"configurable": {"session_id": name("chain")}}
        chain.invoke("Where shall we sit?", config)  # type: ignore[arg-type]
        await chain.ainvoke("What shall we bring?", config)  # type: ignore[arg-type]
        history = SharedContextChatMessageHistory(client, config["configurable"]["session_id"])
        contents = [message.content for message in await history.aget_messages()]
        assert contents == ["Where shall we sit?", "By the river.", "What shall we bring?", "A blanket."]
        await history.aclear()
        assert history.messages == []

    asyncio.run(run())


def test_the_tools(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="A team")["session_id"]
    tools = {tool.name: tool for tool in shared_context_tools(client, session_id)}
    others = {tool.name: tool for tool in shared_context_tools(another, session_id)}
    assert "where every agent of the team can read it" in tools["share_with_team"].description
    assert tools["share_with_team"].invoke({"content": "The meadow has shade"}).startswith("Written as message")
    assert "The meadow has shade" in others["read_team_messages"].invoke({})
    assert "The meadow has shade" in others["search_team_messages"].invoke({"query": "meadow"})
    assert others["search_team_messages"].invoke({"query": "glacier"}) == "Nothing was found."
    tools["remember"].invoke({"key": "place", "value": "the river"})
    assert tools["recall"].invoke({"key": "place"}) == "the river"
    assert others["recall"].invoke({"key": "place"}) == "Nothing is kept under 'place'."
    assert "the river" in tools["search_memory"].invoke({"query": "river"})
    # A model is told what to do about an error.
    client.close_session(session_id=session_id)
    answer = tools["share_with_team"].invoke({"content": "Too late"})
    assert answer.startswith("It did not work. SESSION_CLOSED") and "create_session" in answer

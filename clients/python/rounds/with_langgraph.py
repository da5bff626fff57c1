"""LangGraph: a graph of a model and a node for tools, which langchain-mcp-adapters loads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from common import Ask, Place, run
from langchain_core.messages import HumanMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from model import NAME
from pydantic import SecretStr


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    client = MultiServerMCPClient(
        {"shared": {"transport": "streamable_http", "url": place.url, "headers": place.headers}}
    )
    # One connection for all calls. get_tools() would make one for each.
    async with client.session("shared") as session:
        tools = await load_mcp_tools(session)
        model = ChatOpenAI(model=NAME, base_url=place.model_url, api_key=SecretStr("none")).bind_tools(tools)

        async def think(state: MessagesState) -> dict[str, Any]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        builder = StateGraph(MessagesState)
        builder.add_node("think", think)
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "think")
        builder.add_conditional_edges("think", tools_condition)
        builder.add_edge("tools", "think")
        graph = builder.compile()

        async def ask(text: str) -> str:
            state = await graph.ainvoke({"messages": [HumanMessage(text)]})
            return str(state["messages"][-1].content)

        yield ask


run("langgraph", connect)

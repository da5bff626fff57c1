"""LangChain: its agent, with the tools that langchain-mcp-adapters loads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common import Ask, Place, run
from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI
from model import NAME
from pydantic import SecretStr


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    client = MultiServerMCPClient(
        {"shared": {"transport": "streamable_http", "url": place.url, "headers": place.headers}}
    )
    # One connection for all calls. get_tools() would make one for each.
    async with client.session("shared") as session:
        model = ChatOpenAI(model=NAME, base_url=place.model_url, api_key=SecretStr("none"))
        agent = create_agent(model, await load_mcp_tools(session))

        async def ask(text: str) -> str:
            state = await agent.ainvoke({"messages": [{"role": "user", "content": text}]})
            return str(state["messages"][-1].content)

        yield ask


run("langchain", connect)

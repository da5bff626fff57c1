"""OpenAI Agents SDK: its agent, with its MCP server over streamable HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp
from common import WAIT_SECONDS, Ask, Place, run
from model import NAME
from openai import AsyncOpenAI


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel(NAME, AsyncOpenAI(base_url=place.model_url, api_key="none"))
    # By itself it gives up a call after 5 seconds.
    async with MCPServerStreamableHttp(
        {"url": place.url, "headers": place.headers}, client_session_timeout_seconds=WAIT_SECONDS + 10
    ) as server:
        agent = Agent(name="reviewer", model=model, mcp_servers=[server])

        async def ask(text: str) -> str:
            return str((await Runner.run(agent, text)).final_output)

        yield ask


run("openai-agents", connect)

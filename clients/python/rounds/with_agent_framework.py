"""Microsoft Agent Framework: its agent, with its MCP tool over streamable HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_framework import Agent, MCPStreamableHTTPTool
from agent_framework.openai import OpenAIChatCompletionClient
from common import Ask, Place, run
from model import NAME


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    client = OpenAIChatCompletionClient(NAME, api_key="none", base_url=place.model_url)
    async with (
        MCPStreamableHTTPTool("shared", place.url, static_headers=place.headers) as tool,
        Agent(client, tools=tool) as agent,
    ):

        async def ask(text: str) -> str:
            return str((await agent.run(text)).text)

        yield ask


run("agent-framework", connect)

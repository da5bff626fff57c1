"""AutoGen: its AssistantAgent, with its workbench of an MCP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.tools.mcp import McpWorkbench, StreamableHttpServerParams
from common import CALLS, WAIT_SECONDS, Ask, Place, run
from model import NAME


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    params = StreamableHttpServerParams(
        url=place.url, headers=place.headers, timeout=WAIT_SECONDS + 10, sse_read_timeout=WAIT_SECONDS + 10
    )
    async with McpWorkbench(params) as workbench:
        model = OpenAIChatCompletionClient(model=NAME, base_url=place.model_url, api_key="none")
        # It ends after max_tool_iterations, with what the last tool has answered.
        agent = AssistantAgent("reviewer", model, workbench=workbench, max_tool_iterations=len(CALLS) + 1)

        async def ask(text: str) -> str:
            last = (await agent.run(task=text)).messages[-1]
            return last.content if isinstance(last, TextMessage) else last.to_text()

        yield ask


run("autogen", connect)

"""CrewAI: a crew of one agent, with the MCP adapter of crewai-tools."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common import Ask, Place, run
from model import NAME

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

from crewai import LLM, Agent, Crew, Task
from crewai_tools import MCPServerAdapter


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Ask]:
    # It runs in a thread of its own.
    adapter = MCPServerAdapter({"url": place.url, "transport": "streamable-http", "headers": place.headers})
    try:
        agent = Agent(
            role="reviewer",
            goal="Review what there is",
            backstory="You are careful.",
            llm=LLM(model=f"openai/{NAME}", base_url=place.model_url, api_key="none"),
            tools=adapter.tools,
            cache=False,  # Else it does not repeat a call with the same arguments.
        )

        async def ask(text: str) -> str:
            task = Task(description=text, expected_output="A sentence", agent=agent)
            return str(await Crew(agents=[agent], tasks=[task], cache=False).kickoff_async())

        yield ask
    finally:
        adapter.stop()


with tempfile.TemporaryDirectory(prefix="scs-crewai-") as home:
    os.environ["CREWAI_STORAGE_DIR"] = home
    run("crewai", connect)

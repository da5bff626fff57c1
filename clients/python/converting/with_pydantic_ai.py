"""The tools as Pydantic AI takes them, and as it rewrites their schemas for OpenAI and for Gemini."""

from typing import Any

from common import HEADERS, URL, Found, input_of, names_of, run
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

TRANSFORMERS = {"openai": OpenAIJsonSchemaTransformer, "google": GoogleJsonSchemaTransformer}


async def work(found: Found) -> None:
    async with MCPToolset(URL, headers=HEADERS) as server:
        for tool in await server.list_tools():
            for mode, transformer in TRANSFORMERS.items():

                def convert(tool: Any = tool, transformer: Any = transformer) -> None:
                    schema = transformer(input_of(tool), strict=None).walk()
                    assert names_of(schema) == names_of(input_of(tool))

                found.load(tool.name, convert, mode)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await server.direct_call_tool(name, arguments)

        await found.call(call)


run(work)

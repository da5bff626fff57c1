"""The tools as Google's SDK makes declarations of functions of them, for both of its services."""

from typing import Any

from common import HEADERS, URL, Found, input_of, names_of, run
from google.genai import _mcp_utils
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def work(found: Found) -> None:
    async with streamablehttp_client(URL, headers=HEADERS) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        for tool in (await session.list_tools()).tools:
            for mode, is_agent_platform in (("", False), ("agent platform", True)):

                def convert(tool: Any = tool, is_agent_platform: bool = is_agent_platform) -> None:
                    declared = _mcp_utils.mcp_to_gemini_tools([tool], is_agent_platform)[0].function_declarations[0]
                    schema = declared.parameters_json_schema or declared.parameters.model_dump()
                    assert names_of(schema) == names_of(input_of(tool))

                found.load(tool.name, convert, mode)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await session.call_tool(name, arguments)

        await found.call(call)


run(work)

"""The tools as Google's SDK makes declarations of functions of them, for both of its services."""

from typing import Any

from common import HEADERS, URL, Found, run
from google.genai import _mcp_utils
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def work(found: Found) -> None:
    async with streamablehttp_client(URL, headers=HEADERS) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        for tool in (await session.list_tools()).tools:

            def convert(tool: Any = tool) -> None:
                declared = _mcp_utils.mcp_to_gemini_tools([tool])[0].function_declarations[0]
                assert declared.name == tool.name

            found.load(tool.name, convert)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await session.call_tool(name, arguments)

        await found.call(call)


run(work)

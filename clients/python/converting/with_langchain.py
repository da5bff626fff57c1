"""The tools as LangChain takes them, and as it passes them to models of OpenAI."""

from typing import Any

from common import HEADERS, URL, Found, input_of, names_of, run
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool


async def work(found: Found) -> None:
    client = MultiServerMCPClient({"shared": {"transport": "streamable_http", "url": URL, "headers": HEADERS}})
    async with client.session("shared") as session:
        tools: dict[str, Any] = {}
        for tool in (await session.list_tools()).tools:

            def convert(tool: Any = tool) -> None:
                tools[tool.name] = convert_mcp_tool_to_langchain_tool(session, tool)
                function = convert_to_openai_tool(tools[tool.name])["function"]
                assert names_of(function["parameters"]) == names_of(input_of(tool))

            found.load(tool.name, convert)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await tools[name].ainvoke(arguments)

        await found.call(call)


run(work)

"""The tools as the OpenAI Agents SDK takes them, as they are and with its strict schemas."""

import json
from typing import Any

from agents.mcp import MCPServerStreamableHttp, MCPUtil
from agents.tool_context import ToolContext
from common import HEADERS, URL, Found, input_of, names_of, run


async def work(found: Found) -> None:
    async with MCPServerStreamableHttp(params={"url": URL, "headers": HEADERS}) as server:
        tools: dict[str, Any] = {}
        for tool in await server.list_tools():
            for mode, strict in (("strict", True), ("", False)):

                def convert(tool: Any = tool, strict: bool = strict) -> None:
                    made = MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=strict)
                    assert names_of(made.params_json_schema) == names_of(input_of(tool))
                    tools[tool.name] = made

                found.load(tool.name, convert, mode)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            text = json.dumps(arguments)
            context = ToolContext(context=None, tool_name=name, tool_call_id="1", tool_arguments=text)
            return await tools[name].on_invoke_tool(context, text)

        await found.call(call)


run(work)

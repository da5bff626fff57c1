"""The tools as AutoGen takes them: each gets a class of pydantic for its arguments."""

from typing import Any

from autogen_core import CancellationToken
from autogen_ext.tools.mcp import StreamableHttpMcpToolAdapter, StreamableHttpServerParams, create_mcp_server_session
from common import HEADERS, URL, Found, input_of, names_of, run


async def work(found: Found) -> None:
    params = StreamableHttpServerParams(url=URL, headers=HEADERS)
    async with create_mcp_server_session(params) as session:
        await session.initialize()
        adapters: dict[str, StreamableHttpMcpToolAdapter] = {}
        for tool in (await session.list_tools()).tools:

            def convert(tool: Any = tool) -> None:
                adapters[tool.name] = StreamableHttpMcpToolAdapter(params, tool, session)
                # What a model is told of it.
                assert names_of(adapters[tool.name].schema["parameters"]) == names_of(input_of(tool))

            found.load(tool.name, convert)

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await adapters[name].run_json(arguments, CancellationToken())

        await found.call(call)


run(work)

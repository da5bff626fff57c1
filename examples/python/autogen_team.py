"""An AutoGen team of three that shares one session, and one token, of shared-context-server.

Needs: pip install autogen-agentchat "autogen-ext[openai]" httpx
With OPENAI_API_KEY set a real model answers; without it the answers are scripted, so that this runs anywhere.
"""

import asyncio
import json
import os

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.models import ChatCompletionClient, CreateResult, ModelFamily, RequestUsage
from autogen_core.tools import FunctionTool
from autogen_ext.models.replay import ReplayChatCompletionClient

from small_client import SharedContext, printable

ROLES = {
    "researcher": "Find facts about the question and share each with share_finding.",
    "critic": "Search what the team has found with search_findings and share what is doubtful about it with share_finding.",
    "writer": "Search the findings with search_findings, answer the question from them, and end with DONE.",
}


def tools_for(role: str, team: SharedContext, session: str) -> list[FunctionTool]:
    """The whole team is one agent to the server (one token); who of them wrote is in the metadata."""

    # The client is synchronous: in a thread it does not hold up the team's event loop.
    async def share_finding(finding: str) -> str:
        message_id = await asyncio.to_thread(team.say, session, finding, metadata={"agent": role})
        return f"shared as message {message_id}"

    async def search_findings(query: str) -> str:
        results = await asyncio.to_thread(team.search, session, query, fuzzy_threshold=50)
        return "\n".join(f"{r['message']['metadata']['agent']}: {r['message']['content']}" for r in results) or "nothing found"

    return [
        FunctionTool(share_finding, description="Share one finding with the team."),
        FunctionTool(search_findings, description="Search what the team has shared so far."),
    ]


def model_for(role: str) -> ChatCompletionClient:
    if os.environ.get("OPENAI_API_KEY"):
        from autogen_ext.models.openai import OpenAIChatCompletionClient

        return OpenAIChatCompletionClient(model=os.environ.get("OPENAI_MODEL", "gpt-4o-mini"))
    script = {
        "researcher": [call("share_finding", finding="Octopuses have three hearts"), "Shared what I found."],
        "critic": [call("search_findings", query="octopus hearts"), "The finding stands."],
        "writer": [call("search_findings", query="octopus hearts"), "Octopuses have three hearts. DONE"],
    }[role]
    return ReplayChatCompletionClient(
        script, model_info={"vision": False, "function_calling": True, "json_output": False, "family": ModelFamily.UNKNOWN, "structured_output": False}
    )


def call(name: str, **arguments: str) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=f"call-{name}", name=name, arguments=json.dumps(arguments))],
        usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )


async def main() -> None:
    with SharedContext("research-team", "autogen") as team_context:
        session = team_context.open_session("How many hearts does an octopus have?", framework="autogen")
        team = RoundRobinGroupChat(
            [
                AssistantAgent(
                    role,
                    model_client=model_for(role),
                    tools=tools_for(role, team_context, session),
                    system_message=instructions,
                    reflect_on_tool_use=True,
                )
                for role, instructions in ROLES.items()
            ],
            termination_condition=TextMentionTermination("DONE") | MaxMessageTermination(12),
        )
        result = await team.run(task="How many hearts does an octopus have?")
        print(printable(result.messages[-1].to_text()))

        for message in team_context.messages(session):
            print(printable(f"{message['metadata']['agent']}: {message['content']}"))


if __name__ == "__main__":
    asyncio.run(main())

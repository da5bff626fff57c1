"""A CrewAI crew whose agents share a session: a thread of findings, each an answer to the task it belongs to.

Needs: pip install crewai httpx
With OPENAI_API_KEY set a real model answers; without it the answers are scripted, so that this runs anywhere.
"""

import os
from typing import Any

from crewai import Agent, BaseLLM, Crew, Process, Task
from crewai.tools import BaseTool, tool

from small_client import SharedContext, printable


def tools_for(context: SharedContext, session: str, thread: int) -> list[BaseTool]:
    @tool("share_finding")
    def share_finding(finding: str) -> str:
        """Share one finding with the crew."""
        return f"shared as message {context.say(session, finding, parent_message_id=thread)}"

    @tool("read_findings")
    def read_findings(query: str) -> str:
        """Search what the crew has shared so far."""
        results = context.search(session, query, fuzzy_threshold=50)
        return "\n".join(f"{r['message']['sender']}: {r['message']['content']}" for r in results) or "nothing found"

    return [share_finding, read_findings]


class ScriptedLLM(BaseLLM):
    """Says what it is told to say, one line a call; in the format CrewAI expects of models without tool calling."""

    script: list[str]

    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        return self.script.pop(0)

    def supports_function_calling(self) -> bool:
        return False


def llm_for(role: str) -> BaseLLM | str:
    if os.environ.get("OPENAI_API_KEY"):
        return os.environ.get("OPENAI_MODEL", "openai/gpt-4o-mini")
    steps = {
        "analyst": ('share_finding\nAction Input: {"finding": "Mornings are the busiest time"}', "Mornings are busiest."),
        "planner": ('read_findings\nAction Input: {"query": "busiest time"}', "Put two people on the morning shift."),
    }[role]
    return ScriptedLLM(model="scripted", script=[f"Thought: I use a tool.\nAction: {steps[0]}", f"Thought: I now know the final answer\nFinal Answer: {steps[1]}"])


def main() -> None:
    lead = SharedContext("crew-lead", "crewai")
    session = lead.open_session("Staff the tea shop", framework="crewai")
    thread = lead.say(session, "When do we need how many people?")

    # Each member has a token of its own: the server knows who wrote what.
    contexts = {role: SharedContext(role, "crewai") for role in ("analyst", "planner")}
    agents = {
        role: Agent(role=role, goal="Staff the tea shop well", backstory=f"You are the {role}.", llm=llm_for(role), tools=tools_for(context, session, thread))
        for role, context in contexts.items()
    }
    analysis = Task(description="Find the busiest time and share it.", expected_output="The busiest time", agent=agents["analyst"])
    plan = Task(description="Read the findings and plan the shifts.", expected_output="A plan", agent=agents["planner"], context=[analysis])
    result = Crew(agents=list(agents.values()), tasks=[analysis, plan], process=Process.sequential).kickoff()

    contexts["planner"].say(session, result.raw, parent_message_id=thread, metadata={"kind": "plan"})
    for message in lead.messages(session, parent_message_id=thread):
        print(printable(f"{message['sender']}: {message['content']}"))
    for context in (lead, *contexts.values()):
        context.close()


if __name__ == "__main__":
    main()

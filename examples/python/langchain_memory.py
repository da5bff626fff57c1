"""LangChain: a chat history and two tools that live in shared-context-server.

Needs: pip install langchain-core httpx
The model is a scripted one, so that this runs anywhere; put your own in its place.
"""

from typing import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import BaseMessage, HumanMessage, messages_from_dict, messages_to_dict
from langchain_core.tools import BaseTool, tool

from small_client import SharedContext, printable


class SharedContextChatHistory(BaseChatMessageHistory):
    """The conversation of one agent, kept in its memory on the server: a list of messages under one key.

    Nobody else reads it. Without a session it outlives every session; with one it belongs to that session.
    """

    def __init__(self, context: SharedContext, session_id: str | None = None, keep: int = 200):
        self._context = context
        self._session_id = session_id
        self._keep = keep
        self._key = f"{context.agent_id}_conversation_history"

    @property
    def messages(self) -> list[BaseMessage]:
        return messages_from_dict(self._context.recall(self._key, default=[], session_id=self._session_id))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        # A value holds at most 4 MiB (MEMORY_VALUE_LIMIT), so the list is kept to its newest entries.
        kept = [*self.messages, *messages][-self._keep:]
        self._context.remember(self._key, messages_to_dict(kept), session_id=self._session_id)

    def clear(self) -> None:
        self._context.call("delete_memory", key=self._key, session_id=self._session_id)


def team_tools(context: SharedContext, session_id: str) -> list[BaseTool]:
    @tool
    def share_with_team(finding: str) -> str:
        """Write a finding where every agent of the team can read it."""
        return f"shared as message {context.say(session_id, finding)}"

    @tool
    def search_team_context(query: str) -> str:
        """Search what the agents of the team have written."""
        results = context.search(session_id, query)
        return "\n".join(f"{r['message']['sender']}: {r['message']['content']}" for r in results) or "nothing found"

    return [share_with_team, search_team_context]


def main() -> None:
    with SharedContext("langchain-assistant", "langchain") as context:
        session = context.open_session("Plan a picnic", framework="langchain")
        share, search = team_tools(context, session)
        # With a model that can call tools: model.bind_tools([share, search]), or create_agent(model, tools=[share, search]).
        print(share.invoke({"finding": "The meadow by the river has shade in the afternoon"}))
        print(search.invoke({"query": "river meadow"}))

        history = SharedContextChatHistory(context)
        history.clear()
        model = FakeListChatModel(responses=["By the river there is shade.", "Bring a blanket."])
        for question in ["Where shall we sit?", "What shall we bring?"]:
            asked = HumanMessage(question)
            answer = model.invoke([*history.messages, asked])
            history.add_messages([asked, answer])

        # Another process, or tomorrow: the same agent finds its conversation again.
        for message in SharedContextChatHistory(context).messages:
            print(printable(f"{message.type}: {message.content}"))


if __name__ == "__main__":
    main()

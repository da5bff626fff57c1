"""LangChain: a chat history that lives on the server, and tools.

Needs: pip install "shared-context-client[langchain]"
"""

import asyncio
from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict
from langchain_core.tools import BaseTool, StructuredTool

from ..client import Client
from ._conversation import Conversation, Visibility
from ._tools import tools_of


class SharedContextChatMessageHistory(BaseChatMessageHistory):
    """A conversation in a session of the server: one message for each message. Several processes may add to it.

    Args:
        client: The agent that writes the messages, and that alone may clear them.
        session: The id of a session, or any other text: the key of one, which is opened if nobody has.
        visibility: Who else may read them: private for nobody.
        limit: How many messages, the newest ones, a model gets. Default: all.
    """

    def __init__(
        self, client: Client, session: str, *, visibility: Visibility = "public", limit: int | None = None
    ) -> None:
        self._conversation = Conversation(client, session, form="langchain", visibility=visibility)
        self._limit = limit

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        return messages_from_dict(self._conversation.items(self._limit))

    async def aget_messages(self) -> list[BaseMessage]:
        return await asyncio.to_thread(lambda: self.messages)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self._conversation.add([(message.text, message_to_dict(message)) for message in messages])

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        await asyncio.to_thread(self.add_messages, messages)

    def clear(self) -> None:
        self._conversation.clear()

    async def aclear(self) -> None:
        await asyncio.to_thread(self.clear)


def shared_context_tools(client: Client, session_id: str) -> list[BaseTool]:
    """Tools with which the agent of this client takes part in a session."""
    return [StructuredTool.from_function(tool) for tool in tools_of(client, session_id)]

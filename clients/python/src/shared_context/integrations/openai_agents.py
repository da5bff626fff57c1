"""OpenAI Agents SDK: a session that keeps the conversation on the server, and tools.

Needs: pip install "shared-context-client[openai-agents]"
"""

import asyncio
import inspect
from typing import Any, cast

from agents import FunctionTool, SessionSettings, TResponseInputItem, function_tool

from ..client import Client
from ._conversation import Conversation, Visibility
from ._tools import tools_of


class SharedContextSession:
    """A conversation in a session of the server: one message for each item. Other agents and people can follow it.

    Args:
        session_id: The id of a session, or any other text: the key of one, which is opened if nobody has.
        client: The agent that writes the items, and that alone may take them away.
        visibility: Who else may read them: private for nobody.
        session_settings: How many items a run gets, unless it says so itself.
    """

    def __init__(
        self,
        session_id: str,
        client: Client,
        *,
        visibility: Visibility = "public",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self.session_id = session_id
        self.session_settings: SessionSettings | None = _settings(session_settings)
        self._conversation = Conversation(client, session_id, form="openai-agents", visibility=visibility)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        return cast("list[TResponseInputItem]", await asyncio.to_thread(self._conversation.items, limit))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        await asyncio.to_thread(self._conversation.add, [(_text(item), item) for item in items])

    async def pop_item(self) -> TResponseInputItem | None:
        return cast("TResponseInputItem | None", await asyncio.to_thread(self._conversation.pop))

    async def clear_session(self) -> None:
        await asyncio.to_thread(self._conversation.clear)


def shared_context_tools(client: Client, session_id: str) -> list[FunctionTool]:
    """Tools with which the agent of this client takes part in a session."""
    return [function_tool(tool) for tool in tools_of(client, session_id)]


def _settings(given: SessionSettings | dict[str, Any] | None) -> SessionSettings:
    if not isinstance(given, dict):
        return given or SessionSettings()
    unknown = sorted(set(given) - set(inspect.signature(SessionSettings).parameters))
    if unknown:
        raise TypeError(f"Unknown session settings: {', '.join(unknown)}")
    return SessionSettings(**given)


def _text(item: Any) -> str:
    """What a message says; of anything else nothing, so that only messages are found by search."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))

"""AutoGen: a memory that lives on the server, and tools.

Needs: pip install "shared-context-client[autogen]"
"""

import asyncio
import base64
import time
import uuid
from itertools import islice
from typing import Any, Literal

from autogen_core import CancellationToken, Image
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import SystemMessage
from autogen_core.tools import FunctionTool

from ..client import Client
from ._memory import Memory as Values
from ._paths import escaped
from ._quoted import quoted
from ._tools import tools_of
from ._words import search


class SharedContextMemory(Memory):
    """What assistants should remember, in a namespace of the server. Several may share it.

    Before an assistant answers, it gets what fits the last message, as search_memory of the server finds it. If other
    names fill the 100 results of a search, the newest 2000 contents of this one are compared here, by words. With
    `recall="all"` it gets what was added last, in the order in which it was added, as from AutoGen's ListMemory.

    Args:
        client: The agent as which it stores.
        name: Which memory this is: memories of other names in the namespace are apart from it.
        namespace: Where it is. Its first writer owns it; set_namespace says who else may read and write.
        limit: How many contents an assistant gets, at most 100.
        threshold: The least score of what an assistant gets, from 0 to 100.
        recall: Whether an assistant gets what fits, or all.
    """

    component_type = "memory"

    def __init__(
        self,
        client: Client,
        *,
        name: str = "memory",
        namespace: str = "autogen",
        limit: int = 10,
        threshold: float = 60.0,
        recall: Literal["fitting", "all"] = "fitting",
    ) -> None:
        self._name = name
        self._values = Values(client, namespace)
        self._prefix = f"{escaped(name)}/"
        self._limit = limit
        self._threshold = threshold
        self._recall = recall

    @property
    def name(self) -> str:
        return self._name

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        # Keys grow with time, so that what was added first is listed first.
        key = f"{self._prefix}{time.time_ns():020}-{uuid.uuid4().hex}"
        await asyncio.to_thread(self._values.write, [self._values.set(key, _stored(content))])

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """What fits the query, best first, with its score in the metadata; or all, the oldest first."""
        text = query if isinstance(query, str) else str(query.content)
        found = self._newest if self._recall == "all" else lambda: self._search(text)
        return MemoryQueryResult(results=await asyncio.to_thread(found))

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Adds what an assistant gets to the context of a model, as a system message."""
        messages = await model_context.get_messages()
        text = messages[-1].content if messages else ""
        found = await self.query(text if isinstance(text, str) else str(text))
        if found.results:
            lines = [f"{n}. {quoted(str(content.content))}" for n, content in enumerate(found.results, 1)]
            order = "the oldest first" if self._recall == "all" else "best first"
            words = "\n".join([f"Relevant memory content, {order}:", *lines])
            await model_context.add_message(SystemMessage(content=words))
        return UpdateContextResult(memories=found)

    async def clear(self) -> None:
        await asyncio.to_thread(self._values.write, [self._values.delete_below(self._prefix)])

    async def close(self) -> None:
        """Nothing: the client is closed by whoever made it."""

    def _search(self, text: str) -> list[MemoryContent]:
        found = search(self._values, text, self._prefix, wanted=self._limit, threshold=self._threshold)
        return [_content(value, score) for _, value, score in found[: self._limit]]

    def _newest(self) -> list[MemoryContent]:
        entries = self._values.entries(self._prefix, values=True, order="updated", limit=self._limit)
        found = sorted(islice(entries, self._limit), key=lambda entry: entry["key"])
        return [_content(entry["value"]) for entry in found]


def shared_context_tools(client: Client, session_id: str) -> list[FunctionTool]:
    """Tools with which the agent of this client takes part in a session."""
    return [FunctionTool(tool, description=tool.__doc__ or "") for tool in tools_of(client, session_id)]


def _stored(content: MemoryContent) -> dict[str, Any]:
    value: Any = content.content
    if isinstance(value, bytes):
        value = {"base64": base64.b64encode(value).decode()}
    elif isinstance(value, Image):
        value = {"image": value.to_base64()}
    mime_type = content.mime_type
    return {
        "content": value,
        "mime_type": mime_type.value if isinstance(mime_type, MemoryMimeType) else mime_type,
        "metadata": content.metadata or {},
    }


def _content(value: dict[str, Any], score: float | None = None) -> MemoryContent:
    content, mime_type = value["content"], value["mime_type"]
    if isinstance(content, dict) and mime_type != MemoryMimeType.JSON.value:
        if "image" in content:
            content = Image.from_base64(content["image"])
        elif "base64" in content:
            content = base64.b64decode(content["base64"])
    metadata = value["metadata"] if score is None else {**value["metadata"], "score": score}
    return MemoryContent(content=content, mime_type=mime_type, metadata=metadata)

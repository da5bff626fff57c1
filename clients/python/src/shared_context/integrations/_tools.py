"""Tools for models: what an agent of any framework does on the server. Frameworks read the names, types and docstrings.

What other agents wrote goes to the model as their words, with their names: see _quoted.py.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from ..client import Client
from ..errors import MemoryNotFoundError, SharedContextError
from ._quoted import line_of, quoted

# So many messages and results a tool shows.
_SHOWN = 20


def tools_of(client: Client, session_id: str) -> list[Callable[..., str]]:
    """Functions for the agent of this client in this session. They answer with text, errors too."""

    def share_with_team(content: str) -> str:
        """Write a finding, a decision or a question where every agent of the team can read it."""
        answer = client.add_message(session_id=session_id, content=content)
        return f"Written as message {answer['message_id']}."

    def read_team_messages(after_seq: int = 0) -> str:
        """Read what the agents of the team have written, the oldest first. Pass the after_seq of the last answer to
        read only what is new. A line that begins with > goes on with the message above it."""
        page = client.get_messages(session_id=session_id, after_seq=after_seq, limit=_SHOWN)
        lines = [line_of(message) for message in page["messages"]] or ["There is nothing new."]
        more = " There is more." if page["has_more"] else ""
        return "\n".join([*lines, f"(after_seq for the next call: {page['last_seq']}.{more})"])

    def search_team_messages(query: str) -> str:
        """Search what the agents of the team have written, the best match first. A line that begins with > goes on with
        the message above it."""
        results = client.search_context(session_id=session_id, query=query)["results"]
        return "\n".join(line_of(result["message"]) for result in results) or "Nothing was found."

    def ask_agent(agent_id: str, question: str) -> str:
        """Ask another agent by its name, and wait up to 20 seconds for its answer."""
        answer = client.ask(to=agent_id, content=question)
        reply = answer["reply"]
        if reply is not None:
            return line_of(reply)
        return f"{agent_id} has not answered yet. The answer will come to message {answer['message_id']}."

    def remember(key: str, value: str) -> str:
        """Keep a text under a key for later, for yourself alone."""
        client.set_memory(key=key, value=value)
        return f"Kept under {key!r}."

    def recall(key: str) -> str:
        """Read what you have kept under a key."""
        try:
            value = client.get_memory(key=key)["value"]
        except MemoryNotFoundError:
            return f"Nothing is kept under {key!r}."
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def search_memory(query: str) -> str:
        """Search what you have kept, by its key and its text."""
        results = client.search_memory(query=query)["results"]
        found = [quoted(f"{each['key']}: {json.dumps(each['value'], ensure_ascii=False)}") for each in results]
        return "\n".join(found) or "Nothing was found."

    tools: list[Callable[..., str]] = [
        share_with_team,
        read_team_messages,
        search_team_messages,
        ask_agent,
        remember,
        recall,
        search_memory,
    ]
    return [_told(tool) for tool in tools]


def _told(tool: Callable[..., str]) -> Callable[..., str]:
    """The same tool, which tells a model of an error what to do next, in place of raising it."""

    @functools.wraps(tool)
    def answer(*args: Any, **kwargs: Any) -> str:
        try:
            return tool(*args, **kwargs)
        except SharedContextError as error:
            return f"It did not work. {error}"

    return answer

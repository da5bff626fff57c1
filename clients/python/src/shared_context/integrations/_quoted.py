"""Words of others as lines of a text for a model, so that none of them looks like something else."""

import json

from .._generated.models import Message


def quoted(text: str) -> str:
    """Every line after the first begins with `> `: no text can forge a line of somebody else, or of a tool."""
    # splitlines knows every character that a model or a screen may take for the end of a line, such as U+2028.
    return "\n> ".join(text.splitlines())


def line_of(message: Message) -> str:
    """Who wrote it, and what."""
    return f"{_name(message['sender'])}: {quoted(message['content'])}"


def _name(sender: str) -> str:
    # The server takes nearly any name. One such as `lead: yes` would read as words of lead.
    is_odd = ": " in sender or sender.startswith((">", "(", '"')) or len(sender.splitlines()) > 1
    return json.dumps(sender) if is_odd else sender

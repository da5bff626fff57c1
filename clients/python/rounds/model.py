"""A model that plays a script: an OpenAI-compatible server on 127.0.0.1.

Each request gets the next step of the script as a call of a tool, and after the last step a text. As every model does,
it knows only what the framework sends: the tools that there are, and what the earlier calls have answered.
"""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from answers import find

Answer = dict[str, Any]
# A tool, and its arguments, which may come from what the tools before it have answered.
Step = tuple[str, Callable[[dict[str, Answer]], dict[str, Any]]]

NAME = "gpt-4o"  # Frameworks look up by the name what a model can do.
THE_END = "The script is over."


class Model:
    """Runs in a thread of its own.

    Attributes:
        offered: The names of the tools that the framework has offered last.
        answers: What each tool has answered in the present script.
        fault: Why the script did not go on; None if it did.
    """

    def __init__(self) -> None:
        self.offered: list[str] = []
        self.play([])
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> "Model":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def play(self, script: Sequence[Step]) -> None:
        """Begins a script."""
        self._script = list(script)
        self._called = 0
        self.answers: dict[str, Answer] = {}
        self.fault: str | None = None

    @property
    def over(self) -> bool:
        """Whether every call of the script has been answered."""
        return len(self.answers) == len(self._script)

    def _next(self, request: dict[str, Any]) -> dict[str, Any]:
        """The message that answers a request."""
        tools = [tool["function"]["name"] for tool in request.get("tools") or []]
        try:
            if tools and self.fault is None:
                self.offered = tools
                self._hear(request["messages"])
                if self._called < len(self._script):
                    return self._call()
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}"
        return {"role": "assistant", "content": self.fault or THE_END}

    def _call(self) -> dict[str, Any]:
        name, arguments_of = self._script[self._called]
        # A framework may put its name for the server before the tool's.
        offered = next((tool for tool in self.offered if tool.endswith(name)), None)
        if offered is None:
            raise ValueError(f"{name} is not among the tools offered: {', '.join(self.offered)}")
        function = {"name": offered, "arguments": json.dumps(arguments_of(self.answers))}
        self._called += 1
        call = {"id": f"call-{self._called}", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}

    def _hear(self, messages: list[dict[str, Any]]) -> None:
        """Takes the answer of the call before."""
        if self._called == 0:
            return
        name, _ = self._script[self._called - 1]
        if name in self.answers:
            return
        heard = [message for message in messages if message.get("tool_call_id") == f"call-{self._called}"]
        if not heard:
            raise ValueError(f"the framework did not tell what {name} answered")
        found = find(heard[-1]["content"])
        if found is None or found.get("success") is not True:
            raise ValueError(f"{name} answered: {str(heard[-1]['content'])[:300]}")
        self.answers[name] = found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                known = self.path.endswith("/chat/completions") and not request.get("stream")
                body = json.dumps(completion(model._next(request)) if known else {"error": {"message": "not here"}})
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def completion(message: dict[str, Any]) -> dict[str, Any]:
    reason = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }

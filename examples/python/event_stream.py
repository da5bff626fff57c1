"""Follows a session by its event stream: changes arrive as they are made, and a lost connection loses none of them."""

import json
import threading
import time
from typing import Any, Iterator

import httpx

from small_client import PASSING, STALE, SharedContext, SharedContextError, printable


class EventStream:
    """Changes of one session, or of all (session_id=None), each once. It may be left and taken up again: it goes on after `last_id`."""

    def __init__(self, agent: SharedContext, session_id: str | None = None, *, last_id: str | None = None):
        self.agent = agent
        self.last_id = last_id
        self._path = "/mcp/events" if session_id is None else f"/mcp/sessions/{session_id}/events"
        # The server sends something at least every 15 seconds; a connection silent for longer is dead.
        self._http = httpx.Client(base_url=agent.url, timeout=httpx.Timeout(5, read=40))
        self._retry = 1.0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                yield from self._connection()
            except httpx.TransportError:
                pass
            time.sleep(self._retry)

    def _connection(self) -> Iterator[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.agent.token}"}
        if self.last_id is not None:
            headers["Last-Event-ID"] = self.last_id
        with self._http.stream("GET", self._path, headers=headers) as response:
            if response.status_code != 200:
                self._refused(json.loads(response.read()))
                return
            for event, data in self._events(response):
                if event == "end":
                    if data["reason"] in ("token_expired", "token_revoked"):
                        self.agent.renew()
                    elif not data["resume"]:
                        raise RuntimeError(f"the stream ended: {data['reason']}")
                    return
                if event not in ("start", "position"):
                    yield data

    def _refused(self, body: dict[str, Any]) -> None:
        if body["code"] in STALE:
            self.agent.renew()
        elif body["code"] in PASSING:
            time.sleep(body.get("retry_after", 1))
        else:
            raise SharedContextError(body)

    def _events(self, response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if line:
                # A line that begins with a colon is a comment: a sign of life.
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "retry" in fields:
                self._retry = int(fields["retry"]) / 1000
            if "data" in fields:
                # Noted before the change is handled, so that one is not handled twice; note it afterwards if handling may fail.
                self.last_id = fields.get("id", self.last_id)
                yield fields["event"], json.loads(fields["data"])
            fields = {}


def main() -> None:
    with SharedContext("reporter") as reporter, SharedContext("watcher") as watcher:
        session = reporter.open_session("A day at the harbour")

        def report() -> None:
            for ship in ("Aurora", "Borealis", "Cassiopeia", "Draco", "Eridanus", "Fornax"):
                reporter.say(session, f"{ship} has arrived")
                time.sleep(0.05)
            reporter.call("update_session", session_id=session, is_active=False)

        stream = EventStream(watcher, session, last_id="0")
        thread = threading.Thread(target=report)
        thread.start()
        seen = 0
        for change in stream:
            if change["type"] == "message_added":
                seen += 1
                print(change["seq"], printable(change["message"]["content"]))
                if seen == 3:
                    break
        print("the connection is lost")
        for change in stream:
            if change["type"] == "session_closed":
                print(change["seq"], "the day is over")
                break
            print(change["seq"], printable(change["message"]["content"]))
        thread.join()


if __name__ == "__main__":
    main()

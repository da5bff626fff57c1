"""How fast LangGraph's store is through the service, beside LangGraph's own PostgresStore on the same database.

    python store_speed.py [rounds]

It needs langgraph-checkpoint-postgres and psycopg[binary] beside what the tests need. It starts the server from dist/
with a PostgreSQL of its own, and PostgresStore has its tables in the same database. The two sides take turns, and each
goes first as often as the other. A ratio compares the two sides in one round; the table shows the median of all rounds,
the least and the most.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx

sys.path.insert(0, str(Path(__file__).parent / "tests"))

from server import Server

from shared_context import Client
from shared_context.integrations.langgraph import SharedContextStore
from suites import name

PUTS = 150
GETS = 100
# How many values the search looks through; it finds PUTS of them.
SEARCHED = 2 * PUTS
ROUNDS = 30
# Connections prepare their statements, and the server compiles what it runs often.
WARM_UP = 100
# Times PostgresStore's time.
BAR = 3


class Measure(NamedTuple):
    """One kind of call: what runs, and what tells that it did what it should."""

    title: str
    run: Callable[[Any, int], Any]
    is_right: Callable[[Any], bool]


def value(n: int, word: str) -> dict[str, Any]:
    return {"n": n, "kind": "wanted" if n % 2 == 0 else "other", "text": f"{word} " * 20, "tags": ["a", "b"]}


def measures() -> list[Measure]:
    from langgraph.store.base import GetOp, PutOp, SearchOp

    def puts(word: str) -> Callable[[Any, int], Any]:
        return lambda store, turn: store.batch(
            [PutOp(("speed", f"turn {turn}"), f"key {n}", value(n, word)) for n in range(PUTS)]
        )

    def gets(store: Any, turn: int) -> Any:
        return store.batch([GetOp(("speed", f"turn {turn}"), f"key {n}") for n in range(GETS)])

    def search(store: Any, turn: int) -> Any:
        return store.batch([SearchOp(("searched",), filter={"kind": "wanted"}, limit=PUTS)])

    def is_stored(results: Any) -> bool:
        return bool(results == [None] * PUTS)

    return [
        Measure(f"{PUTS} puts of new values", puts("new"), is_stored),
        Measure(f"{PUTS} puts over older values", puts("changed"), is_stored),
        Measure(f"{GETS} gets", gets, lambda got: [item.value["n"] for item in got] == list(range(GETS))),
        Measure(f"search with a filter, {PUTS} found", search, lambda found: len(found[0]) == PUTS),
    ]


class Counter(httpx.HTTPTransport):
    """Counts requests."""

    count = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        return super().handle_request(request)


def timed(measure: Measure, store: Any, turn: int) -> float:
    """Milliseconds that it took. Raises if the answer is wrong."""
    begun = time.perf_counter()
    result = measure.run(store, turn)
    took = (time.perf_counter() - begun) * 1000
    if not measure.is_right(result):
        raise RuntimeError(f"{type(store).__name__} answered wrongly: {measure.title}")
    return took


def compare(service: SharedContextStore, postgres: Any, counter: Counter, rounds: int) -> None:
    from langgraph.store.base import PutOp

    for store in (service, postgres):
        store.batch([PutOp(("searched",), f"key {n}", value(n, "searched")) for n in range(SEARCHED)])
    took: dict[tuple[str, Any], list[float]] = {}
    calls: dict[str, int] = {}
    for turn in range(WARM_UP + rounds):
        for measure in measures():
            for store in (service, postgres) if turn % 2 == 0 else (postgres, service):
                before = counter.count
                milliseconds = timed(measure, store, turn)
                if turn >= WARM_UP:
                    took.setdefault((measure.title, store), []).append(milliseconds)
                if store is service:
                    calls[measure.title] = counter.count - before
    print("| in one batch | service, ms | PostgresStore, ms | ratio: median (least to most) | bar | calls |")
    print(f"|{' --- |' * 6}")
    for title, *_ in measures():
        ours, theirs = took[title, service], took[title, postgres]
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        ratio = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        bar = f"{BAR}, {'met' if statistics.median(ratios) <= BAR else 'missed'}"
        medians = f"{statistics.median(ours):.1f} | {statistics.median(theirs):.1f}"
        print(f"| {title} | {medians} | {ratio} | {bar} | {calls[title]} |")


def main(rounds: int) -> int:
    from langgraph.store.postgres import PostgresStore

    server = Server()
    server.start()
    try:
        counter = Counter()
        with (
            httpx.Client(transport=counter) as http,
            Client(name("speed"), "suite", url=server.url, api_key=server.api_key, http_client=http) as client,
            PostgresStore.from_conn_string(server.database_url) as postgres,
        ):
            postgres.setup()
            compare(SharedContextStore(client, namespace=name("store")), postgres, counter, rounds)
    finally:
        server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))

"""What a store finds by a query: values below their prefix, however much is beside them and however long the query."""

import time
from collections.abc import Callable, Sequence

import pytest

from shared_context import Client

pytest.importorskip("langgraph", reason="langgraph is not here")

from langgraph.store.base import PutOp

from shared_context.integrations.langgraph import SharedContextStore


@pytest.fixture
def store(client: Client, name: Callable[[str], str]) -> SharedContextStore:
    return SharedContextStore(client, namespace=name("store"))


def test_reading_renews_the_vectors_too(client: Client, name: Callable[[str], str]) -> None:
    def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]

    store = SharedContextStore(
        client,
        namespace=name("ttl"),
        index={"dims": 2, "embed": embed, "fields": ["text"]},
        ttl={"refresh_on_read": True, "default_ttl": 4 / 60},
    )
    # Nothing has vectors yet, not even the namespace for them is there.
    store.put(("t",), "without", {"text": "apple"}, index=False)
    assert store.get(("t",), "without") is not None
    store.put(("t",), "got", {"text": "apple"})
    store.put(("u",), "searched", {"text": "apple"})
    for _ in range(6):
        time.sleep(1)
        assert store.get(("t",), "got") is not None
        assert [item.key for item in store.search(("u",))] == ["searched"]
    assert [item.key for item in store.search(("t",), query="apple")] == ["got"]
    assert [item.key for item in store.search(("u",), query="apple")] == ["searched"]


FILLER = "and a lot of other words around it " * 5


def test_values_beside_the_prefix_do_not_hide_those_below_it(store: SharedContextStore) -> None:
    store.put(("users", "b"), "drink", {"text": f"likes coffee in the morning {FILLER}", "kind": "x", "n": 7})
    store.put(("users", "b"), "food", {"text": f"likes bread {FILLER}"})
    store.batch([PutOp(("users", "a"), f"coffee{n}", {"text": "coffee"}) for n in range(150)])
    [found] = store.search(("users", "b"), query="coffee")
    assert found.key == "drink" and found.score is not None
    assert [item.key for item in store.search(("users", "b"), query="COFFEE", filter={"kind": "x"})] == ["drink"]
    assert store.search(("users", "b"), query="coffee", filter={"kind": "y"}) == []
    # None is above what the server found.
    everything = store.search(("users",), query="coffee", limit=200)
    assert len(everything) == 151
    scores = [item.score or 0.0 for item in everything]
    assert scores == sorted(scores, reverse=True) and everything[-1].key == "drink"
    pages = [store.search(("users", "a"), query="coffee", limit=50, offset=offset) for offset in (0, 50, 100, 150)]
    assert [len(page) for page in pages] == [50, 50, 50, 0]
    assert len({item.key for page in pages for item in page}) == 150


def test_what_is_compared_here_is_not_above_what_the_server_found(store: SharedContextStore) -> None:
    store.put(("users", "b"), "last", {"text": f"coffee {FILLER} milk"})
    store.batch([PutOp(("users", "a"), f"k{n}", {"text": "milk, coffee"}) for n in range(150)])
    found = store.search(("users",), query="coffee milk", limit=200)
    scores = [item.score or 0.0 for item in found]
    assert len(found) == 151 and found[-1].key == "last"
    assert scores == sorted(scores, reverse=True) and scores[-1] == scores[99] < 1


def test_a_filter_does_not_lose_what_is_below_the_best(store: SharedContextStore) -> None:
    store.put(("users", "a"), "wanted", {"text": f"coffee {FILLER}", "kind": "x"})
    store.batch([PutOp(("users", "a"), f"coffee{n}", {"text": "coffee"}) for n in range(150)])
    assert [item.key for item in store.search(("users", "a"), query="coffee", filter={"kind": "x"})] == ["wanted"]


def test_values_that_the_server_does_not_look_at_are_found(store: SharedContextStore) -> None:
    store.put(("old",), "first", {"text": "a glacier"})
    # The server looks at the last 2 MB.
    store.batch([PutOp(("new",), f"k{n}", {"text": "meadow " * 20_000}) for n in range(16)])
    assert [item.key for item in store.search(("old",), query="glacier")] == ["first"]


def test_a_long_query_is_cut(store: SharedContextStore) -> None:
    store.put(("a",), "k", {"text": "coffee in the morning"})
    query = "coffee in the morning" + " " * 479 + "word " * 200
    assert [item.key for item in store.search(("a",), query=query)] == ["k"]

"""LangGraph's own classes on the store and the saver: what a graph keeps is on the server."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypedDict

import pytest
from conftest import FAST, Place
from relay import Relay

from shared_context import Client

pytest.importorskip("langgraph", reason="langgraph is not here")

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from langgraph.types import Command, interrupt

from shared_context.integrations.langgraph import SharedContextSaver, SharedContextStore


@pytest.fixture
def store(client: Client, name: Callable[[str], str]) -> SharedContextStore:
    return SharedContextStore(client, namespace=name("store"))


@pytest.fixture
def saver(client: Client, name: Callable[[str], str]) -> SharedContextSaver:
    return SharedContextSaver(client, namespace=name("checkpoints"))


def test_values_are_put_got_and_deleted(store: SharedContextStore) -> None:
    store.put(("users", "123"), "prefs", {"theme": "dark", "sizes": [1, 2.5, None], "名": {"a": True}})
    item = store.get(("users", "123"), "prefs")
    assert item is not None
    assert item.value == {"theme": "dark", "sizes": [1, 2.5, None], "名": {"a": True}}
    assert (item.namespace, item.key) == (("users", "123"), "prefs")
    assert item.created_at <= item.updated_at and item.created_at.tzinfo is not None
    store.put(("users", "123"), "prefs", {"theme": "light"})
    again = store.get(("users", "123"), "prefs")
    assert again is not None and again.created_at == item.created_at and again.updated_at > item.updated_at
    store.delete(("users", "123"), "prefs")
    assert store.get(("users", "123"), "prefs") is None


@pytest.mark.parametrize(
    "part", ["a/b", "a%b", " spaced ", "~hash", "tab\there", "é e\u0301", "世界🚀", "👩‍💻", "a|b:c", "%"]
)
def test_any_name_is_kept_as_it_is(store: SharedContextStore, part: str) -> None:
    store.put(("names", part), part, {"n": part})
    item = store.get(("names", part), part)
    assert item is not None and (item.namespace, item.key, item.value) == (("names", part), part, {"n": part})
    assert [found.key for found in store.search(("names", part))] == [part]
    assert store.list_namespaces(prefix=("names",)) == [("names", part)]


def test_a_search_sees_what_is_below_its_prefix(store: SharedContextStore) -> None:
    for n in range(6):
        store.put(("docs", "a" if n % 2 else "b"), f"k{n}", {"n": n, "kind": "even" if n % 2 == 0 else "odd"})
    store.put(("docsheet",), "other", {"n": 99})
    assert [item.value["n"] for item in store.search(("docs",))] == [5, 4, 3, 2, 1, 0]
    assert [item.value["n"] for item in store.search(("docs",), limit=2, offset=1)] == [4, 3]
    assert [item.value["n"] for item in store.search(("docs",), filter={"kind": "even"})] == [4, 2, 0]
    assert [item.value["n"] for item in store.search(("docs",), filter={"n": {"$gte": 2, "$lt": 4}})] == [3, 2]
    assert [item.value["n"] for item in store.search(("docs",), filter={"n": {"$ne": 5}}, limit=1)] == [4]
    assert len(store.search(())) == 7
    found = store.search(("docs",), query="even", filter={"n": {"$gt": 0}})
    assert {item.value["n"] for item in found} == {2, 4} and all(item.score for item in found)


def test_a_batch_reads_before_it_writes_and_is_few_calls(
    relay: Relay, place: Place, name: Callable[[str], str]
) -> None:
    with Client(name("batch"), url=relay.url, api_key=place.api_key, retries=FAST) as client:
        store = SharedContextStore(client, namespace=name("store"))
        store.batch([PutOp(("b",), f"k{n}", {"n": n}) for n in range(150)])
        assert relay.tools["batch_memory"] == 1
        results = store.batch(
            [
                *(GetOp(("b",), f"k{n}") for n in range(100)),
                PutOp(("b",), "k0", {"n": "new"}),
                PutOp(("b",), "k1", None),
                PutOp(("b",), "k0", {"n": "newest"}),
            ]
        )
        assert [item.value["n"] for item in results[:100]] == list(range(100))  # type: ignore[union-attr]
        assert relay.tools["batch_memory"] == 3
        assert store.get(("b",), "k1") is None
        assert store.get(("b",), "k0").value == {"n": "newest"}  # type: ignore[union-attr]
        assert len(store.search(("b",), filter={"n": {"$gte": 0}}, limit=150)) == 148
        assert relay.tools["list_memory"] == 1


def test_a_batch_that_is_too_long_for_one_call_is_several(
    relay: Relay, place: Place, name: Callable[[str], str]
) -> None:
    with Client(name("long"), url=relay.url, api_key=place.api_key, retries=FAST) as client:
        store = SharedContextStore(client, namespace=name("store"))
        text = "a long text " * 100_000
        store.batch([PutOp(("long",), f"k{n}", {"n": n, "text": text}) for n in range(12)])
        assert relay.tools["batch_memory"] == 3
        got = store.batch([GetOp(("long",), f"k{n}") for n in range(12)])
        assert [item.value for item in got] == [{"n": n, "text": text} for n in range(12)]  # type: ignore[union-attr]


def test_namespaces_are_listed(store: SharedContextStore) -> None:
    paths = [("a", "b", "c"), ("a", "b", "d", "e"), ("a", "f"), ("g", "b", "c")]
    for path in paths:
        store.put(path, "k", {})
    assert store.list_namespaces() == sorted(paths)
    assert store.list_namespaces(prefix=("a", "*", "c")) == [("a", "b", "c")]
    assert store.list_namespaces(suffix=("b", "c")) == [("a", "b", "c"), ("g", "b", "c")]
    assert store.list_namespaces(max_depth=2) == [("a", "b"), ("a", "f"), ("g", "b")]
    assert store.list_namespaces(limit=2, offset=1) == sorted(paths)[1:3]
    conditions = (MatchCondition("prefix", ("a",)), MatchCondition("suffix", ("e",)))
    assert store.batch([ListNamespacesOp(match_conditions=conditions)]) == [[("a", "b", "d", "e")]]


def test_values_live_as_long_as_they_should(client: Client, name: Callable[[str], str]) -> None:
    store = SharedContextStore(client, namespace=name("ttl"), ttl={"refresh_on_read": True, "default_ttl": 4 / 60})
    store.put(("t",), "renewed", {"n": 1})
    store.put(("t",), "left alone", {"n": 2})
    store.put(("t",), "for ever", {"n": 3}, ttl=None)
    for _ in range(5):
        time.sleep(1)
        assert store.get(("t",), "renewed") is not None
    assert store.get(("t",), "left alone") is None
    assert {item.key for item in store.search(("t",))} == {"renewed", "for ever"}


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Counts letters: texts with the same letters are near."""
    return [[float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


def test_a_query_compares_vectors(client: Client, name: Callable[[str], str]) -> None:
    store = SharedContextStore(
        client, namespace=name("vectors"), index={"dims": 26, "embed": embed, "fields": ["text", "tags[*]"]}
    )
    store.put(("v",), "far", {"text": "zzzz", "tags": []})
    store.put(("v",), "near", {"text": "hello world", "tags": ["xxxx"]})
    store.put(("v",), "tag", {"text": "qqqq", "tags": ["yyyy", "hello there world"]})
    store.put(("v",), "hidden", {"text": "hello world"}, index=False)
    found = store.search(("v",), query="world hello")
    assert [item.key for item in found] == ["near", "tag", "far"]
    assert found[0].score == pytest.approx(1.0)
    assert [item.key for item in store.search(("v",), query="world hello", filter={"text": "qqqq"})] == ["tag"]
    store.put(("v",), "near", {"text": "zz", "tags": []})
    assert [item.key for item in store.search(("v",), query="world hello", limit=1)] == ["tag"]
    store.delete(("v",), "tag")
    assert "tag" not in [item.key for item in store.search(("v",), query="world hello")]
    assert len(store.search(("v",))) == 3


def test_the_asynchronous_methods(client: Client, name: Callable[[str], str]) -> None:
    async def aembed(texts: Sequence[str]) -> list[list[float]]:
        return embed(texts)

    async def run() -> None:
        store = SharedContextStore(client, namespace=name("async"), index={"dims": 26, "embed": aembed})
        await store.aput(("a",), "k", {"text": "hello"})
        item = await store.aget(("a",), "k")
        assert item is not None and item.value == {"text": "hello"}
        assert [found.key for found in await store.asearch(("a",), query="hello")] == ["k"]
        assert await store.alist_namespaces() == [("a",)]
        await store.adelete(("a",), "k")
        assert await store.abatch([SearchOp(("a",)), GetOp(("a",), "k")]) == [[], None]

    asyncio.run(run())


def add(one: list[str], other: list[str]) -> list[str]:
    return [*one, *other]


class State(TypedDict):
    steps: Annotated[list[str], add]


def graph_with(saver: SharedContextSaver, store: SharedContextStore | None = None) -> Any:
    def plan(state: State) -> dict[str, list[str]]:
        return {"steps": ["planned"]}

    def approve(state: State) -> dict[str, list[str]]:
        return {"steps": [f"approved by {interrupt('Who approves?')}"]}

    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("approve", approve)
    builder.add_edge(START, "plan")
    builder.add_edge("plan", "approve")
    builder.add_edge("approve", END)
    return builder.compile(checkpointer=saver, store=store)


def test_a_graph_stops_and_another_process_goes_on(
    saver: SharedContextSaver, place: Place, client: Client, name: Callable[[str], str]
) -> None:
    config: RunnableConfig = {"configurable": {"thread_id": name("thread")}}
    stopped = graph_with(saver).invoke({"steps": ["begun"]}, config)
    assert stopped["__interrupt__"][0].value == "Who approves?"
    with Client(client.settings.agent_id, "tester", url=place.url, api_key=place.api_key) as other:
        elsewhere = graph_with(SharedContextSaver(other, namespace=saver._memory.namespace or ""))
        assert elsewhere.get_state(config).next == ("approve",)
        done = elsewhere.invoke(Command(resume="Ada"), config)
        assert done["steps"] == ["begun", "planned", "approved by Ada"]
        history = list(elsewhere.get_state_history(config))
    assert history[0].values["steps"] == done["steps"]
    assert len(history) == 4
    early = graph_with(saver).get_state(history[1].config)
    assert early.values["steps"] == ["begun", "planned"]
    assert [each.metadata["source"] for each in saver.list(config, filter={"source": "input"})] == ["input"]
    assert len(list(saver.list(config, limit=2))) == 2
    saver.delete_thread(config["configurable"]["thread_id"])
    assert saver.get_tuple(config) is None and list(saver.list(config)) == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph's interrupt in asyncio needs Python 3.11")
def test_a_graph_in_asyncio(saver: SharedContextSaver, name: Callable[[str], str]) -> None:
    async def run() -> None:
        config = {"configurable": {"thread_id": name("thread")}}
        await graph_with(saver).ainvoke({"steps": []}, config)
        done = await graph_with(saver).ainvoke(Command(resume="Ben"), config)
        assert done["steps"] == ["planned", "approved by Ben"]
        assert len([each async for each in graph_with(saver).aget_state_history(config)]) == 4

    asyncio.run(run())


def test_threads_are_copied_pruned_and_long_names_work(saver: SharedContextSaver, name: Callable[[str], str]) -> None:
    source, target = name("thread " * 30), name("copy")
    for n in range(3):
        config = {"configurable": {"thread_id": source, "checkpoint_ns": "child:" + "x" * 200}}
        checkpoint = {**empty_checkpoint(), "channel_values": {"c" * 100: n}, "channel_versions": {"c" * 100: str(n)}}
        saver.put(config, checkpoint, {"source": "loop", "step": n}, {"c" * 100: str(n)})  # type: ignore[arg-type]
        time.sleep(0.01)
    saver.copy_thread(source, target)
    copied = list(saver.list({"configurable": {"thread_id": target}}))
    assert [each.metadata["step"] for each in copied] == [2, 1, 0]
    assert copied[0].checkpoint["channel_values"] == {"c" * 100: 2}
    assert copied[0].config["configurable"]["thread_id"] == target
    saver.prune([target])
    assert [each.metadata["step"] for each in saver.list({"configurable": {"thread_id": target}})] == [2]
    assert len(list(saver.list({"configurable": {"thread_id": source}}))) == 3

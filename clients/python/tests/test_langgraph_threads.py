"""The newest checkpoint of a thread is the one with the largest id, and what a list is asked for is compared here."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import FAST, Place
from relay import Relay

from shared_context import Client

pytest.importorskip("langgraph", reason="langgraph is not here")

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from shared_context.integrations.langgraph import SharedContextSaver


@pytest.fixture
def saver(client: Client, name: Callable[[str], str]) -> SharedContextSaver:
    return SharedContextSaver(client, namespace=name("checkpoints"))


def of(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


def put(saver: BaseCheckpointSaver[str], thread: str, count: int, **metadata: Any) -> list[str]:
    """Puts checkpoints, each with its number as a value and as a step. Returns their ids."""
    config, ids = of(thread), []
    for n in range(count):
        checkpoint = {**empty_checkpoint(), "channel_values": {"x": n}, "channel_versions": {"x": f"{n:05}"}}
        config = saver.put(config, checkpoint, {**metadata, "step": n}, {"x": f"{n:05}"})  # type: ignore[arg-type,typeddict-item]
        ids.append(str(checkpoint["id"]))
    return ids


def latest(saver: BaseCheckpointSaver[str], thread: str) -> CheckpointTuple:
    found = saver.get_tuple(of(thread))
    assert found is not None
    return found


def test_a_copied_thread_goes_on_at_its_newest_checkpoint(
    saver: SharedContextSaver, name: Callable[[str], str]
) -> None:
    source, target = name("source"), name("target")
    ids = put(saver, source, 30)
    saver.copy_thread(source, target)
    assert latest(saver, target).checkpoint["id"] == ids[-1]
    assert latest(saver, target).checkpoint["channel_values"] == {"x": 29}
    assert [each.metadata["step"] for each in saver.list(of(target), limit=3)] == [29, 28, 27]
    # What is put into the copy is its newest one.
    [more] = put(saver, target, 1)
    assert latest(saver, target).checkpoint["id"] == more


def test_an_older_checkpoint_that_is_put_again_is_not_the_newest(
    saver: SharedContextSaver, name: Callable[[str], str]
) -> None:
    thread = name("thread")
    for each in (InMemorySaver(), saver):
        ids = put(each, thread, 3)
        config = of(thread)
        config["configurable"]["checkpoint_id"] = ids[0]
        first = each.get_tuple(config)
        assert first is not None
        time.sleep(0.01)
        each.put(of(thread), first.checkpoint, {"source": "update", "step": 0}, {})
        assert latest(each, thread).checkpoint["id"] == ids[-1]


def test_the_newest_checkpoint_of_a_long_thread_is_few_small_calls(
    relay: Relay, place: Place, name: Callable[[str], str]
) -> None:
    with Client(name("long"), url=relay.url, api_key=place.api_key, retries=FAST) as client:
        saver, thread = SharedContextSaver(client, namespace=name("checkpoints")), name("thread")
        ids = put(saver, thread, 120)
        relay.tools.clear()
        assert latest(saver, thread).checkpoint["id"] == ids[-1]
        # The last one, whether any has a larger id, and its pending writes; and its values.
        assert (relay.tools["list_memory"], relay.tools["batch_memory"]) == (3, 1)


METADATA = {
    "source": "loop",
    "tags": ["a"],
    "about": {"k": 1},
    "none": None,
    "yes": True,
    "long": "x" * 1000,
    "quotes": '"' * 390,
    "lines": "one\ntwo",
    "a.b": 1,
    **{f"f{n}": n for n in range(25)},
}


@pytest.mark.parametrize(
    "filter",
    [
        {"source": "loop"},
        {"tags": ["a"]},
        {"tags": ["b"]},
        {"about": {"k": 1}},
        {"about": {"$eq": 1}},
        {"none": None},
        {"missing": None},
        {"yes": True},
        {"yes": False},
        {"long": "x" * 1000},
        {"long": "x" * 999},
        {"quotes": '"' * 390},
        {"lines": "one\ntwo"},
        {"a.b": 1},
        {"step": 2.0},
        {"step": 2, "tags": ["a"]},
        {"source": float("nan")},
        {"source": 10**30},
        {"x" * 300: 1},
        {f"f{n}": n for n in range(25)},
        {},
    ],
    ids=lambda filter: str(filter)[:30],
)
def test_a_filter_finds_what_it_finds_in_memory(
    saver: SharedContextSaver, name: Callable[[str], str], filter: dict[str, Any]
) -> None:
    thread = name("thread")
    steps = []
    for each in (InMemorySaver(), saver):
        put(each, thread, 4, **METADATA)
        steps.append([found.metadata["step"] for found in each.list(of(thread), filter=filter)])
    assert steps[0] == steps[1]


def test_a_limit_counts_what_meets_the_filter(saver: SharedContextSaver, name: Callable[[str], str]) -> None:
    thread = name("thread")
    put(saver, thread, 3, tags=["a"])
    put(saver, thread, 25, tags=["b"])
    assert [each.metadata["step"] for each in saver.list(of(thread), filter={"tags": ["a"]}, limit=2)] == [2, 1]
    assert [each.metadata["step"] for each in saver.list(of(thread), filter={"tags": ["b"]}, limit=2)] == [24, 23]

"""CrewAI: its memory keeps records on the server, and a crew works with the tools."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from shared_context import Client

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

pytest.importorskip("crewai", reason="crewai is not here")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.memory.storage.backend import EmbeddingDimensionMismatchError, StorageBackend
from crewai.memory.types import MemoryRecord
from crewai.memory.unified_memory import Memory

from shared_context.integrations.crewai import SharedContextStorage, shared_context_tools

NOW = datetime(2026, 1, 10, 12, 0, 0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CrewAI writes files of its own."""
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path))


@pytest.fixture
def storage(client: Client, name: Callable[[str], str]) -> SharedContextStorage:
    return SharedContextStorage(client, namespace=name("crewai"))


class Scripted(BaseLLM):
    """A model that answers what a script says, in the form that CrewAI expects of one without tool calls."""

    script: list[str]

    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        return self.script.pop(0)

    def supports_function_calling(self) -> bool:
        return False


def record(n: int, scope: str, *, categories: tuple[str, ...] = (), **metadata: Any) -> MemoryRecord:
    vector = [0.0, 0.0, 0.0]
    vector[n % 3] = 1.0
    return MemoryRecord(
        id=f"record-{n}",
        content=f"content {n}",
        scope=scope,
        categories=list(categories),
        metadata=metadata,
        created_at=NOW + timedelta(hours=n),
        embedding=vector,
    )


def test_records_are_saved_found_and_deleted(storage: SharedContextStorage) -> None:
    assert isinstance(storage, StorageBackend)
    records = [
        record(0, "/", categories=("a",)),
        record(1, "/company", categories=("a", "b"), team="red"),
        record(2, "/company/team", categories=("b",), team="red"),
        record(3, "/company/team/user", team="blue"),
        record(4, "/companyx"),
    ]
    storage.save(records)
    got = storage.get_record("record-2")
    assert got == records[2] and got.embedding == [0.0, 0.0, 1.0]
    assert storage.get_record("nothing") is None
    found = storage.search([1.0, 0.1, 0.0], limit=2)
    assert [each.id for each, _ in found] in (["record-0", "record-3"], ["record-3", "record-0"])
    assert found[0][1] == pytest.approx(0.995, abs=0.01)
    in_company = storage.search([1.0, 0.1, 0.0], scope_prefix="/company", min_score=0.5)
    assert [each.id for each, _ in in_company] == ["record-3"]
    assert [each.id for each, _ in storage.search([0.0, 1.0, 0.0], categories=["b"], limit=1)] == ["record-1"]
    red = storage.search([0.0, 1.0, 0.0], metadata_filter={"team": "red"}, min_score=-1)
    assert [each.id for each, _ in red] == ["record-1", "record-2"]
    assert [each.id for each in storage.list_records("/company")] == ["record-3", "record-2", "record-1"]
    assert [each.id for each in storage.list_records(limit=2, offset=1)] == ["record-3", "record-2"]
    assert storage.list_scopes() == ["/company", "/companyx"]
    assert storage.list_scopes("/company") == ["/company/team"]
    assert storage.list_categories() == {"a": 2, "b": 2}
    assert (storage.count(), storage.count("/company/team")) == (5, 2)
    info = storage.get_scope_info("/company")
    assert (info.record_count, info.categories, info.child_scopes) == (3, ["a", "b"], ["/company/team"])
    assert (info.oldest_record, info.newest_record) == (records[1].created_at, records[3].created_at)
    with pytest.raises(EmbeddingDimensionMismatchError):
        storage.search([1.0])
    storage.update(records[2].model_copy(update={"scope": "/elsewhere", "content": "moved"}))
    moved = storage.get_record("record-2")
    assert moved is not None and (moved.scope, moved.content) == ("/elsewhere", "moved") and storage.count() == 5
    assert storage.delete(record_ids=["record-0", "nothing"]) == 1
    assert storage.delete(older_than=(NOW + timedelta(hours=2)).replace(tzinfo=timezone.utc)) == 1
    assert storage.delete(scope_prefix="/company", metadata_filter={"team": "blue"}) == 1
    storage.reset("/elsewhere")
    assert [each.id for each in storage.list_records()] == ["record-4"]
    storage.reset()
    assert storage.count() == 0


def test_the_asynchronous_methods(storage: SharedContextStorage) -> None:
    async def run() -> None:
        await storage.asave([record(1, "/a")])
        assert [each.id for each, _ in await storage.asearch([0.0, 1.0, 0.0])] == ["record-1"]
        assert await storage.adelete(record_ids=["record-1"]) == 1

    asyncio.run(run())


def letters(texts: list[str]) -> list[list[float]]:
    return [[float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


def test_crewai_remembers_on_another_machine(client: Client, another: Client, name: Callable[[str], str]) -> None:
    namespace = name("crewai")
    llm = Scripted(model="scripted", script=[])
    here = Memory(storage=SharedContextStorage(client, namespace=namespace), embedder=letters, llm=llm)
    for content in ("Deploys happen on Tuesdays", "The cat is called Mia"):
        here.remember(content, scope="/team", categories=["facts"], metadata={"by": "ada"}, importance=0.5)
    client.set_namespace(namespace=namespace, readers=["*"], writers=["*"])
    there = Memory(storage=SharedContextStorage(another, namespace=namespace), embedder=letters, llm=llm)
    found = there.recall("Deploys happen on Tuesdays", scope="/team", depth="shallow", limit=1)
    assert [match.record.content for match in found] == ["Deploys happen on Tuesdays"]
    assert there.list_scopes("/") == ["/team"] and there.forget(scope="/team") == 2
    assert here.list_records("/team") == []


def test_a_crew_works_with_the_tools(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="A crew")["session_id"]
    script = [
        'Thought: I share it.\nAction: share_with_team\nAction Input: {"content": "Mornings are the busiest time"}',
        "Thought: I now know the final answer\nFinal Answer: Mornings.",
    ]
    agent = Agent(
        role="analyst",
        goal="Find the busiest time",
        backstory="You count.",
        llm=Scripted(model="scripted", script=script),
        tools=shared_context_tools(client, session_id),
    )
    task = Task(description="Find the busiest time and share it.", expected_output="The time", agent=agent)
    assert str(Crew(agents=[agent], tasks=[task]).kickoff()) == "Mornings."
    assert [message["content"] for message in another.iter_messages(session_id)] == ["Mornings are the busiest time"]


def test_what_would_spoil_the_store_is_refused(storage: SharedContextStorage) -> None:
    plain = record(0, "/").model_copy(update={"embedding": None})
    storage.save([plain])
    short, long = record(1, "/"), record(2, "/").model_copy(update={"embedding": [1.0] * 4})
    with pytest.raises(EmbeddingDimensionMismatchError):
        storage.save([short, long])
    assert storage.count() == 1
    storage.save([short])
    with pytest.raises(EmbeddingDimensionMismatchError, match="3-dimensional") as refused:
        storage.save([long])
    assert (refused.value.stored_dim, refused.value.new_dim) == (3, 4)
    with pytest.raises(EmbeddingDimensionMismatchError):
        storage.update(short.model_copy(update={"embedding": [1.0] * 4}))
    for value in (NOW, {"tag"}):
        with pytest.raises(TypeError, match="not JSON serializable"):
            storage.update(short.model_copy(update={"metadata": {"value": value}}))
    assert storage.get_record(short.id) == short and storage.count() == 2
    storage.reset()
    storage.save([long])
    assert storage.search([1.0] * 4)[0][0] == long

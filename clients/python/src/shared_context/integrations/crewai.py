"""CrewAI: where its memory keeps records, and tools.

Needs: pip install "shared-context-client[crewai]"
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from crewai.memory.storage.backend import EmbeddingDimensionMismatchError
from crewai.memory.types import MemoryRecord, ScopeInfo
from crewai.tools import BaseTool, tool

from ..client import Client
from ._memory import Memory
from ._paths import escaped, path_of, unescaped
from ._tools import tools_of
from ._vectors import cosine, packed, unpacked


class SharedContextStorage:
    """A StorageBackend of CrewAI's memory: records in a namespace of the server, for crews on any machine.

    A record of the scope /company/team has the key `company/team/<id>`. Vectors are compared here, one by one.

    Args:
        client: The agent as which it stores.
        namespace: Where the records are. Its first writer owns it; set_namespace says who else may read and write.
    """

    def __init__(self, client: Client, *, namespace: str = "crewai") -> None:
        self._memory = Memory(client, namespace)

    def save(self, records: list[MemoryRecord]) -> None:
        """Raises EmbeddingDimensionMismatchError if a vector has another length than those that are here."""
        self._refuse_other_lengths(records)
        self._memory.write(self._memory.set(_key(record), _stored(record)) for record in records)

    def search(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        records = _chosen(self._records(scope_prefix), categories, metadata_filter)
        scored = [(record, _nearness(query_embedding, record.embedding)) for record in records if record.embedding]
        best = sorted(((record, score) for record, score in scored if score >= min_score), key=lambda each: -each[1])
        return best[:limit]

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        chosen = [
            record
            for record in _chosen(self._records(scope_prefix), categories, metadata_filter)
            if (record_ids is None or record.id in record_ids)
            and (older_than is None or _aware(record.created_at) < _aware(older_than))
        ]
        return self._delete(_key(record) for record in chosen)

    def update(self, record: MemoryRecord) -> None:
        """Replaces the record with the same id, also if it moves to another scope. Raises as `save` does."""
        self._refuse_other_lengths([record])
        new = _key(record)
        gone = [self._memory.delete(key) for key in self._keys_of(record.id) if key != new]
        self._memory.write([*gone, self._memory.set(new, _stored(record))])

    def get_record(self, record_id: str) -> MemoryRecord | None:
        for stored in self._memory.get(self._keys_of(record_id)).values():
            return _record(stored["value"])
        return None

    def list_records(self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0) -> list[MemoryRecord]:
        newest = sorted(self._records(scope_prefix), key=lambda each: _aware(each.created_at), reverse=True)
        return newest[offset : offset + limit]

    def get_scope_info(self, scope: str) -> ScopeInfo:
        records = list(self._records(scope))
        times = [record.created_at for record in records]
        return ScopeInfo(
            path=scope,
            record_count=len(records),
            categories=sorted({category for record in records for category in record.categories}),
            oldest_record=min(times, key=_aware, default=None),
            newest_record=max(times, key=_aware, default=None),
            child_scopes=self.list_scopes(scope),
        )

    def list_scopes(self, parent: str = "/") -> list[str]:
        prefix = _path(parent)
        below = (entry["key"].removeprefix(prefix) for entry in self._memory.entries(prefix))
        names = {unescaped(rest.partition("/")[0]) for rest in below if "/" in rest}
        return sorted(f"{parent.rstrip('/')}/{name}" for name in names)

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        return dict(Counter(category for record in self._records(scope_prefix) for category in record.categories))

    def count(self, scope_prefix: str | None = None) -> int:
        return sum(1 for _ in self._memory.entries(_path(scope_prefix)))

    def reset(self, scope_prefix: str | None = None) -> None:
        self._delete(entry["key"] for entry in self._memory.entries(_path(scope_prefix)))

    def touch_records(self, record_ids: list[str]) -> None:
        """Notes that these records were read now."""
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        for record_id in record_ids:
            record = self.get_record(record_id)
            if record is not None:
                self.update(record.model_copy(update={"last_accessed": now}))

    async def asave(self, records: list[MemoryRecord]) -> None:
        await asyncio.to_thread(self.save, records)

    async def asearch(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        return await asyncio.to_thread(
            self.search, query_embedding, scope_prefix, categories, metadata_filter, limit, min_score
        )

    async def adelete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        return await asyncio.to_thread(self.delete, scope_prefix, categories, record_ids, older_than, metadata_filter)

    def _records(self, scope: str | None) -> Iterator[MemoryRecord]:
        return (_record(entry["value"]) for entry in self._memory.entries(_path(scope), values=True))

    def _refuse_other_lengths(self, records: list[MemoryRecord]) -> None:
        """A search could not compare them, and would fail from then on."""
        vectors = [record.embedding for record in records if record.embedding]
        if not vectors:
            return
        stored = self._memory.entries(filter={"embedding": {"$ne": None}}, values=True, limit=1)
        first = next((_record(entry["value"]).embedding for entry in stored), None) or vectors[0]
        for vector in vectors:
            if len(vector) != len(first):
                raise EmbeddingDimensionMismatchError(stored_dim=len(first), new_dim=len(vector))

    def _keys_of(self, record_id: str) -> list[str]:
        return [entry["key"] for entry in self._memory.entries(filter={"id": record_id})]

    def _delete(self, keys: Iterable[str]) -> int:
        results = self._memory.write([self._memory.delete(key) for key in keys])
        return sum(1 for result in results if result.get("deleted"))


def shared_context_tools(client: Client, session_id: str) -> list[BaseTool]:
    """Tools with which the agent of this client takes part in a session."""
    return [tool(each) for each in tools_of(client, session_id)]


def _path(scope: str | None) -> str:
    return path_of(part for part in (scope or "").split("/") if part)


def _key(record: MemoryRecord) -> str:
    return f"{_path(record.scope)}{escaped(record.id)}"


def _stored(record: MemoryRecord) -> dict[str, Any]:
    # Raises TypeError for what would come back as something else, such as a set: CrewAI's own storages refuse it too.
    json.dumps(record.metadata)
    # CrewAI leaves the vector out of its own form.
    return {**record.model_dump(mode="json"), "embedding": packed(record.embedding) if record.embedding else None}


def _record(value: dict[str, Any]) -> MemoryRecord:
    embedding = value.get("embedding")
    return MemoryRecord.model_validate({**value, "embedding": list(unpacked(embedding)) if embedding else None})


def _chosen(
    records: Iterable[MemoryRecord], categories: list[str] | None, metadata_filter: dict[str, Any] | None
) -> Iterator[MemoryRecord]:
    """Those with one of the categories, and with all of the metadata."""
    for record in records:
        if categories and not set(categories) & set(record.categories):
            continue
        if metadata_filter and any(record.metadata.get(name) != value for name, value in metadata_filter.items()):
            continue
        yield record


def _nearness(query: list[float], embedding: list[float]) -> float:
    if len(query) != len(embedding):
        raise EmbeddingDimensionMismatchError(stored_dim=len(embedding), new_dim=len(query))
    return cosine(query, embedding)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)

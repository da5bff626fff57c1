"""Long-term memory of LangGraph: a BaseStore."""

import asyncio
import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from ...client import Client
from .._memory import Memory
from .._paths import KEY_MAX, escaped, parts_of, path_of
from .._words import search
from .vectors import VectorIndex, Vectors


class SharedContextStore(BaseStore):
    """Values in a namespace of the server, where other agents and MCP clients find them too.

    The value of ("users", "123") and "prefs" has the key `users/123/prefs`. A batch is one call for all it reads and
    one for all it writes. A search without a query is one call, and finds what was written last first. With an `index`
    a query compares vectors: they are kept on the server, and compared here, one by one. Without an `index` a query
    looks for words, as search_memory of the server does. That one ranks the store as a whole. If other namespaces fill
    its 100 results, the newest 2000 values of the wanted namespace are compared here, by words.

    Args:
        client: The agent as which it stores. Asynchronous methods use it in threads.
        namespace: Where the values are. Its first writer owns it; set_namespace says who else may read and write.
        index: How to make vectors: dims, embed, and the fields.
        ttl: For how many minutes values are kept, and whether reading renews that.
    """

    supports_ttl = True

    def __init__(
        self,
        client: Client,
        *,
        namespace: str = "langgraph/store",
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        super().__init__()
        self.ttl_config = ttl
        self.index_config = index
        self._memory = Memory(client, namespace)
        self._vectors = None if index is None else Vectors(Memory(client, f"{namespace}/vectors"), VectorIndex(index))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        wanted = _checked(ops)
        vectors = {} if self._vectors is None else self._vectors.index.embed(_puts(wanted), _queries(wanted))
        return self._run(wanted, vectors)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        wanted = _checked(ops)
        vectors = {} if self._vectors is None else await self._vectors.index.aembed(_puts(wanted), _queries(wanted))
        return await asyncio.to_thread(self._run, wanted, vectors)

    def _run(self, ops: Sequence[Op], vectors: dict[str, list[float]]) -> list[Result]:
        """All reads of a batch see what was there before its writes; of several writes of a key the last one counts."""
        results: list[Result] = [None] * len(ops)
        self._get([(i, op) for i, op in enumerate(ops) if isinstance(op, GetOp)], results)
        for i, op in enumerate(ops):
            if isinstance(op, SearchOp):
                results[i] = self._search(op, vectors)
            elif isinstance(op, ListNamespacesOp):
                results[i] = self._list_namespaces(op)
        self._put(_puts(ops), vectors)
        return results

    def _get(self, ops: Sequence[tuple[int, GetOp]], results: list[Result]) -> None:
        keys = {i: key_of(op.namespace, op.key) for i, op in ops}
        found = self._memory.get(list(keys.values()))
        for i, op in ops:
            if keys[i] in found:
                results[i] = Item(namespace=op.namespace, key=op.key, **_fields(found[keys[i]]))
        self._touch({keys[i] for i, op in ops if op.refresh_ttl and _ends(found.get(keys[i]))})

    def _put(self, ops: Iterable[PutOp], vectors: dict[str, list[float]]) -> None:
        operations = []
        for key, op in {key_of(op.namespace, op.key): op for op in ops}.items():
            if op.value is None:
                operations.append(self._memory.delete(key))
            else:
                operations.append(self._memory.set(key, op.value, expires_in=_seconds(op.ttl)))
            if self._vectors is not None:
                operations.append(self._vectors.operation(key, op, vectors, _seconds(op.ttl)))
        self._memory.write(operations)

    def _search(self, op: SearchOp, vectors: dict[str, list[float]]) -> list[SearchItem]:
        prefix = path_of(op.namespace_prefix)
        if op.query:
            items = self._ranked(op, prefix, vectors)
        else:
            items = []
            last = op.offset + op.limit
            entries = self._memory.entries(prefix, filter=op.filter, values=True, order="updated", limit=last)
            for i, entry in enumerate(entries):
                if i >= last:
                    break
                if i >= op.offset:
                    items.append((entry["key"], entry, None))
                if i + 1 == last:
                    break
        if op.refresh_ttl:
            self._touch([key for key, entry, _ in items if _ends(entry)])
        return [SearchItem(**_names(key), **_fields(entry), score=score) for key, entry, score in items]

    def _touch(self, keys: Collection[str]) -> None:
        # The vectors come first: a value whose vectors have ended would be there, and no query would find it.
        if self._vectors is not None:
            self._vectors.touch(keys)
        self._memory.touch(keys)

    def _ranked(
        self, op: SearchOp, prefix: str, vectors: dict[str, list[float]]
    ) -> list[tuple[str, Any, float | None]]:
        query = op.query or ""
        last = op.offset + op.limit
        if self._vectors is None:
            found = search(self._memory, query, prefix, wanted=last, filter=op.filter)
            scores = [(key, score / 100) for key, _, score in found]
        else:
            scores = self._vectors.scores(prefix, vectors[query])
            if op.filter:
                allowed = {entry["key"] for entry in self._memory.entries(prefix, filter=op.filter)}
                scores = [(key, score) for key, score in scores if key in allowed]
        page = scores[op.offset : last]
        there = self._memory.get([key for key, _ in page])
        return [(key, there[key], score) for key, score in page if key in there]

    def _list_namespaces(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        conditions = op.match_conditions or ()
        prefix = max((_literal_prefix(each) for each in conditions), key=len, default="")
        paths = {parts_of(entry["key"])[:-1] for entry in self._memory.entries(prefix)}
        matching = {path for path in paths if all(_matches(each, path) for each in conditions)}
        if op.max_depth is not None:
            matching = {path[: op.max_depth] for path in matching}
        return sorted(matching)[op.offset : op.offset + op.limit]


def key_of(namespace: Sequence[str], key: str) -> str:
    """The key under which the server has a value. Raises ValueError if it is too long."""
    whole = path_of(namespace) + escaped(key)
    if len(whole) > KEY_MAX:
        raise ValueError(f"The namespace and the key have more than {KEY_MAX} characters together: {whole[:50]}…")
    return whole


def _checked(ops: Iterable[Op]) -> list[Op]:
    """The operations of a batch. Raises before any of them runs if one is none, or has a namespace that none can be."""
    checked = list(ops)
    for op in checked:
        if isinstance(op, GetOp | PutOp):
            paths = [op.namespace]
        elif isinstance(op, SearchOp):
            paths = [op.namespace_prefix]
        elif isinstance(op, ListNamespacesOp):
            paths = [each.path for each in op.match_conditions or ()]
        else:
            raise ValueError(f"Unknown operation: {type(op).__name__}")
        for label in (label for path in paths for label in path):
            # The methods of LangGraph refuse the same.
            if not isinstance(label, str) or label == "" or "." in label:
                raise InvalidNamespaceError(f"A label of a namespace is a text without periods, not {label!r}")
    return checked


def _puts(ops: Iterable[Op]) -> list[PutOp]:
    return [op for op in ops if isinstance(op, PutOp)]


def _queries(ops: Iterable[Op]) -> list[str]:
    return [op.query for op in ops if isinstance(op, SearchOp) and op.query]


def _names(key: str) -> dict[str, Any]:
    *namespace, name = parts_of(key)
    return {"namespace": tuple(namespace), "key": name}


def _fields(stored: Any) -> dict[str, Any]:
    return {
        "value": stored["value"],
        # A server before 1.1 does not say it in a batch.
        "created_at": _time(stored.get("created_at", stored["updated_at"])),
        "updated_at": _time(stored["updated_at"]),
    }


def _time(text: str) -> datetime:
    # fromisoformat knows Z since Python 3.11.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _ends(stored: Any) -> bool:
    return stored is not None and stored["expires_at"] is not None


def _seconds(minutes: float | None) -> int:
    return 0 if minutes is None else max(1, math.ceil(minutes * 60))


def _literal_prefix(condition: MatchCondition) -> str:
    """The part of a prefix that the server can look for: up to the first wildcard."""
    if condition.match_type != "prefix" or "*" not in condition.path:
        return path_of(condition.path) if condition.match_type == "prefix" else ""
    return path_of(condition.path[: condition.path.index("*")])


def _matches(condition: MatchCondition, path: tuple[str, ...]) -> bool:
    wanted = condition.path
    if len(wanted) > len(path):
        return False
    there = path[: len(wanted)] if condition.match_type == "prefix" else path[len(path) - len(wanted) :]
    return all(part in ("*", each) for part, each in zip(wanted, there, strict=True))

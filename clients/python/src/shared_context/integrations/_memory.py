"""Memory of one namespace, as adapters use it: many values in few calls."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from .._generated.models import MemoryEntry, OperationInput, OperationResult
from ..client import Client
from ..transport import TooLongError

# What one batch_memory takes.
OPERATIONS_MAX = 500
# Bytes of one call, well below what the server takes: 8 MiB.
_CALL_BYTES = 6 * 1024 * 1024
_PAGE = 1000


class Memory:
    """A namespace of memory, or with None the agent's own memory."""

    def __init__(self, client: Client, namespace: str | None) -> None:
        self.client = client
        self.namespace = namespace

    def get(self, keys: Sequence[str]) -> dict[str, OperationResult]:
        """The values that are there, by their keys."""
        found: dict[str, OperationResult] = {}
        wanted = list(dict.fromkeys(keys))
        while wanted:
            part = wanted[:OPERATIONS_MAX]
            answer = self.client.batch_memory(operations=[self._operation("get", key) for key in part])
            results = answer["results"]
            found.update({key: each for key, each in zip(part, results, strict=False) if each.get("found")})
            # An answer holds 8 MiB; what had no room is asked for again.
            wanted = wanted[max(1, len(results)) :]
        return found

    def write(self, operations: Iterable[OperationInput], *, atomic: bool = True) -> list[OperationResult]:
        """Stores and deletes. What does not fit into one call is not one transaction."""
        everything = list(operations)
        if len(everything) <= OPERATIONS_MAX:
            # Mostly one call is enough. To measure the operations beforehand would take as long as to encode them.
            try:
                return self._write(everything, atomic, _CALL_BYTES) if everything else []
            except TooLongError:
                pass
        done: list[OperationResult] = []
        for part in _parts(everything):
            done.extend(self._write(part, atomic))
        return done

    def set(
        self, key: str, value: object, *, expires_in: int = 0, metadata: Mapping[str, Any] | None = None, **more: Any
    ) -> OperationInput:
        """An operation that stores a value, for `write`."""
        operation = self._operation("set", key)
        operation["value"] = value
        if expires_in:
            operation["expires_in"] = expires_in
        if metadata:
            operation["metadata"] = dict(metadata)
        operation.update(more)  # type: ignore[typeddict-item]
        return operation

    def delete(self, key: str) -> OperationInput:
        """An operation that deletes a value, for `write`."""
        return self._operation("delete", key)

    def delete_below(self, prefix: str) -> OperationInput:
        """An operation that deletes all values whose keys begin so, for `write`."""
        operation: OperationInput = {"op": "delete", "prefix": prefix}
        if self.namespace is not None:
            operation["namespace"] = self.namespace
        return operation

    def entries(
        self,
        prefix: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        values: bool = False,
        order: Any = "key",
        limit: int | None = None,
    ) -> Iterator[MemoryEntry]:
        """What is stored under keys that begin so, in pages.

        Args:
            order: key; or updated, the newest first.
            limit: How many are wanted at most, for the size of a page.
        """
        return self.client.iter_memory(
            namespace=self.namespace,
            prefix=prefix or None,
            filter=dict(filter) if filter else None,
            include_values=values,
            order=order,
            limit=_PAGE if limit is None else max(1, min(_PAGE, limit)),
        )

    def touch(self, keys: Iterable[str]) -> None:
        """Keeps values as long again as when they were written."""
        from ..errors import MemoryNotFoundError

        for key in keys:
            try:
                self.client.get_memory(key=key, namespace=self.namespace, touch=True)
            except MemoryNotFoundError:
                # It has expired meanwhile.
                continue

    def _write(
        self, operations: Sequence[OperationInput], atomic: bool, bytes_max: int | None = None
    ) -> list[OperationResult]:
        arguments = {"operations": operations, "atomic": atomic}
        answer = self.client.transport.call("batch_memory", arguments, bytes_max=bytes_max)
        return cast(list[OperationResult], answer["results"])

    def _operation(self, op: Any, key: str) -> OperationInput:
        operation: OperationInput = {"op": op, "key": key}
        if self.namespace is not None:
            operation["namespace"] = self.namespace
        return operation


def _parts(operations: Iterable[OperationInput]) -> Iterator[list[OperationInput]]:
    part: list[OperationInput] = []
    size = 0
    for operation in operations:
        more = _bytes_of(operation.get("value")) + 500
        if part and (len(part) == OPERATIONS_MAX or size + more > _CALL_BYTES):
            yield part
            part, size = [], 0
        part.append(operation)
        size += more
    if part:
        yield part


def _bytes_of(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())

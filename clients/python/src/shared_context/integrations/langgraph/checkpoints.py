"""Checkpoints of LangGraph: a BaseCheckpointSaver."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from ..._generated.models import OperationInput, OperationResult
from ...client import Client
from .._memory import Memory
from .keys import Keys, Place, metadata_field
from .threads import Threads

# So many checkpoints of a list are read at a time.
_LIST_AT_A_TIME = 20


class SharedContextSaver(Threads, BaseCheckpointSaver[str]):
    """Keeps the state of graphs in a namespace of the server: any process goes on where another one stopped.

    A checkpoint holds the versions of its channels, and each version of a channel is stored once. A channel of more
    than 4 MiB is refused (MEMORY_VALUE_LIMIT).

    Args:
        client: The agent as which it stores. Asynchronous methods use it in threads.
        namespace: Where the checkpoints are. Its first writer owns it; set_namespace says who else may use it.
        serde: How values are made into bytes, such as LangGraph's EncryptedSerializer.
    """

    def __init__(
        self, client: Client, *, namespace: str = "langgraph/checkpoints", serde: SerializerProtocol | None = None
    ) -> None:
        super().__init__(serde=serde)
        self._memory = Memory(client, namespace)

    def get_next_version(self, current: str | None, channel: Any) -> str:
        """Versions that grow as texts; the random part keeps apart those of two runs from the same checkpoint."""
        last = 0 if current is None else int(str(current).split(".")[0])
        return f"{last + 1:010}.{random.getrandbits(48):012x}"

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        place = Place.of(config)
        values = checkpoint["channel_values"]
        operations = [
            self._memory.set(Keys.blob(place, channel, version), self._dumped(values[channel]))
            for channel, version in new_versions.items()
            if channel in values
        ]
        rest = {name: value for name, value in checkpoint.items() if name != "channel_values"}
        complete = get_checkpoint_metadata(config, metadata)
        stored = {
            "thread_id": place.thread_id,
            "checkpoint_ns": place.checkpoint_ns,
            "checkpoint_id": checkpoint["id"],
            "parent_id": get_checkpoint_id(config),
            "checkpoint": self._dumped(rest),
            "metadata": self._dumped(complete),
            **{metadata_field(name): value for name, value in complete.items() if _is_plain(value)},
        }
        # The checkpoint comes last: where a state is too large for one call, its parts are there before it.
        operations.append(self._memory.set(Keys.checkpoint(place, checkpoint["id"]), stored))
        self._memory.write(operations)
        return place.config(checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        place, checkpoint_id = Place.of(config), get_checkpoint_id(config) or ""
        operations: list[OperationInput] = []
        for i, (channel, value) in enumerate(writes):
            index = WRITES_IDX_MAP.get(channel, i)
            stored = {"task_id": task_id, "channel": channel, "task_path": task_path, "index": index}
            stored.update(self._dumped(value))
            # A task that runs again does not change what it wrote before; what became of it may change.
            key = Keys.write(place, checkpoint_id, task_id, index)
            operations.append(self._memory.set(key, stored, overwrite=index < 0))
        # A write that is there already is the result of its operation, and no error.
        for result in self._memory.write(operations, atomic=False):
            if not result["ok"] and result["error"]["code"] != "KEY_EXISTS":
                raise RuntimeError(f"A write was not stored: {result['error']['code']}: {result['error']['error']}")

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        place, checkpoint_id = Place.of(config), get_checkpoint_id(config)
        if checkpoint_id is not None:
            key = Keys.checkpoint(place, checkpoint_id)
            found = self._memory.get([key]).get(key)
            return None if found is None else self._tuple(found["value"])
        stored = self._latest(place)
        return None if stored is None else self._tuple(stored)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        given = {} if config is None else config["configurable"]
        wanted = None if config is None else get_checkpoint_id(config)
        prefix = Keys.checkpoints(given.get("thread_id"), given.get("checkpoint_ns"))
        conditions = _conditions(filter or {})
        keys = [entry["key"] for entry in self._memory.entries(prefix, filter=conditions)]
        end = None if before is None else get_checkpoint_id(before)
        ids = sorted(((Keys.id_of(key), key) for key in keys), reverse=True)
        chosen = [key for each, key in ids if (wanted is None or each == wanted) and (end is None or each < end)]
        if len(conditions) == len(filter or {}):
            # The server has compared everything: no more is read than is wanted.
            chosen = chosen[:limit]
        yield from islice(self._meeting(chosen, filter or {}), limit)

    # LangGraph calls these in an event loop: a thread does the work.

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        tuples = self.list(config, filter=filter, before=before, limit=limit)
        while (found := await asyncio.to_thread(next, tuples, None)) is not None:
            yield found

    def _latest(self, place: Place) -> dict[str, Any] | None:
        """The stored checkpoint with the largest id.

        Mostly it is the one that was written last, and two small calls find it. In a copied thread all have the same
        time, and an older one may have been put again: then the keys of those with larger ids are listed.
        """
        prefix = Keys.checkpoints(place.thread_id, place.checkpoint_ns)
        last = next(self._memory.entries(prefix, values=True, order="updated", limit=1), None)
        if last is None:
            return None
        larger = {"checkpoint_id": {"$gt": last["value"]["checkpoint_id"]}}
        key = max((entry["key"] for entry in self._memory.entries(prefix, filter=larger)), default=last["key"])
        found = {} if key == last["key"] else self._memory.get([key])
        stored: dict[str, Any] = found[key]["value"] if key in found else last["value"]
        return stored

    def _meeting(self, keys: Sequence[str], filter: dict[str, Any]) -> Iterator[CheckpointTuple]:
        for start in range(0, len(keys), _LIST_AT_A_TIME):
            part = keys[start : start + _LIST_AT_A_TIME]
            found = self._memory.get(part)
            for stored in (found[key]["value"] for key in part if key in found):
                metadata = self._loaded(stored["metadata"])
                if all(metadata.get(name) == value for name, value in filter.items()):
                    yield self._tuple(stored)

    def _tuple(self, stored: dict[str, Any]) -> CheckpointTuple:
        place = Place(stored["thread_id"], stored["checkpoint_ns"])
        checkpoint: Checkpoint = self._loaded(stored["checkpoint"])
        keys = {
            channel: Keys.blob(place, channel, version) for channel, version in checkpoint["channel_versions"].items()
        }
        blobs: dict[str, OperationResult] = self._memory.get(list(keys.values()))
        values = {channel: self._loaded(blobs[key]["value"]) for channel, key in keys.items() if key in blobs}
        entries = self._memory.entries(Keys.writes(place, stored["checkpoint_id"]), values=True)
        # Delta channels are built again from writes in this order.
        writes = sorted(
            (entry["value"] for entry in entries),
            key=lambda each: writes_sort_key(each["task_path"], each["task_id"], each["index"]),
        )
        parent_id = stored["parent_id"]
        return CheckpointTuple(
            config=place.config(stored["checkpoint_id"]),
            checkpoint={**checkpoint, "channel_values": values},
            metadata=self._loaded(stored["metadata"]),
            parent_config=None if parent_id is None else place.config(parent_id),
            pending_writes=[(each["task_id"], each["channel"], self._loaded(each)) for each in writes],
        )

    def _dumped(self, value: Any) -> dict[str, str]:
        kind, data = self.serde.dumps_typed(value)
        return {"type": kind, "data": base64.b64encode(data).decode()}

    def _loaded(self, stored: dict[str, str]) -> Any:
        return self.serde.loads_typed((stored["type"], base64.b64decode(stored["data"])))


def _conditions(filter: dict[str, Any]) -> dict[str, Any]:
    """The part of a filter that the server can compare, as fields of what is stored. It takes 20 fields at most."""
    plain = [(name, value) for name, value in filter.items() if _is_plain(value) and len(name) <= 200]
    return {metadata_field(name): value for name, value in plain[:20]}


def _is_plain(value: Any) -> bool:
    """Whether the server can compare it: a number that JSON keeps, or a text of at most 1000 characters as JSON."""
    if isinstance(value, str):
        # As JSON a character of a printable text is two at most. A text with others may not be storable as it is.
        return len(value) <= 400 and value.isprintable()
    # In Python True equals 1 and in JSON it does not. What is None may be what is not there.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53

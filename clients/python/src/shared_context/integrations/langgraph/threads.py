"""What becomes of whole threads of LangGraph: deleted, copied, pruned."""

import asyncio
from collections.abc import Sequence
from typing import Any

from ..._generated.models import OperationInput
from .._memory import Memory
from .keys import Keys, metadata_field


class Threads:
    """A part of SharedContextSaver."""

    _memory: Memory

    def _loaded(self, stored: dict[str, str]) -> Any:
        raise NotImplementedError

    def delete_thread(self, thread_id: str) -> None:
        self._memory.write(self._memory.delete_below(prefix) for prefix in Keys.all_of(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Deletes the checkpoints of these runs, and what was written to them."""
        operations: list[OperationInput] = []
        for run_id in run_ids:
            for entry in self._memory.entries(Keys.checkpoints(None, None), filter={metadata_field("run_id"): run_id}):
                operations.append(self._memory.delete(entry["key"]))
                operations.append(self._memory.delete_below(Keys.writes_of(entry["key"])))
        self._memory.write(operations)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copies all of a thread to another one."""
        operations: list[OperationInput] = []
        pairs = zip(Keys.all_of(source_thread_id), Keys.all_of(target_thread_id), strict=True)
        for source, target in pairs:
            for entry in self._memory.entries(source, values=True):
                value = entry["value"]
                if "thread_id" in value:
                    value = {**value, "thread_id": target_thread_id}
                operations.append(self._memory.set(target + entry["key"].removeprefix(source), value))
        # Blobs and writes stand before the checkpoints.
        self._memory.write(operations)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Deletes old checkpoints of threads: all but the newest of each checkpoint_ns, or with "delete" all.

        Raises:
            NotImplementedError: A newest checkpoint has a DeltaChannel that is built again from older ones. Then
                nothing of its thread is deleted.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError("strategy is keep_latest or delete")
        for thread_id in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread_id)
            else:
                self._keep_latest(thread_id)

    def _keep_latest(self, thread_id: str) -> None:
        keys = sorted(entry["key"] for entry in self._memory.entries(Keys.checkpoints(thread_id, None)))
        newest = {Keys.folder_of(key): key for key in keys}
        for stored in self._memory.get(list(newest.values())).values():
            if self._loaded(stored["value"]["metadata"]).get("counters_since_delta_snapshot"):
                raise NotImplementedError(f"The thread {thread_id} has a DeltaChannel, which needs older checkpoints")
        operations: list[OperationInput] = []
        for key in set(keys) - set(newest.values()):
            operations.append(self._memory.delete(key))
            operations.append(self._memory.delete_below(Keys.writes_of(key)))
        self._memory.write(operations)

    async def adelete_thread(self, thread_id: str) -> None:
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await asyncio.to_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await asyncio.to_thread(lambda: self.prune(thread_ids, strategy=strategy))

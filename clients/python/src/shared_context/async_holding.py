"""Holding something on the server for a time: an asyncio task renews it, and notices when it is lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ._base_errors import SharedContextError
from .holding import Hold


class AsyncRenewal:
    """An asyncio task that renews a hold until it is stopped or the hold is lost."""

    def __init__(self, hold: Hold, renew: Callable[[float], Awaitable[object]]) -> None:
        self._hold = hold
        self._renew = renew
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"renew {hold.what}")

    def stop(self) -> None:
        """Ends the task."""
        self._task.cancel()

    async def _run(self) -> None:
        while not self._hold.lost:
            await asyncio.sleep(self._hold.pause_seconds)
            since = time.monotonic()
            try:
                await self._renew(self._hold.call_seconds)
            except SharedContextError as error:
                self._hold.failed(error)
            except RuntimeError:
                # The client was closed.
                return
            else:
                self._hold.renewed(since)

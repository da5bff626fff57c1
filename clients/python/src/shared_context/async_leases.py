"""Names that one agent holds at a time, as an asynchronous context manager."""

import asyncio
import time
from types import TracebackType
from typing import TYPE_CHECKING

from ._base_errors import SharedContextError
from ._generated.models import HeldLease, ReleasedLeaseInput
from .async_holding import AsyncRenewal
from .errors import LeaseLostError
from .holding import Hold, logger
from .leases import WaitForLease
from .retry import is_passing
from .transport import ONE_TRY

if TYPE_CHECKING:
    from .async_client import AsyncClient


class AsyncLease:
    """Names that this agent holds, renewed in the background until the `async with` ends.

    Attributes:
        names: The names.
        tokens: For each name the number that grows with every holder. Pass it along with what you write to what the
            lease protects, if that can refuse a smaller one: this also stops a holder that has not noticed its loss.
    """

    def __init__(
        self,
        client: "AsyncClient",
        names: tuple[str, ...],
        *,
        ttl_seconds: int,
        wait_seconds: float,
        purpose: str | None,
    ) -> None:
        self._client = client
        self.names = names
        self.tokens: dict[str, int] = {}
        self._ttl_seconds = ttl_seconds
        self._wait_seconds = wait_seconds
        self._purpose = purpose
        self._hold: Hold | None = None
        self._renewal: AsyncRenewal | None = None

    @property
    def token(self) -> int:
        """The token of the first name."""
        return self.tokens[self.names[0]]

    @property
    def lost(self) -> bool:
        """Whether somebody else may hold the names by now: stop what they protect."""
        return self._hold is not None and self._hold.lost

    def check(self) -> None:
        """Raises LeaseLostError if the names are lost. Call it before each step that must not be done twice."""
        if self._hold is not None and self._hold.lost:
            raise self._hold.error()

    async def acquire(self) -> "AsyncLease":
        """Takes the names, all or none.

        Raises:
            LeaseHeldError: Somebody else holds one of them, and the wait is over.
        """
        if self._renewal is not None:
            raise RuntimeError("The lease is held already")
        wait = WaitForLease(self._wait_seconds, self._ttl_seconds)
        while True:
            since = time.monotonic()
            try:
                leases = await self._ask(wait.next_seconds())
                break
            except SharedContextError as error:
                if not wait.goes_on(error):
                    raise
                await asyncio.sleep(max(error.retry_after or 0.0, 0.2))
        self.tokens = {lease["name"]: lease["token"] for lease in leases}
        self._hold = Hold(f"The lease on {', '.join(self.names)}", self._ttl_seconds, since)
        self._renewal = AsyncRenewal(self._hold, self._renew)
        return self

    async def release(self) -> None:
        """Gives the names up.

        Raises:
            LeaseLostError: They had been lost before.
        """
        hold, renewal = self._hold, self._renewal
        if hold is None or renewal is None:
            return
        renewal.stop()
        self._renewal = None
        if await self._give_up(hold):
            hold.lose()
        hold.end()
        if hold.lost:
            raise hold.error()

    async def __aenter__(self) -> "AsyncLease":
        return await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.release()
        except SharedContextError as lost:
            if error is None:
                raise
            # What the body raised is what counts.
            logger.warning("%s", lost)

    async def _ask(self, wait_seconds: float) -> list[HeldLease]:
        arguments = {
            "names": list(self.names),
            "ttl_seconds": self._ttl_seconds,
            "wait_seconds": wait_seconds,
            "purpose": self._purpose,
        }
        answer = await self._client.transport.call("acquire_lease", arguments, retries=ONE_TRY)
        leases: list[HeldLease] = answer["leases"]
        return leases

    async def _renew(self, timeout_seconds: float) -> None:
        arguments = {"leases": self._held(), "ttl_seconds": self._ttl_seconds}
        await self._client.transport.call("renew_lease", arguments, timeout_seconds=timeout_seconds, retries=ONE_TRY)

    async def _give_up(self, hold: Hold) -> bool:
        """Releases the names. Returns whether the server says that they were lost."""
        try:
            answer = await self._client.transport.call("release_lease", {"leases": self._held()}, retries=ONE_TRY)
            return not set(self.tokens) <= set(answer["released"])
        except LeaseLostError:
            return True
        except SharedContextError as error:
            if not is_passing(error):
                raise
        # A second call cannot tell whether the names were lost or the first one has released them.
        try:
            await self._client.release_lease(leases=self._held())
        except SharedContextError as error:
            logger.warning("%s was not released, and ends by itself: %s", hold.what, error)
        return False

    def _held(self) -> list[ReleasedLeaseInput]:
        return [{"name": name, "token": token} for name, token in self.tokens.items()]

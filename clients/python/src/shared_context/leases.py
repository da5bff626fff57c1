"""Names that one agent holds at a time, as a context manager."""

import time
from types import TracebackType
from typing import TYPE_CHECKING

from ._base_errors import NoAnswerError, SharedContextError
from ._generated.models import HeldLease, ReleasedLeaseInput
from .errors import LeaseHeldError, LeaseLostError
from .holding import RENEW_AT, Hold, Renewal, logger
from .retry import is_passing
from .transport import ONE_TRY

if TYPE_CHECKING:
    from .client import Client

# One call waits so long at most; a longer wait is several calls.
WAIT_SECONDS = 20.0
# The server's clock may end a lease a little after this machine's.
_CLOCKS_SECONDS = 1.0


class WaitForLease:
    """For how long to go on asking for names that others hold. No input and no output: both clients use it."""

    def __init__(self, wait_seconds: float, ttl_seconds: int) -> None:
        self._ttl_seconds = ttl_seconds
        self._ends_at = time.monotonic() + wait_seconds

    def next_seconds(self) -> float:
        """For how many seconds the next call waits."""
        # The lease begins at some moment of the wait. A wait that is short beside it leaves most of its time.
        longest = min(WAIT_SECONDS, self._ttl_seconds * RENEW_AT)
        return max(0.0, min(longest, self._ends_at - time.monotonic()))

    def goes_on(self, error: SharedContextError) -> bool:
        """Whether to ask again."""
        if isinstance(error, NoAnswerError) and error.maybe_done:
            # The names may be this agent's, under a token that it will never know: they are free when their time is up.
            self._ends_at = max(self._ends_at, time.monotonic() + self._ttl_seconds + _CLOCKS_SECONDS)
        return (isinstance(error, LeaseHeldError) or is_passing(error)) and time.monotonic() < self._ends_at


class Lease:
    """Names that this agent holds, renewed in the background until the `with` ends.

    Attributes:
        names: The names.
        tokens: For each name the number that grows with every holder. Pass it along with what you write to what the
            lease protects, if that can refuse a smaller one: this also stops a holder that has not noticed its loss.
    """

    def __init__(
        self, client: "Client", names: tuple[str, ...], *, ttl_seconds: int, wait_seconds: float, purpose: str | None
    ) -> None:
        self._client = client
        self.names = names
        self.tokens: dict[str, int] = {}
        self._ttl_seconds = ttl_seconds
        self._wait_seconds = wait_seconds
        self._purpose = purpose
        self._hold: Hold | None = None
        self._renewal: Renewal | None = None

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

    def acquire(self) -> "Lease":
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
                leases = self._ask(wait.next_seconds())
                break
            except SharedContextError as error:
                if not wait.goes_on(error):
                    raise
                time.sleep(max(error.retry_after or 0.0, 0.2))
        self.tokens = {lease["name"]: lease["token"] for lease in leases}
        self._hold = Hold(f"The lease on {', '.join(self.names)}", self._ttl_seconds, since)
        self._renewal = Renewal(self._hold, self._renew)
        return self

    def release(self) -> None:
        """Gives the names up.

        Raises:
            LeaseLostError: They had been lost before.
        """
        hold, renewal = self._hold, self._renewal
        if hold is None or renewal is None:
            return
        renewal.stop()
        self._renewal = None
        if self._give_up(hold):
            hold.lose()
        hold.end()
        if hold.lost:
            raise hold.error()

    def __enter__(self) -> "Lease":
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except SharedContextError as lost:
            if error is None:
                raise
            # What the body raised is what counts.
            logger.warning("%s", lost)

    def _ask(self, wait_seconds: float) -> list[HeldLease]:
        arguments = {
            "names": list(self.names),
            "ttl_seconds": self._ttl_seconds,
            "wait_seconds": wait_seconds,
            "purpose": self._purpose,
        }
        answer = self._client.transport.call("acquire_lease", arguments, retries=ONE_TRY)
        leases: list[HeldLease] = answer["leases"]
        return leases

    def _renew(self, timeout_seconds: float) -> None:
        arguments = {"leases": self._held(), "ttl_seconds": self._ttl_seconds}
        self._client.transport.call("renew_lease", arguments, timeout_seconds=timeout_seconds, retries=ONE_TRY)

    def _give_up(self, hold: Hold) -> bool:
        """Releases the names. Returns whether the server says that they were lost."""
        try:
            answer = self._client.transport.call("release_lease", {"leases": self._held()}, retries=ONE_TRY)
            return not set(self.tokens) <= set(answer["released"])
        except LeaseLostError:
            return True
        except SharedContextError as error:
            if not is_passing(error):
                raise
        # A second call cannot tell whether the names were lost or the first one has released them.
        try:
            self._client.release_lease(leases=self._held())
        except SharedContextError as error:
            logger.warning("%s was not released, and ends by itself: %s", hold.what, error)
        return False

    def _held(self) -> list[ReleasedLeaseInput]:
        return [{"name": name, "token": token} for name, token in self.tokens.items()]

"""Holding something on the server for a time: a thread renews it, and notices when it is lost."""

import logging
import threading
import time
from collections.abc import Callable

from ._base_errors import SharedContextError
from .errors import LeaseLostError
from .retry import is_passing

logger = logging.getLogger("shared_context")

# A hold is renewed when this part of its time is over, so that two renewals may fail.
RENEW_AT = 1 / 3


class Hold:
    """What is known of a hold: until when it lasts, and whether it is lost.

    Args:
        what: What is held, for errors.
        lasts_seconds: For how long the server holds it after each renewal.
        since: When it was asked for, in seconds of time.monotonic(): the server's time began later.
    """

    def __init__(self, what: str, lasts_seconds: float, since: float) -> None:
        self.what = what
        self.lasts_seconds = lasts_seconds
        self._until = since + lasts_seconds
        self._lost = False
        self._failed = False

    @property
    def lost(self) -> bool:
        """Whether somebody else may hold it by now."""
        return self._lost or time.monotonic() >= self._until

    @property
    def pause_seconds(self) -> float:
        """Seconds until the next renewal."""
        if self._failed:
            return max(0.1, min(5.0, self.lasts_seconds / 10))
        return self.lasts_seconds * RENEW_AT

    @property
    def call_seconds(self) -> float:
        """The time limit of one renewal."""
        return max(1.0, min(10.0, self.lasts_seconds * RENEW_AT))

    def renewed(self, since: float) -> None:
        self._until = since + self.lasts_seconds
        self._failed = False

    def failed(self, error: SharedContextError) -> None:
        """A renewal has failed."""
        self._failed = True
        if not is_passing(error):
            self._lost = True
        level = logging.ERROR if self.lost else logging.WARNING
        logger.log(level, "%s was not renewed: %s", self.what, error)

    def lose(self) -> None:
        self._lost = True

    def end(self) -> None:
        """It is given up: from now on it is not lost any more, if it was not before."""
        self._lost = self.lost
        self._until = float("inf")

    def error(self) -> LeaseLostError:
        return LeaseLostError(
            f"{self.what} was lost: somebody else may hold it by now. What was done may be done twice."
        )


class Renewal:
    """A thread that renews a hold until it is stopped or the hold is lost."""

    def __init__(self, hold: Hold, renew: Callable[[float], object]) -> None:
        self._hold = hold
        self._renew = renew
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"renew {hold.what}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. A renewal that is under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._hold.pause_seconds) and not self._hold.lost:
            since = time.monotonic()
            try:
                self._renew(self._hold.call_seconds)
            except SharedContextError as error:
                if not self._stopped.is_set():
                    self._hold.failed(error)
            except RuntimeError:
                # The client was closed.
                return
            else:
                self._hold.renewed(since)

"""When a call is made again, and how long it waits before. No input and no output: both clients use it."""

import random
from dataclasses import dataclass

from ._base_errors import NoAnswerError, ServerError, SharedContextError, UnexpectedAnswerError

# What gateways answer with while the server behind them is not there, is slow, or has too much to do.
PASSING_STATUS = frozenset({408, 425, 429, 502, 503, 504})
# These say that nothing has happened, so that even a call that may be made only once can be made again.
NOT_DONE_STATUS = frozenset({425, 429})


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a call tries.

    Attributes:
        tries: How often a call is made at most; 1 for never again.
        first_pause_seconds: The pause before the second try. Each further pause is twice as long.
        longest_pause_seconds: No pause of its own choice is longer.
        longest_retry_after_seconds: If the server asks for a longer pause, the call fails at once.
    """

    tries: int = 6
    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 5.0
    longest_retry_after_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError("tries must be at least 1")

    def pause(self, error: SharedContextError, tries_made: int, *, once: bool = False) -> float | None:
        """Seconds to wait before the next try; None if there should be none.

        Args:
            tries_made: How many tries have failed, this one included.
            once: Whether the call must not be made again if it may have happened.
        """
        if tries_made >= self.tries or not is_passing(error) or (once and may_have_happened(error)):
            return None
        if error.retry_after is not None:
            if error.retry_after > self.longest_retry_after_seconds:
                return None
            # Never earlier than asked; the jitter keeps many clients from coming back at one moment.
            return error.retry_after + random.uniform(0, min(1.0, 0.1 + error.retry_after / 4))
        return self.backoff(tries_made)

    def backoff(self, tries_made: int) -> float:
        """Seconds that grow with every failed try, with jitter."""
        # The exponent is bounded because floats overflow.
        longest = min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** min(tries_made - 1, 30))
        return longest * random.uniform(0.5, 1.0)


def is_passing(error: SharedContextError) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, NoAnswerError):
        return True
    if isinstance(error, UnexpectedAnswerError):
        return error.status in PASSING_STATUS
    # The server says of its own errors whether waiting helps.
    return isinstance(error, ServerError) and error.retry_after is not None


def may_have_happened(error: SharedContextError) -> bool:
    """Whether the call may have taken effect although it failed."""
    if isinstance(error, NoAnswerError):
        return error.maybe_done
    if isinstance(error, UnexpectedAnswerError):
        return error.status not in NOT_DONE_STATUS
    # A call whose time is up may still take effect.
    return isinstance(error, ServerError) and error.code == "SERVICE_UNAVAILABLE"

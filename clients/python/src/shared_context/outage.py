"""How long a follower stays with a server that does not answer. No input and no output."""

import time
from dataclasses import dataclass, field

from ._base_errors import SharedContextError
from .retry import RetryPolicy, is_passing

# A restart, a failover or a deployment takes less.
PATIENCE_SECONDS = 300.0


@dataclass
class Outage:
    """Counts from the first failure on.

    Args:
        patience_seconds: For how many seconds failures are borne.
    """

    patience_seconds: float = PATIENCE_SECONDS
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    _began: float | None = None
    _failures: int = 0

    def over(self) -> None:
        """The server has answered."""
        self._began = None
        self._failures = 0

    def pause(self, error: SharedContextError) -> float:
        """Seconds to wait before the next try. Raises the error if waiting does not help or has lasted too long."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if not is_passing(error) or now - self._began >= self.patience_seconds:
            raise error
        self._failures += 1
        return max(error.retry_after or 0.0, self.policy.backoff(self._failures))

"""What both clients do with tasks alike. No input and no output."""

from ._generated.models import Task
from .holding import Hold

# One claim waits so long for a task.
WAIT_SECONDS = 20.0
_ERROR_MAX = 2000
STOPPED = "The worker was stopped before the task was done."
LEFT = "The worker left its loop before the task was done."


class TaskFacts:
    """A task that this worker holds.

    Attributes:
        task: The task as the server described it when it was claimed.
        lease_token: The number that proves the hold; it grows with every claim.
        result: What complete brings, if the loop or the `with` completes the task: any JSON value of at most 1 MiB.
    """

    def __init__(self, task: Task, lease_token: int, hold: Hold) -> None:
        self.task = task
        self.lease_token = lease_token
        self.result: object = None
        self._hold = hold
        self._settled = False

    @property
    def id(self) -> str:
        return self.task["task_id"]

    @property
    def title(self) -> str:
        return self.task["title"]

    @property
    def description(self) -> str:
        return self.task["description"]

    @property
    def metadata(self) -> dict[str, object]:
        return self.task["metadata"]

    @property
    def note(self) -> str | None:
        """What the last worker that gave it back wants the next one to know."""
        return self.task["note"]

    @property
    def lost(self) -> bool:
        """Whether somebody else may do the task by now: stop."""
        return self._hold.lost

    @property
    def settled(self) -> bool:
        """Whether it was completed, failed or released."""
        return self._settled

    def check(self) -> None:
        """Raises LeaseLostError if the task is lost. Call it before each step that must not be done twice."""
        if self._hold.lost:
            raise self._hold.error()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.title!r}>"


def hold_of(task: Task, since: float) -> Hold:
    return Hold(f"The task {task['task_id']}", task["lease_seconds"], since)


def error_text(error: BaseException) -> str:
    """What the server is told about an exception: its class and its words, which other agents can read."""
    return f"{type(error).__name__}: {error}"[:_ERROR_MAX]

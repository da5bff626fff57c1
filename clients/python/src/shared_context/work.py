"""Tasks of the server as a loop: each is claimed, renewed while the body runs, and completed or failed."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from ._base_errors import SharedContextError
from ._generated.models import Task
from .errors import LeaseLostError, TaskNotFoundError
from .holding import RENEW_AT, Renewal, logger
from .outage import Outage
from .tasks import LEFT, STOPPED, WAIT_SECONDS, TaskFacts, error_text, hold_of
from .transport import ONE_TRY
from .waits import is_session_id

if TYPE_CHECKING:
    from .client import Client
    from .holding import Hold

OnError = Literal["raise", "continue"]


class HeldTask(TaskFacts):
    """A task that this worker holds. A thread renews it until it is completed, failed, released or lost.

    As a context manager it completes itself with `result`, or fails if the body raises.
    """

    def __init__(self, client: "Client", task: Task, lease_token: int, hold: "Hold", *, on_error: OnError) -> None:
        super().__init__(task, lease_token, hold)
        self._client = client
        self._on_error = on_error
        self._renewal = Renewal(hold, self._renew)

    def complete(self, result: object = None) -> None:
        """The task is done. Raises LeaseLostError if somebody else has it."""
        self._settle()
        self._client.complete_task(task_id=self.id, lease_token=self.lease_token, result=result)

    def fail(self, error: str, *, retry: bool = True) -> None:
        """The task could not be done. With `retry` it is tried again, as often as its max_attempts says."""
        self._settle()
        try:
            self._client.fail_task(task_id=self.id, lease_token=self.lease_token, error=error, retry=retry)
        except LeaseLostError:
            self._was_settled()

    def release(self, note: str) -> None:
        """Gives the task back for others, with what is done and what is left."""
        self._settle()
        try:
            self._client.release_task(task_id=self.id, lease_token=self.lease_token, note=note)
        except LeaseLostError:
            self._was_settled()

    def __enter__(self) -> "HeldTask":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        goes_on = self._on_error == "continue"
        if error is None:
            self.finish(goes_on)
            return False
        self.abandon(error_text(error) if isinstance(error, Exception) else None)
        if goes_on and isinstance(error, Exception):
            logger.exception("The task %s failed", self.id, exc_info=error)
            return True
        return False

    def finish(self, goes_on: bool = False) -> None:
        """Completes the task with `result`, unless the worker has settled it. With `goes_on` a loss is only logged."""
        if self._settled:
            return
        try:
            self.complete(self.result)
        except LeaseLostError as error:
            if not goes_on:
                raise
            logger.error("The task %s was lost: %s", self.id, error)

    def abandon(self, failure: str | None) -> None:
        """Fails the task, or without a failure gives it back, unless the worker has settled it. It never raises."""
        if self._settled:
            return
        try:
            if failure is None:
                self.release(STOPPED)
            else:
                self.fail(failure)
        except TaskNotFoundError:
            pass
        except (SharedContextError, RuntimeError) as error:
            logger.warning("The task %s was not given back; it comes back when its lease ends: %s", self.id, error)

    def renew_now(self) -> bool:
        """Renews once: the claim waited, so nobody knows when the lease began. Returns False if the task is lost."""
        since = time.monotonic()
        try:
            self._renew(self._hold.call_seconds)
        except SharedContextError as error:
            self._hold.failed(error)
            if self._hold.lost:
                self._settle()
                return False
        else:
            self._hold.renewed(since)
        return True

    def _was_settled(self) -> None:
        # The first try may have done it, and only its answer was lost; if not, others have the task, as was wanted.
        logger.warning("The task %s was no longer held when it was given back", self.id)

    def _settle(self) -> None:
        if self._settled:
            raise RuntimeError(f"The task {self.id} was completed, failed or released already")
        self._renewal.stop()
        self._settled = True

    def _renew(self, timeout_seconds: float) -> None:
        arguments = {"task_id": self.id, "lease_token": self.lease_token}
        self._client.transport.call("renew_task", arguments, timeout_seconds=timeout_seconds, retries=ONE_TRY)


class Work:
    """The tasks that this agent may do, one after the other. See Client.work."""

    def __init__(
        self,
        client: "Client",
        session: str | None,
        *,
        idle_seconds: float | None,
        on_error: OnError,
        patience_seconds: float,
    ) -> None:
        self._client = client
        self._session = session
        self._session_id: str | None = None
        self._idle_seconds = idle_seconds
        self._on_error: OnError = on_error
        self._outage = Outage(patience_seconds)
        self._stopped = False

    def stop(self) -> None:
        """Ends the loop after the present task, or after the present wait. Another thread may call it."""
        self._stopped = True

    def __iter__(self) -> Iterator[HeldTask]:
        while True:
            held = self._next()
            if held is None:
                return
            try:
                yield held
            except GeneratorExit:
                # The loop was left, by an exception or by break: nobody can tell which, and the task is not done.
                held.abandon(LEFT)
                raise
            held.finish(self._on_error == "continue")

    def _next(self) -> HeldTask | None:
        idle_since = time.monotonic()
        while not self._stopped:
            left = WAIT_SECONDS
            if self._idle_seconds is not None:
                left = min(left, idle_since + self._idle_seconds - time.monotonic())
            try:
                held = self._claim(max(0.0, left))
            except SharedContextError as error:
                time.sleep(self._outage.pause(error))
                continue
            self._outage.over()
            if held is not None:
                return held
            if self._idle_seconds is not None and time.monotonic() >= idle_since + self._idle_seconds:
                return None
        return None

    def _claim(self, wait_seconds: float) -> HeldTask | None:
        if self._session is not None and self._session_id is None:
            self._session_id = session_id_of(self._client, self._session)
        since = time.monotonic()
        claimed = self._client.claim_task(session_id=self._session_id, wait_seconds=wait_seconds)
        task, lease = claimed["task"], claimed["lease"]
        if task is None or lease is None:
            return None
        hold = hold_of(task, since)
        held = HeldTask(self._client, task, lease["token"], hold, on_error=self._on_error)
        if time.monotonic() - since > task["lease_seconds"] * RENEW_AT and not held.renew_now():
            return None
        return held


def session_id_of(client: "Client", session: str) -> str:
    """The id of a session that is named by its id or by its key. With a key that nobody has used it is opened."""
    if is_session_id(session):
        return session
    return client.create_session(key=session, purpose=f"Work: {session}"[:1000])["session_id"]

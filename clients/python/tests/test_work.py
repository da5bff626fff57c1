"""Tasks in a loop: each is done once, whatever becomes of the worker."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import FAST, Place

from shared_context import AsyncClient, Client


def plan(client: Client, key: str, count: int, **more: Any) -> list[str]:
    """Hands out tasks of the session with this key. Returns their ids."""
    session_id = client.session(key)
    tasks = [{"title": f"task {n}", "session_id": session_id, **more} for n in range(count)]
    return [task["task_id"] for task in client.create_tasks(tasks=tasks)["tasks"]]  # type: ignore[arg-type]


def states(client: Client, ids: list[str]) -> list[str]:
    return [client.get_task(task_id=task_id)["task"]["state"] for task_id in ids]


def test_a_loop_completes_each_task_with_its_result(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 3)
    done = []
    for task in client.work(key, idle_seconds=0):
        with task:
            done.append(task.title)
            task.result = {"words": len(task.title.split())}
    assert done == ["task 0", "task 1", "task 2"]
    tasks = [client.get_task(task_id=task_id)["task"] for task_id in ids]
    assert [(task["state"], task["result"]) for task in tasks] == [("completed", {"words": 2})] * 3


def test_without_a_with_the_next_round_completes(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 3, max_attempts=1)
    for task in client.work(key, idle_seconds=0):
        if task.title == "task 2":
            break
        task.result = task.title
    # A loop that is left has not done its task.
    assert states(client, ids) == ["completed", "completed", "failed"]
    ids = plan(client, key, 1, max_attempts=1)
    with pytest.raises(ZeroDivisionError):
        for _task in client.work(key, idle_seconds=0):
            raise ZeroDivisionError
    assert states(client, ids) == ["failed"]


def test_a_body_that_raises_fails_its_task(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 2, max_attempts=2)
    with pytest.raises(ValueError, match="no such page"):
        for task in client.work(key, idle_seconds=0):
            with task:
                raise ValueError("no such page")
    failed = client.get_task(task_id=ids[0])["task"]
    assert (failed["state"], failed["attempts"], failed["error"]) == ("submitted", 1, "ValueError: no such page")
    # The next worker goes on after faults: the first task fails for good, the second is tried twice.
    for held in client.work(key, idle_seconds=0, on_error="continue"):
        with held:
            raise ValueError("no such page")
    assert states(client, ids) == ["failed", "failed"]


def test_a_worker_that_is_stopped_gives_its_task_back(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 1)
    with pytest.raises(KeyboardInterrupt):
        for task in client.work(key, idle_seconds=0, on_error="continue"):
            with task:
                raise KeyboardInterrupt
    task_now = client.get_task(task_id=ids[0])["task"]
    assert (task_now["state"], task_now["attempts"]) == ("submitted", 0)
    for task in client.work(key, idle_seconds=0):
        assert task.note is not None and "stopped" in task.note
        task.release("half of it is done")
        break
    assert client.get_task(task_id=ids[0])["task"]["note"] == "half of it is done"


def test_a_task_is_settled_by_hand_and_only_once(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 3, max_attempts=3)
    for task in client.work(key, idle_seconds=0):
        with task:
            if task.title == "task 0":
                task.complete("early")
                with pytest.raises(RuntimeError):
                    task.complete("again")
            else:
                task.fail("never", retry=False)
    assert states(client, ids) == ["completed", "failed", "failed"]
    assert client.get_task(task_id=ids[0])["task"]["result"] == "early"


def test_a_long_task_is_renewed(client: Client, another: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 1, lease_seconds=4)
    for task in client.work(key, idle_seconds=0):
        with task:
            time.sleep(5)
            assert another.claim_task(session_id=another.session(key))["task"] is None
            task.check()
    assert states(client, ids) == ["completed"]


def test_a_wait_for_a_task_with_a_short_lease(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    client.session(key)
    timer = threading.Timer(4, lambda: plan(client, key, 1, lease_seconds=3))
    timer.start()
    titles = []
    for task in client.work(key, idle_seconds=10):
        with task:
            task.check()
            titles.append(task.title)
    timer.join()
    assert titles == ["task 0"]


def test_a_loop_is_stopped_from_another_thread(client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    plan(client, key, 2)
    work = client.work(key)
    titles = []
    for task in work:
        with task:
            titles.append(task.title)
            work.stop()
    assert titles == ["task 0"]


def test_work_in_asyncio(place: Place, client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 4, lease_seconds=4, max_attempts=1)

    async def run() -> None:
        async with AsyncClient(name("async"), url=place.url, api_key=place.api_key, retries=FAST) as worker:
            async for task in worker.work(key, idle_seconds=0, on_error="continue"):
                async with task:
                    if task.title == "task 0":
                        await asyncio.sleep(5)
                    elif task.title == "task 1":
                        raise ValueError("not this one")
                    task.check()
                    task.result = task.title
            plan(client, key, 1, max_attempts=1)
            async for task in worker.work(key, idle_seconds=0):
                task.result = "bare"

            begun = asyncio.Event()

            async def cancelled() -> None:
                async for task in worker.work(key, idle_seconds=30):
                    async with task:
                        begun.set()
                        await asyncio.sleep(30)

            late = plan(client, key, 1)
            running = asyncio.create_task(cancelled())
            await asyncio.wait_for(begun.wait(), 20)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert states(client, late) == ["submitted"]

    asyncio.run(run())
    assert states(client, ids) == ["completed", "failed", "completed", "completed"]

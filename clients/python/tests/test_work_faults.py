"""Workers that are cut off or killed, and workers on a bad line: each task is done once all the same."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import FAST, Place
from relay import Fault, Relay
from test_work import plan, states

from shared_context import Client, errors


def test_a_worker_that_lost_its_task_hears_of_it(
    relay: Relay, through: Client, another: Client, name: Callable[[str], str]
) -> None:
    key = name("research")
    ids = plan(another, key, 1, lease_seconds=1)
    with pytest.raises(errors.LeaseLostError):
        for task in through.work(key, idle_seconds=0):
            with task:
                relay.plan = lambda request: "lose_request"
                until = time.monotonic() + 20
                while not task.lost and time.monotonic() < until:
                    time.sleep(0.05)
                relay.plan = lambda request: "none"
                for other in another.work(key, idle_seconds=10):
                    with other:
                        other.result = "by another"
                    break
    assert another.get_task(task_id=ids[0])["task"]["result"] == "by another"


WORKER = """
import sys, time
from shared_context import Client
with Client("doomed", url=sys.argv[1], api_key=sys.stdin.readline().strip()) as client:
    for task in client.work(sys.argv[2]):
        with task:
            print(task.title, flush=True)
            time.sleep(60)
"""


def test_a_worker_is_killed_and_its_task_comes_back(place: Place, client: Client, name: Callable[[str], str]) -> None:
    key = name("research")
    ids = plan(client, key, 1, lease_seconds=4)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, place.url, key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    try:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(f"{place.api_key}\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "task 0\n"
        time.sleep(5)
        # It is renewed: nobody else gets it.
        assert client.claim_task(session_id=client.session(key))["task"] is None
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    for task in client.work(key, idle_seconds=20):
        with task:
            assert task.task["attempts"] == 1
        break
    assert states(client, ids) == ["completed"]


def test_many_workers_on_a_bad_line_do_each_task_once(
    relay: Relay, place: Place, client: Client, name: Callable[[str], str]
) -> None:
    key = name("research")
    ids = plan(client, key, 24, lease_seconds=1, max_attempts=100)
    dice = random.Random(5)
    faults: list[Fault] = ["lose_request", "lose_answer", "gateway", "gateway_after"]
    completed: Counter[str] = Counter()

    def work(n: int) -> None:
        with Client(f"worker-{n}", url=relay.url, api_key=place.api_key, retries=FAST) as worker:
            # A claim whose answer was lost comes back when its lease has ended.
            for task in worker.work(key, idle_seconds=3, on_error="continue"):
                with task:
                    task.result = n
                completed[task.id] += 1

    relay.plan = lambda request: dice.choice(faults) if dice.random() < 0.3 else "none"
    # The last claims may be lost too, and come back when all workers have ended: then others do them.
    for _ in range(10):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        if states(client, ids) == ["completed"] * 24:
            break
    relay.plan = lambda request: "none"
    assert states(client, ids) == ["completed"] * 24
    assert set(completed) == set(ids)

"""Calls on a bad line: nothing happens twice, and nothing is lost."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import STUBBORN, Place
from relay import LATE_SECONDS, Fault, Relay, Request
from server import free_port

from shared_context import AsyncClient, Client, RetryPolicy, errors

FAULTS: tuple[Fault, ...] = ("lose_request", "lose_answer", "half_answer", "gateway", "gateway_after", "late", "busy")


def once(fault: Fault, tool: str, times: int = 1) -> Callable[[Request], Fault]:
    """The first calls of a tool meet a fault, later ones none."""
    left = [times]

    def plan(request: Request) -> Fault:
        if request.tool != tool or left[0] == 0:
            return "none"
        left[0] -= 1
        return fault

    return plan


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_that_meets_a_fault_happens_once(relay: Relay, through: Client, fault: Fault) -> None:
    session_id = through.create_session(purpose="Faults")["session_id"]
    relay.plan = once(fault, "add_message", times=2)
    through.add_message(session_id=session_id, content="once")
    assert [message["content"] for message in through.iter_messages(session_id)] == ["once"]
    assert relay.tools["add_message"] == (1 if fault == "late" else 3)


def test_a_key_of_the_caller_holds_over_clients(relay: Relay, through: Client, place: Place) -> None:
    session_id = through.create_session(purpose="Keys")["session_id"]
    with Client(through.settings.agent_id, "tester", url=place.url, api_key=place.api_key) as again:
        first = through.add_message(session_id=session_id, content="done", idempotency_key="chapter-3-done")
        second = again.add_message(session_id=session_id, content="done", idempotency_key="chapter-3-done")
    assert first["message_id"] == second["message_id"]


def test_many_threads_on_a_line_that_fails_half_the_time(relay: Relay, stubborn: Client) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    session_id = stubborn.create_session(purpose="Storm")["session_id"]
    relay.plan = lambda request: dice.choice(FAULTS) if dice.random() < 0.5 else "none"

    def write(n: int) -> int:
        return stubborn.add_message(session_id=session_id, content=f"message {n}")["message_id"]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(write, range(80)))
    relay.plan = lambda request: "none"
    messages = list(stubborn.iter_messages(session_id))
    assert Counter(message["content"] for message in messages) == Counter(f"message {n}" for n in range(80))
    assert sorted(message["id"] for message in messages) == sorted(ids)


def test_counters_in_memory_count_each_call_once(relay: Relay, through: Client) -> None:
    dice = random.Random(7)
    relay.plan = lambda request: dice.choice(FAULTS) if dice.random() < 0.4 else "none"
    for _ in range(20):
        through.update_memory(key="count", op="increment", value=1)
    relay.plan = lambda request: "none"
    assert through.get_memory(key="count")["value"] == 20


def test_asyncio_on_a_line_that_fails_half_the_time(relay: Relay, place: Place, name: Callable[[str], str]) -> None:
    async def run() -> None:
        dice = random.Random(11)
        async with AsyncClient(name("async"), url=relay.url, api_key=place.api_key, retries=STUBBORN) as client:
            session_id = (await client.create_session(purpose="Storm"))["session_id"]
            relay.plan = lambda request: dice.choice(FAULTS) if dice.random() < 0.5 else "none"
            await asyncio.gather(*(client.add_message(session_id=session_id, content=str(n)) for n in range(40)))
            relay.plan = lambda request: "none"
            contents = [message["content"] async for message in client.iter_messages(session_id)]
        assert sorted(contents, key=int) == [str(n) for n in range(40)]

    asyncio.run(run())


def test_tries_are_bounded_and_the_last_fault_is_told(relay: Relay, place: Place, name: Callable[[str], str]) -> None:
    policy = RetryPolicy(tries=3, first_pause_seconds=0.01)
    with Client(name("few"), url=relay.url, api_key=place.api_key, retries=policy) as client:
        client.list_sessions()
        relay.plan = lambda request: "gateway"
        with pytest.raises(errors.UnexpectedAnswerError) as gateway:
            client.list_sessions()
        assert gateway.value.status == 502 and "html" in gateway.value.content_type
        assert "Bad Gateway</h1>" not in str(gateway.value)
        assert relay.tools["list_sessions"] == 1 + 3
        relay.plan = lambda request: "lose_answer"
        with pytest.raises(errors.NoAnswerError) as lost:
            client.list_sessions()
        assert lost.value.maybe_done and lost.value.__cause__ is not None
        # A page that says 200 is no answer of the server, and waiting does not help.
        relay.plan = lambda request: "page"
        before = relay.tools["list_sessions"]
        with pytest.raises(errors.UnexpectedAnswerError):
            client.list_sessions()
        assert relay.tools["list_sessions"] == before + 1


def test_a_call_whose_answer_is_a_secret_is_made_once(relay: Relay, through: Client) -> None:
    through.list_sessions()
    relay.plan = lambda request: "lose_answer"
    with pytest.raises(errors.NoAnswerError) as lost:
        through.create_token(permissions=["read"])
    assert lost.value.maybe_done and relay.tools["create_token"] == 1
    # What has not reached the server can be sent again.
    relay.plan = once("busy", "create_token")
    assert through.create_token(permissions=["read"])["token"]


def test_a_server_that_is_not_there_yet(place: Place, name: Callable[[str], str]) -> None:
    with Client(
        name("early"), url=f"http://127.0.0.1:{free_port()}", api_key="k", retries=RetryPolicy(tries=2)
    ) as client:
        with pytest.raises(errors.NoAnswerError) as refused:
            client.list_sessions()
    assert not refused.value.maybe_done


def test_retry_after_is_honoured_and_bounded() -> None:
    policy = RetryPolicy(longest_retry_after_seconds=5)

    def busy(seconds: float) -> errors.ServerError:
        return errors.error_of("t", 503, {"code": "SERVICE_UNAVAILABLE", "error": "Busy.", "retry_after": seconds})

    for _ in range(50):
        assert 2 <= (policy.pause(busy(2), 1) or 0) <= 3
    assert policy.pause(busy(60), 1) is None
    assert policy.pause(busy(1), 6) is None
    assert policy.pause(errors.error_of("t", 400, {"code": "INVALID_INPUT", "error": "Wrong."}), 1) is None
    assert policy.pause(busy(1), 1, once=True) is None


def test_an_answer_that_is_late_is_waited_for_no_longer_than_said(relay: Relay, place: Place) -> None:
    with Client("late", url=relay.url, api_key=place.api_key, retries=RetryPolicy(tries=1)) as client:
        client.list_sessions()
        relay.plan = lambda request: "late"
        client.list_sessions()
        with pytest.raises(errors.NoAnswerError):
            client.call("list_sessions", {}, timeout_seconds=LATE_SECONDS / 4)


def test_cut_connections_do_not_hurt(relay: Relay, stubborn: Client) -> None:
    session_id = stubborn.create_session(purpose="Cuts")["session_id"]
    done = threading.Event()
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        # The times differ, so that a call which takes long on a slow machine gets through between two cuts.
        while not done.wait(random.uniform(0.05, 0.5)):
            relay.cut()
            cuts += 1

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        until = time.monotonic() + 120
        written = 0
        # Until many connections were cut, some of them in the middle of a call.
        while (cuts < 20 or relay.tools["add_message"] == written) and time.monotonic() < until:
            stubborn.add_message(session_id=session_id, content=str(written))
            written += 1
    finally:
        done.set()
        cutter.join()
    assert relay.tools["add_message"] > written
    assert [message["content"] for message in stubborn.iter_messages(session_id)] == [str(n) for n in range(written)]

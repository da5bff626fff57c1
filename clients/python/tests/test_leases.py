"""Leases: renewed while they are held, given up at the end, and lost loudly."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from conftest import FAST, Place
from relay import Fault, Relay, Request

from shared_context import AsyncClient, Client, errors


def holders(client: Client, name: str) -> list[str]:
    return [lease["holder"] for lease in client.list_leases(prefix=name)["leases"]]


def test_it_is_renewed_while_it_is_held_and_given_up_at_the_end(
    client: Client, another: Client, name: Callable[[str], str]
) -> None:
    deploy, staging = name("deploy"), name("staging")
    with client.lease(deploy, staging, ttl_seconds=4, purpose="Release 7") as lease:
        assert set(lease.tokens) == {deploy, staging} and lease.token == lease.tokens[deploy]
        time.sleep(5)
        lease.check()
        assert holders(another, deploy) == [client.settings.agent_id]
        with pytest.raises(errors.LeaseHeldError) as held:
            another.lease(staging).acquire()
        assert held.value.details["holders"][0]["holder"] == client.settings.agent_id
    assert not lease.lost
    assert holders(another, deploy) == []
    with another.lease(deploy) as next_one:
        assert next_one.token > lease.token


def test_it_waits_for_the_name(client: Client, another: Client, name: Callable[[str], str]) -> None:
    deploy = name("deploy")
    order: list[str] = []

    def wait() -> None:
        with another.lease(deploy, wait_seconds=20):
            order.append("second")

    with client.lease(deploy):
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.5)
        order.append("first")
    waiter.join(20)
    assert order == ["first", "second"]
    began = time.monotonic()
    with client.lease(deploy):
        with pytest.raises(errors.LeaseHeldError):
            another.lease(deploy, wait_seconds=1).acquire()
    assert time.monotonic() - began >= 1


def test_only_one_at_a_time(client: Client, name: Callable[[str], str]) -> None:
    counter = name("counter")
    client.set_memory(key=counter, value=0)

    def count() -> None:
        for _ in range(5):
            with client.lease(counter, wait_seconds=60):
                value = client.get_memory(key=counter)["value"]
                client.set_memory(key=counter, value=value + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert client.get_memory(key=counter)["value"] == 20


def test_a_holder_that_is_cut_off_knows_it_and_says_so(
    relay: Relay, through: Client, another: Client, name: Callable[[str], str]
) -> None:
    deploy = name("deploy")
    with pytest.raises(errors.LeaseLostError):
        with through.lease(deploy, ttl_seconds=1) as lease:
            relay.plan = lambda request: "lose_request"
            until = time.monotonic() + 20
            while not lease.lost and time.monotonic() < until:
                time.sleep(0.05)
            assert lease.lost
            with another.lease(deploy, wait_seconds=20):
                pass
            with pytest.raises(errors.LeaseLostError):
                lease.check()
            relay.plan = lambda request: "none"


def test_a_lease_that_the_server_has_ended_is_lost(client: Client, name: Callable[[str], str]) -> None:
    deploy = name("deploy")
    with pytest.raises(errors.LeaseLostError):
        with client.lease(deploy) as lease:
            # Somebody else with this agent's name gives it up.
            client.release_lease(leases=[{"name": deploy, "token": lease.token}])
    with pytest.raises(errors.LeaseLostError):
        with client.lease(deploy, ttl_seconds=1) as lease:
            client.release_lease(leases=[{"name": deploy, "token": lease.token}])
            time.sleep(1)
            lease.check()


def test_what_the_body_raises_comes_through(client: Client, name: Callable[[str], str]) -> None:
    deploy = name("deploy")
    with pytest.raises(ZeroDivisionError):
        with client.lease(deploy) as lease:
            client.release_lease(leases=[{"name": deploy, "token": lease.token}])
            raise ZeroDivisionError
    assert holders(client, deploy) == []


def test_an_answer_that_was_lost_does_not_hold_a_name_for_ever(
    relay: Relay, through: Client, name: Callable[[str], str]
) -> None:
    lost = [1]

    def plan(request: Request) -> Fault:
        if request.tool == "acquire_lease" and lost:
            lost.pop()
            return "lose_answer"
        return "none"

    relay.plan = plan
    with through.lease(name("deploy"), ttl_seconds=3) as lease:
        lease.check()
    assert relay.tools["acquire_lease"] > 1


def test_leases_in_asyncio(place: Place, relay: Relay, another: Client, name: Callable[[str], str]) -> None:
    deploy = name("deploy")

    async def run() -> None:
        async with AsyncClient(name("async"), url=relay.url, api_key=place.api_key, retries=FAST) as client:
            async with client.lease(deploy, ttl_seconds=4) as lease:
                await asyncio.sleep(5)
                lease.check()
                with pytest.raises(errors.LeaseHeldError):
                    another.lease(deploy).acquire()
            with pytest.raises(errors.LeaseLostError):
                async with client.lease(deploy, ttl_seconds=1) as lease:
                    relay.plan = lambda request: "lose_request"
                    await asyncio.sleep(1.5)
                    relay.plan = lambda request: "none"
                    assert lease.lost
            async with client.lease(deploy, wait_seconds=20):
                pass

    asyncio.run(run())
    assert holders(another, deploy) == []

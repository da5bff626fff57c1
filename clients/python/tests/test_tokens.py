"""The token: fetched once for many threads, renewed before it ends and after it was refused."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import FAST, Place, started
from relay import Relay
from server import Server

from shared_context import AsyncClient, Client, errors


@pytest.fixture(scope="module")
def short_lived() -> Iterator[Server]:
    """A server whose tokens live for three seconds."""
    server = started(JWT_EXPIRES_IN="3")
    yield server
    server.remove()


def test_many_threads_fetch_one_token_and_renew_it_once(relay: Relay, through: Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: through.list_sessions(limit=1), range(32)))
        assert relay.tools["authenticate_agent"] == 1
        through.revoke_token()
        # Every replica refuses a revoked token within two seconds.
        time.sleep(2.1)
        list(pool.map(lambda _: through.list_sessions(limit=1), range(32)))
    assert relay.tools["authenticate_agent"] == 2


def test_a_token_is_renewed_before_it_ends(short_lived: Server) -> None:
    with Relay(short_lived.url) as relay:
        with Client("ada", url=relay.url, api_key=short_lived.api_key, retries=FAST) as client:
            calls = 0
            until = time.monotonic() + 60
            while relay.tools.get("authenticate_agent", 0) < 4 and time.monotonic() < until:
                client.list_sessions(limit=1)
                calls += 1
                time.sleep(0.05)
            # If it were renewed only after it was refused, each renewal would follow a call that is made twice. One may
            # be, where a slow machine holds a call up for longer than the rest of the token's life.
            renewals = relay.tools["authenticate_agent"] - 1
            assert renewals == 3 and relay.tools["list_sessions"] - calls < renewals


def test_a_wait_that_outlives_its_token_goes_on(short_lived: Server) -> None:
    with Client("ben", url=short_lived.url, api_key=short_lived.api_key, retries=FAST) as client:
        session_id = client.create_session(purpose="Longer than a token")["session_id"]
        follower = iter(client.follow(session_id, wait_seconds=5))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: next(follower))
            time.sleep(4.5)
            client.add_message(session_id=session_id, content="after the token")
            assert waiting.result(20)["content"] == "after the token"


def test_a_stream_that_outlives_its_token_goes_on(short_lived: Server) -> None:
    with Client("cleo", url=short_lived.url, api_key=short_lived.api_key, retries=FAST) as client:
        session_id = client.create_session(purpose="Longer than a token")["session_id"]
        with client.events(session_id, after_seq=0) as stream, ThreadPoolExecutor(1) as pool:
            for n in range(3):
                waiting = pool.submit(lambda: next(stream))
                time.sleep(2)
                client.add_message(session_id=session_id, content=str(n))
                message = waiting.result(20).message
                assert message is not None and message["content"] == str(n)


def test_a_ready_token_and_one_from_a_function(place: Place, client: Client, short_lived: Server) -> None:
    token = client.create_token(permissions=["read"])["token"]
    with Client(token=token, url=place.url) as reader:
        assert reader.list_sessions(limit=1)["count"] >= 0
        with pytest.raises(errors.PermissionDeniedError) as denied:
            reader.create_session(purpose="No")
        assert denied.value.details["required_permission"] == "write"
    given: list[str] = []

    def provide() -> str:
        with Client("dora", url=short_lived.url, api_key=short_lived.api_key) as other:
            answer = other.authenticate_agent(agent_id="dora", agent_type="x", api_key=short_lived.api_key)
        given.append(answer["token"])
        return answer["token"]

    with Client(token=provide, url=short_lived.url) as provided:
        provided.list_sessions()
        time.sleep(4)
        provided.list_sessions()
    assert len(given) == 2
    with Client(token=given[0], url=short_lived.url) as stale:
        with pytest.raises(errors.TokenExpiredError):
            stale.list_sessions()


def test_many_tasks_fetch_one_token(relay: Relay, place: Place, name: Callable[[str], str]) -> None:
    async def run() -> None:
        async with AsyncClient(name("async"), url=relay.url, api_key=place.api_key) as client:
            await asyncio.gather(*(client.list_sessions(limit=1) for _ in range(30)))

        async def provide() -> str:
            async with AsyncClient(name("async"), url=place.url, api_key=place.api_key) as client:
                return (await client.create_token(permissions=["read"]))["token"]

        async with AsyncClient(token=provide, url=place.url) as client:
            await client.list_sessions()

    asyncio.run(run())
    assert relay.tools["authenticate_agent"] == 1


def test_without_credentials_where_none_are_needed(tmp_path: object) -> None:
    server = started(AUTH_ENABLED="false")
    try:
        with Client("nina", "tester", url=server.url) as client:
            assert client.create_session(purpose="No key")["created_by"] == "nina"
    finally:
        server.remove()

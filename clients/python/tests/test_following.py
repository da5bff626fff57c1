"""Following a session, an inbox and event streams, over lost connections and restarted servers."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from conftest import FAST, Place, started
from relay import Relay
from server import Server

from shared_context import AsyncClient, Client, errors


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that may be stopped."""
    server = started()
    yield server
    server.remove()


def write(client: Client, session_id: str, count: int, pause_seconds: float = 0.0) -> threading.Thread:
    """Writes numbered messages in a thread, then closes the session."""

    def run() -> None:
        for n in range(count):
            client.add_message(session_id=session_id, content=str(n))
            time.sleep(pause_seconds)
        client.close_session(session_id=session_id)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def numbers(count: int) -> list[str]:
    return [str(n) for n in range(count)]


def test_a_follower_gets_each_message_once_until_the_session_is_closed(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="Follow")["session_id"]
    writer = write(client, session_id, 120)
    follower = another.follow(session_id, wait_seconds=5)
    assert [message["content"] for message in follower] == numbers(120)
    writer.join()
    # It can be taken up again where it was, also by another follower.
    assert list(another.follow(session_id, after_seq=follower.position)) == []


def test_a_follower_on_a_line_that_is_cut(relay: Relay, through: Client, client: Client) -> None:
    session_id = client.create_session(purpose="Follow")["session_id"]
    writer = write(client, session_id, 60, 0.02)
    contents = []
    for message in through.follow(session_id, wait_seconds=5):
        contents.append(message["content"])
        if len(contents) % 7 == 0:
            relay.cut()
    writer.join()
    assert contents == numbers(60)


def test_a_deleted_session_ends_a_follower_with_its_error(client: Client) -> None:
    session_id = client.create_session(purpose="Gone")["session_id"]
    client.delete_session(session_id=session_id)
    with pytest.raises(errors.SessionNotFoundError):
        next(iter(client.follow(session_id)))


def test_events_of_a_session_over_lost_connections(relay: Relay, through: Client, client: Client) -> None:
    session_id = client.create_session(purpose="Stream")["session_id"]
    writer = write(client, session_id, 60, 0.02)
    contents = []
    with through.events(session_id, after_seq=0) as stream:
        for event in stream:
            if event.type == "session_closed":
                break
            assert event.message is not None and event.session_id == session_id
            contents.append(event.message["content"])
            if len(contents) % 9 == 0:
                relay.cut()
    writer.join()
    assert contents == numbers(60)
    assert relay.tools["events"] > 1


def test_a_stream_is_left_and_taken_up_by_another_process(client: Client) -> None:
    session_id = client.create_session(purpose="Stream")["session_id"]
    for n in range(6):
        # A line for Python's splitlines, and none for event streams.
        client.add_message(session_id=session_id, content=f"{n}\u2028\u0085\x1c{n}")
    with client.events(session_id, after_seq=0) as stream:
        first = [event.message for event in islice(stream, 3)]
    # What a reader has not come back from counts as not handled: it comes again.
    with client.events(session_id, last_event_id=stream.last_event_id) as stream:
        rest = [event.message for event in islice(stream, 4)]
    contents = [message["content"][0] for message in [*first, *rest] if message is not None]
    assert contents == ["0", "1", "2", "2", "3", "4", "5"]
    assert first[0] is not None and first[0]["content"] == "0\u2028\u0085\x1c0"


def test_events_of_all_sessions_and_the_end_of_one(client: Client, name: Callable[[str], str]) -> None:
    mark = name("mark")
    with client.events() as everything:
        ready = threading.Event()
        seen: list[str] = []

        def read() -> None:
            for event in everything:
                if event.message is not None and event.message["content"] == mark:
                    seen.append(event.session_id or "")
                    return
                ready.set()

        reader = threading.Thread(target=read)
        reader.start()
        # The stream tells only what comes once it is there.
        probed = client.create_session(purpose="Probe")["session_id"]
        until = time.monotonic() + 20
        while not ready.wait(0.2) and time.monotonic() < until:
            client.add_message(session_id=probed, content="probe")
        assert ready.is_set()
        session_id = client.create_session(purpose="All")["session_id"]
        client.add_message(session_id=session_id, content=mark)
        reader.join(20)
        assert seen == [session_id]
    with client.events(session_id, after_seq=0) as stream:
        assert next(stream).type == "message_added"
        client.delete_session(session_id=session_id)
        assert list(stream) == [] and stream.end_reason == "session_gone"


def test_an_inbox_is_acknowledged_when_the_body_is_through(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="Inbox")["session_id"]
    to = [another.settings.agent_id or ""]
    for n in range(3):
        client.add_message(session_id=session_id, to=to, content=str(n))
    inbox = another.inbox(note="on it", wait_seconds=5)
    assert [next(inbox)["content"] for _ in range(3)] == numbers(3)
    del inbox
    # The third was not through.
    again = another.inbox(acknowledge="before", wait_seconds=5)
    message = next(again)
    assert message["content"] == "2"
    assert another.get_inbox(unacked_only=True)["count"] == 0
    receipts = client.get_receipts(message_id=message["id"])["receipts"]
    assert receipts[0]["acked_at"] is not None


def test_a_message_that_is_deleted_meanwhile_does_not_end_an_inbox(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="Inbox")["session_id"]
    to = [another.settings.agent_id or ""]
    first = client.add_message(session_id=session_id, to=to, content="first")["message_id"]
    inbox = another.inbox(wait_seconds=5)
    assert next(inbox)["content"] == "first"
    client.delete_message(message_id=first)
    client.add_message(session_id=session_id, to=to, content="second")
    assert next(inbox)["content"] == "second"


def test_a_server_that_is_stopped_and_started_under_followers(own_server: Server) -> None:
    with (
        Client("writer", url=own_server.url, api_key=own_server.api_key) as writer,
        Client("reader", url=own_server.url, api_key=own_server.api_key, retries=FAST) as reader,
    ):
        session_id = writer.create_session(purpose="Restart")["session_id"]
        followed: list[str] = []
        streamed: list[str] = []

        def follow() -> None:
            followed.extend(message["content"] for message in reader.follow(session_id, wait_seconds=5))

        def stream() -> None:
            for event in reader.events(session_id, after_seq=0):
                if event.message is None:
                    return
                streamed.append(event.message["content"])

        threads = [threading.Thread(target=follow), threading.Thread(target=stream)]
        for thread in threads:
            thread.start()
        for n in range(10):
            writer.add_message(session_id=session_id, content=str(n))
        own_server.stop(signal.SIGKILL)
        restart = threading.Timer(0.5, own_server.start)
        restart.start()
        for n in range(10, 20):
            while True:
                try:
                    writer.add_message(session_id=session_id, content=str(n), idempotency_key=f"restart-{n}")
                    break
                except errors.NoAnswerError:
                    time.sleep(0.2)
        writer.close_session(session_id=session_id)
        restart.join()
        for thread in threads:
            thread.join(60)
        assert followed == numbers(20)
        assert streamed == numbers(20)


def test_patience_has_an_end(place: Place, relay: Relay, through: Client) -> None:
    session_id = through.create_session(purpose="Patience")["session_id"]
    relay.plan = lambda request: "gateway"
    began = time.monotonic()
    with pytest.raises(errors.UnexpectedAnswerError):
        next(through.events(session_id, after_seq=0, patience_seconds=1))
    assert time.monotonic() - began >= 1


def test_followers_and_streams_in_asyncio(
    relay: Relay, place: Place, name: Callable[[str], str], client: Client
) -> None:
    session_id = client.create_session(purpose="Follow in asyncio")["session_id"]

    async def run() -> tuple[list[str], list[str], str]:
        async with AsyncClient(name("async"), url=relay.url, api_key=place.api_key, retries=FAST) as reader:

            async def follow() -> list[str]:
                return [message["content"] async for message in reader.follow(session_id, wait_seconds=5)]

            async def stream() -> list[str]:
                contents: list[str] = []
                async with reader.events(session_id, after_seq=0) as events:
                    async for event in events:
                        if event.message is None:
                            break
                        contents.append(event.message["content"])
                        if len(contents) % 7 == 0:
                            relay.cut()
                return contents

            followed, streamed = await asyncio.gather(follow(), stream())
            await reader.create_session(purpose="Inbox")
            client.add_message(
                session_id=client.create_session(purpose="Inbox")["session_id"],
                to=[reader.settings.agent_id or ""],
                content="for you",
            )
            async for message in reader.inbox(wait_seconds=5):
                return followed, streamed, message["content"]
        raise AssertionError("the inbox was empty")

    writer = write(client, session_id, 40, 0.02)
    followed, streamed, inbox = asyncio.run(run())
    writer.join()
    assert (followed, streamed, inbox) == (numbers(40), numbers(40), "for you")

"""What the tests share: a server, clients, and a relay that fails on purpose."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from relay import Relay
from server import Server, why_no_server

from shared_context import AsyncClient, Client, RetryPolicy

# Tests are not made to wait as long as programs should.
FAST = RetryPolicy(tries=12, first_pause_seconds=0.02, longest_pause_seconds=0.3)
# For lines that fail at random: no call has so much bad luck that its tries are used up.
STUBBORN = replace(FAST, tries=100)

_numbers = itertools.count(1)


class Place:
    """Where the tests' server is."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self.api_key = api_key


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """The server of SHARED_CONTEXT_URL, else one that is started for the tests."""
    url = os.environ.get("SHARED_CONTEXT_URL")
    if url is not None:
        yield Place(url, os.environ["SHARED_CONTEXT_API_KEY"])
        return
    server = started()
    yield Place(server.url, server.api_key)
    server.remove()


def started(**environment: str) -> Server:
    """A server of a test's own, with these variables. Whoever calls it removes it."""
    reason = why_no_server()
    if reason is not None:
        pytest.skip(f"no server: {reason}")
    server = Server(environment)
    try:
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@pytest.fixture
def name() -> Callable[[str], str]:
    """Makes names that no other test has, on servers that are used again too."""
    return lambda word: f"{word}-{os.getpid()}-{next(_numbers)}-{os.urandom(3).hex()}"


@pytest.fixture
def client(place: Place, name: Callable[[str], str]) -> Iterator[Client]:
    with Client(name("ada"), "tester", url=place.url, api_key=place.api_key, retries=FAST) as client:
        yield client


@pytest.fixture
def another(place: Place, name: Callable[[str], str]) -> Iterator[Client]:
    with Client(name("ben"), "tester", url=place.url, api_key=place.api_key, retries=FAST) as client:
        yield client


@pytest.fixture
def make_async(place: Place, name: Callable[[str], str]) -> Callable[[], AsyncClient]:
    """Makes asynchronous clients; a test closes them."""
    return lambda: AsyncClient(name("cleo"), "tester", url=place.url, api_key=place.api_key, retries=FAST)


@pytest.fixture
def relay(place: Place) -> Iterator[Relay]:
    with Relay(place.url) as relay:
        yield relay


@pytest.fixture
def through(relay: Relay, place: Place, name: Callable[[str], str]) -> Iterator[Client]:
    """A client whose connections go through the relay."""
    with Client(name("rita"), "tester", url=relay.url, api_key=place.api_key, retries=FAST) as client:
        yield client


@pytest.fixture
def stubborn(relay: Relay, place: Place, name: Callable[[str], str]) -> Iterator[Client]:
    """As `through`, on a line that fails at random."""
    with Client(name("rosa"), "tester", url=relay.url, api_key=place.api_key, retries=STUBBORN) as client:
        yield client

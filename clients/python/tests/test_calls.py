"""Calls on a good line: every tool has its method, and answers and errors are what the server sent."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Place

from shared_context import NOT_GIVEN, AsyncClient, Client, errors
from shared_context._generated.async_tools import AsyncToolMethods
from shared_context._generated.catalogue import TOOLS
from shared_context._generated.tools import ToolMethods
from shared_context._wire import encode


def test_a_session_with_messages_memory_and_search(client: Client, another: Client) -> None:
    session_id = client.create_session(purpose="Try it", metadata={"step": 1})["session_id"]
    added = client.add_message(session_id=session_id, content="The price is rounded before tax")
    client.add_message(session_id=session_id, content="Not sure", visibility="private")
    seen = another.get_messages(session_id=session_id)["messages"]
    assert [message["id"] for message in seen] == [added["message_id"]]
    assert seen[0]["sender"] == client.settings.agent_id
    found = another.search_context(session_id=session_id, query="rouned price")["results"]
    assert found[0]["message"]["id"] == added["message_id"]
    stored = client.set_memory(key="next", value={"line": 42})
    got = client.get_memory(key="next")
    assert (got["value"], got["version"]) == ({"line": 42}, stored["version"])


def test_none_is_a_value_where_it_can_be_one(client: Client) -> None:
    client.set_memory(key="nothing", value=None)
    assert client.get_memory(key="nothing")["value"] is None
    session_id = client.create_session(purpose="Payloads", key=None)["session_id"]
    with_none = client.add_message(session_id=session_id, content="a", payload=None)
    without = client.add_message(session_id=session_id, content="b", payload=NOT_GIVEN)
    assert with_none["seq"] < without["seq"]


def test_pages_are_gone_through(client: Client, name: Callable[[str], str]) -> None:
    key = name("page")
    client.batch_memory(operations=[{"op": "set", "key": f"{key}/{n}", "value": n} for n in range(25)])
    entries = client.iter_memory(prefix=f"{key}/", limit=10, include_values=True, order="key")
    assert sorted(entry["value"] for entry in entries) == list(range(25))
    session_id = client.create_session(purpose="Pages")["session_id"]
    for start in range(0, 250, 100):
        client.add_messages(
            session_id=session_id,
            messages=[{"content": f"message {n}"} for n in range(start, min(start + 100, 250))],
        )
    contents = [message["content"] for message in client.iter_messages(session_id, limit=70)]
    assert contents == [f"message {n}" for n in range(250)]


def test_errors_are_classes_that_say_what_to_do(client: Client, place: Place) -> None:
    with pytest.raises(errors.SessionNotFoundError) as caught:
        client.get_session(session_id="session_0123456789abcdef")
    error = caught.value
    assert isinstance(error, errors.NotFoundError) and error.code == "SESSION_NOT_FOUND"
    assert error.suggestions and error.request_id and error.status == 404 and error.tool == "get_session"
    with pytest.raises(errors.InvalidInputError) as wrong:
        client.call("add_message", {"text": "Hello"})
    assert wrong.value.details["argument"]
    client.set_memory(key="there", value=1)
    with pytest.raises(errors.KeyExistsError):
        client.set_memory(key="there", value=2, overwrite=False)
    with Client("nobody", url=place.url, api_key="wrong-key-of-nobody") as stranger:
        with pytest.raises(errors.CredentialsError) as refused:
            stranger.list_sessions()
    assert refused.value.code == "INVALID_API_KEY"
    assert "wrong-key-of-nobody" not in f"{refused.value!r} {refused.value} {stranger!r} {stranger.settings!r}"


def test_a_tool_and_a_code_that_this_package_does_not_know(client: Client) -> None:
    with pytest.raises(errors.ToolNotFoundError):
        client.call("a_tool_of_tomorrow", {"any": 1})
    unknown = errors.error_of("x", 418, {"code": "NEW_CODE", "error": "Something new.", "suggestions": ["Do this"]})
    assert type(unknown) is errors.ServerError and unknown.code == "NEW_CODE"
    assert str(unknown) == "NEW_CODE: Something new. → Do this."


def test_what_is_no_json_is_refused_before_it_is_sent(client: Client) -> None:
    with pytest.raises(ValueError):
        client.set_memory(key="k", value=float("nan"))
    with pytest.raises(TypeError):
        client.set_memory(key="k", value=object())


def test_only_a_batch_that_writes_has_a_key() -> None:
    def keyed(*operations: str) -> bool:
        return b"idempotency_key" in encode("batch_memory", {"operations": [{"op": op} for op in operations]})

    assert not keyed("get") and not keyed("get", "list")
    assert keyed("set") and keyed("get", "delete") and keyed("what comes later")
    assert b"idempotency_key" in encode("set_memory", {})
    # The server says what is wrong with it.
    assert b"idempotency_key" in encode("batch_memory", {"operations": "text"})


def test_a_wait_longer_than_the_time_limit_works(place: Place, name: Callable[[str], str]) -> None:
    with Client(name("patient"), url=place.url, api_key=place.api_key, timeout_seconds=1.0) as client:
        session_id = client.create_session(purpose="Wait")["session_id"]
        assert client.wait_for_messages(session_id=session_id, after_seq=0, timeout_seconds=3)["timed_out"]
        timer = threading.Timer(2.0, lambda: client.add_message(session_id=session_id, content="late"))
        timer.start()
        page = client.wait_for_messages(session_id=session_id, after_seq=0, timeout_seconds=20)
        timer.join()
    assert [message["content"] for message in page["messages"]] == ["late"]


async def _use(client: AsyncClient) -> None:
    async with client:
        opened = await client.create_session(purpose="Try it in asyncio")
        await client.add_message(session_id=opened["session_id"], content="Hello")
        contents = [message["content"] async for message in client.iter_messages(opened["session_id"])]
        assert contents == ["Hello"]
        mine = [session["id"] async for session in client.iter_sessions(created_by=client.settings.agent_id)]
        assert mine == [opened["session_id"]]
        with pytest.raises(errors.MemoryNotFoundError):
            await client.get_memory(key="nothing here")


def test_the_asynchronous_client(make_async: Callable[[], AsyncClient]) -> None:
    asyncio.run(_use(make_async()))


def test_both_clients_have_the_same_methods_and_one_for_each_tool() -> None:
    assert set(TOOLS) <= {name for name in dir(ToolMethods) if not name.startswith("_")}
    for sync, asynchronous in ((ToolMethods, AsyncToolMethods), (Client, AsyncClient)):
        names = {each for each in dir(sync) if not each.startswith("_")}
        assert names == {each for each in dir(asynchronous) if not each.startswith("_")}
        for each in names:
            mine, theirs = (inspect.signature(getattr(kind, each)) for kind in (sync, asynchronous))
            assert list(mine.parameters) == list(theirs.parameters), each
            assert [p.default for p in mine.parameters.values()] == [p.default for p in theirs.parameters.values()]


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARED_CONTEXT_API_KEY", "from-the-environment")
    monkeypatch.setenv("SHARED_CONTEXT_URL", "http://127.0.0.1:1/")
    with Client("ada") as client:
        assert client.settings.url == "http://127.0.0.1:1" and client.settings.api_key == "from-the-environment"
    with Client(token="ready") as client:
        assert client.settings.api_key is None
    wrongs: list[dict[str, Any]] = [
        {"agent_id": None},
        {"agent_id": "a", "url": "ftp://x"},
        {"agent_id": "a", "timeout_seconds": 0},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            Client(**wrong)

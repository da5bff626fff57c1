"""Runs the test suites of frameworks against the adapters of this package, unmodified but for their fixtures.

    python suites.py <folder of an unpacked sdist>

The suites are not part of this repository: fetch a pinned sdist (`pip download --no-deps --no-binary NAME NAME==…`),
unpack it elsewhere, and install the framework, pytest and pytest-asyncio. The server is the one of SHARED_CONTEXT_URL
and SHARED_CONTEXT_API_KEY, else three replicas that are started here from dist/, behind a load balancer.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "tests"))

from server import given_or_own

from shared_context import Client


class Fixtures:
    """A pytest plugin that puts other values in the place of a suite's fixtures, and of functions that make them."""

    def __init__(self, values: dict[str, Callable[[Any], Any]], functions: dict[str, Callable[..., Any]]) -> None:
        self._values = values
        self._functions = functions

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for module in {item.module for item in items}:
            for name, function in self._functions.items():
                if hasattr(module, name):
                    setattr(module, name, function)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        make = self._values.get(fixturedef.argname)
        if make is None:
            return None
        value = make(request)
        # Without this pytest asks for the value that its own hook would have left here.
        fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
        return value if value is not None else True


def run_pytest(folder: Path, files: list[str], deselected: dict[str, str], plugin: Fixtures) -> int:
    """Runs files of a suite in its folder, and prints what is left out and why."""
    for name, why in deselected.items():
        print(f"left out: {name}: {why}")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    options = [option for name in deselected for option in ("--deselect", name)]
    return int(pytest.main([*files, "-q", "-p", "no:cacheprovider", "--tb=short", *options], plugins=[plugin]))


def name(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:12]}"


def langgraph_store(folder: Path, client: Client) -> int:
    """test_store.py of langgraph-checkpoint-postgres."""
    from shared_context.integrations.langgraph import SharedContextStore

    # As in the suite's own fixtures.
    ttl: Any = {"default_ttl": 6 / 60, "refresh_on_read": True}

    def store(request: Any) -> SharedContextStore:
        return SharedContextStore(client, namespace=name("store"), ttl=ttl)

    @contextmanager
    def vector_store(
        vector_type: str, distance_type: str, embeddings: Any, text_fields: Any = None, enable_ttl: bool = True
    ) -> Iterator[SharedContextStore]:
        index: Any = {
            "dims": embeddings.dims,
            "embed": embeddings,
            "fields": text_fields,
            "distance_type": distance_type,
        }
        minutes: Any = {"default_ttl": 2, "refresh_on_read": True} if enable_ttl else None
        yield SharedContextStore(client, namespace=name("store"), index=index, ttl=minutes)

    fixtures = Fixtures(
        {"store": store, "conn": lambda _: None, "clear_test_db": lambda _: None},
        {"_create_vector_store": vector_store},
    )
    return run_pytest(folder, ["tests/test_store.py"], LEFT_OUT_OF_STORE, fixtures)


LEFT_OUT_OF_STORE = {
    "tests/test_store.py::test_omit_expired": "it looks at rows of PostgresStore with SQL",
    "tests/test_store.py::test_nonnull_migrations": "it looks at the migrations of PostgresStore",
}


def langgraph_conformance(folder: Path, client: Client) -> int:
    """The installed langgraph-checkpoint-conformance."""
    from langgraph.checkpoint.conformance import checkpointer_test, validate
    from langgraph.checkpoint.conformance.report import ProgressCallbacks

    from shared_context.integrations.langgraph import SharedContextSaver

    @checkpointer_test(name="SharedContextSaver")
    async def saver() -> Any:
        yield SharedContextSaver(client, namespace=name("checkpoints"))

    report = asyncio.run(validate(saver, progress=ProgressCallbacks.verbose()))
    report.print_report()
    return 0 if all(result.passed is not False for result in report.results.values()) else 1


def openai_agents(folder: Path, client: Client) -> int:
    """The tests of sessions of the OpenAI Agents SDK, which are written for SQLiteSession."""
    from shared_context.integrations.openai_agents import SharedContextSession

    class Session(SharedContextSession):
        """Takes what SQLiteSession takes: a file is a place of its own, and :memory: one for each session object."""

        def __init__(self, session_id: str, db_path: Any = ":memory:", **more: Any) -> None:
            place = name("memory") if str(db_path) == ":memory:" else str(db_path)
            super().__init__(session_id, client, **more)
            self._conversation = type(self._conversation)(
                client, f"{place}/{session_id}"[-255:], form="openai-agents", visibility="public"
            )

        def close(self) -> None:
            """Nothing is open."""

    files = ["tests/memory/test_session.py", "tests/memory/test_session_limit.py"]
    return run_pytest(folder, files, LEFT_OUT_OF_SESSIONS, Fixtures({}, {"SQLiteSession": Session}))


_SQLITE = "it looks at SQLite: its rows, its connections or its locks"
LEFT_OUT_OF_SESSIONS = {
    f"tests/memory/test_session.py::{test}": _SQLITE
    for test in (
        "test_sqlite_session_close",
        "test_sqlite_session_reaps",
        "test_sqlite_session_keeps",
        "test_sqlite_session_pop_item_skips_corrupt",
        "test_sqlite_session_pop_item_returns_none_after",
        "test_sqlite_session_get_items_limit_skips_corrupt",
        "test_sqlite_session_get_items_session_settings_limit_skips_corrupt",
        "test_sqlite_session_file_lock",
        "test_sqlite_session_failed",
        "test_sqlite_session_rollback",
        "test_sqlite_session_post_commit",
    )
}


def crewai(folder: Path, client: Client) -> int:
    """The tests of CrewAI's memory, which are written for LanceDBStorage."""
    from crewai.memory.storage import lancedb_storage

    from shared_context.integrations.crewai import SharedContextStorage

    class Storage(SharedContextStorage):
        """Takes what LanceDBStorage takes: a path is a namespace of its own."""

        def __init__(self, path: Any = None, **more: Any) -> None:
            place = uuid.uuid5(uuid.NAMESPACE_URL, str(path)).hex if path is not None else uuid.uuid4().hex
            super().__init__(client, namespace=f"suite/{place}")

    lancedb_storage.LanceDBStorage = Storage
    files = [f"tests/memory/test_{each}.py" for each in CREWAI_FILES]
    return run_pytest(folder, files, LEFT_OUT_OF_CREWAI, Fixtures({}, {}))


CREWAI_FILES = (
    "unified_memory",
    "memory_root_scope",
    "lancedb_update",
    "lancedb_filter_escaping",
    "dimension_mismatch",
)
LEFT_OUT_OF_CREWAI = {
    f"tests/memory/test_{test}": why
    for test, why in (
        ("unified_memory.py::test_lancedb_list_records_exceeding_scan_cap", "it writes 50 000 records"),
        (
            "lancedb_filter_escaping.py::test_percent_underscore_and_backslash_in_scope_names_match_literally",
            "it looks for the beginning of a scope's name; here a name is whole",
        ),
    )
}


def autogen(folder: Path, client: Client) -> int:
    """The tests of AutoGen's memory, which are written for ListMemory."""
    from shared_context.integrations.autogen import SharedContextMemory

    class ListMemory(SharedContextMemory):
        """Takes what ListMemory takes."""

        def __init__(self, name: str = "memory") -> None:
            super().__init__(client, name=name, namespace=f"suite/{uuid.uuid4().hex}", recall="all")

    return run_pytest(folder, ["tests/test_memory.py"], LEFT_OUT_OF_AUTOGEN, Fixtures({}, {"ListMemory": ListMemory}))


_COMPONENT = "it keeps the contents of ListMemory in a configuration"
LEFT_OUT_OF_AUTOGEN = {
    "tests/test_memory.py::test_memory_component_load": _COMPONENT,
    "tests/test_memory.py::test_memory_component_dump": _COMPONENT,
}


SUITES: dict[str, Callable[[Path, Client], int]] = {
    "langgraph_checkpoint_postgres": langgraph_store,
    "langgraph_checkpoint_conformance": langgraph_conformance,
    "openai_agents": openai_agents,
    "crewai": crewai,
    "autogen_core": autogen,
}


def main(argument: str) -> int:
    folder = Path(argument).resolve()
    suite = next((run for begin, run in SUITES.items() if folder.name.startswith(begin)), None)
    if suite is None or not folder.is_dir():
        print(f"{folder} is not the folder of a suite that is known here: {', '.join(SUITES)}")
        return 2
    with given_or_own(replicas=3) as (url, api_key), Client(name("suite"), "suite", url=url, api_key=api_key) as client:
        return suite(folder, client)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))

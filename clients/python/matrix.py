"""Tests the frameworks, each in its newest release in an environment of its own: this package's module for it, and the
framework's own agent over MCP, with a scripted model (rounds/).

    python matrix.py [framework …]

It prints a table. The server for the modules is the one of SHARED_CONTEXT_URL and SHARED_CONTEXT_API_KEY, else one that
is started from dist/. The rounds always start one of their own, because they kill it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "tests"))

from server import given_or_own


class Framework(NamedTuple):
    """What a framework's tests and rounds need beside its extra, and which package tells its version."""

    needs: tuple[str, ...]
    package: str
    rounds: tuple[str, ...]


LANGCHAIN = ("langchain-mcp-adapters", "langchain-openai")
FRAMEWORKS = {
    "langgraph": Framework(("langgraph",), "langgraph", LANGCHAIN),
    "openai-agents": Framework((), "openai-agents", ()),
    "langchain": Framework((), "langchain-core", ("langchain", *LANGCHAIN)),
    # autogen-ext 0.7.5 asks for any release of mcp, and cannot be imported with mcp 2.
    "autogen": Framework(("autogen-agentchat",), "autogen-agentchat", ("autogen-ext[mcp,openai]", "mcp<2")),
    # It asks for mcp<2 itself. Said here, pip need not try every release of mcp.
    "crewai": Framework((), "crewai", ("crewai-tools[mcp]", "mcp<2")),
    # It asks for tenacity when it connects to an MCP server, not when it is installed.
    "agent-framework": Framework((), "agent-framework-core", ("agent-framework-openai", "mcp", "tenacity")),
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, env={**os.environ, **environment})


def row(extra: str, url: str, api_key: str) -> tuple[str, bool]:
    """The row of a framework, and whether its tests and its rounds have passed."""
    framework = FRAMEWORKS[extra]
    with tempfile.TemporaryDirectory(prefix=f"scs-{extra}-") as home:
        venv.create(home, with_pip=True)
        python = str(Path(home) / "bin" / "python")
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        installed = run(*pip, "install", "pytest", f"{FOLDER}[{extra}]", *framework.needs, *framework.rounds)
        if installed.returncode != 0:
            print(installed.stderr[-2000:], file=sys.stderr)
            return f"| {extra} | | not installed | |", False
        code = f"import importlib.metadata as m; print(m.version({framework.package!r}))"
        version = run(python, "-c", code).stdout.strip()
        tests, tested = tests_of(extra, python, url, api_key)
        rounds, went = rounds_of(extra, python)
    return f"| {framework.package} | {version} | {tests} | {rounds} |", tested and went


def tests_of(extra: str, python: str, url: str, api_key: str) -> tuple[str, bool]:
    tested = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"),
        *sorted(str(path) for path in (FOLDER / "tests").glob(f"test_{extra.replace('-', '_')}*.py")),
        SHARED_CONTEXT_URL=url,
        SHARED_CONTEXT_API_KEY=api_key,
    )
    if tested.returncode != 0:
        print(tested.stdout[-5000:], file=sys.stderr)
    counts = re.findall(r"^(.*) in [\d.]+s.*$", tested.stdout, re.MULTILINE)
    return counts[-1] if counts else "no test ran", tested.returncode == 0


def rounds_of(extra: str, python: str) -> tuple[str, bool]:
    went = run(python, f"rounds/with_{extra.replace('-', '_')}.py")
    if went.returncode != 0:
        print(went.stderr[-5000:], file=sys.stderr)
        return "failed", False
    found = json.loads(went.stdout.splitlines()[-1])
    return f"{found['listed']} tools, {found['calls']} calls, a wait; reconnects: {found['reconnect']}", True


def main(chosen: list[str]) -> int:
    unknown = set(chosen) - set(FRAMEWORKS)
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. There is: {', '.join(FRAMEWORKS)}")
        return 2
    print("| framework | release | tests | rounds |\n| --- | --- | --- | --- |", flush=True)
    failed = []
    with given_or_own() as (url, api_key):
        for extra in chosen or FRAMEWORKS:
            print(f"{extra} …", file=sys.stderr)
            text, passed = row(extra, url, api_key)
            print(text, flush=True)
            failed += [] if passed else [extra]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Tests the modules for frameworks, each with the newest release of its framework in an environment of its own.

    python matrix.py [framework …]

It prints a table. The server is the one of SHARED_CONTEXT_URL and SHARED_CONTEXT_API_KEY, else one of its own.
"""

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
    """What a framework's tests need beside its extra, and which package tells its version."""

    needs: tuple[str, ...]
    package: str


FRAMEWORKS = {
    "langgraph": Framework(("langgraph",), "langgraph"),
    "openai-agents": Framework((), "openai-agents"),
    "langchain": Framework((), "langchain-core"),
    "autogen": Framework(("autogen-agentchat",), "autogen-agentchat"),
    "crewai": Framework((), "crewai"),
    "agent-framework": Framework((), "agent-framework-core"),
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, env={**os.environ, **environment})


def row(extra: str, url: str, api_key: str) -> tuple[str, bool]:
    """The row of a framework, and whether its tests have passed."""
    framework = FRAMEWORKS[extra]
    with tempfile.TemporaryDirectory(prefix=f"scs-{extra}-") as home:
        venv.create(home, with_pip=True)
        python = str(Path(home) / "bin" / "python")
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        installed = run(*pip, "install", "pytest", f"{FOLDER}[{extra}]", *framework.needs)
        if installed.returncode != 0:
            print(installed.stderr[-2000:], file=sys.stderr)
            return f"| {extra} | | not installed |", False
        code = f"import importlib.metadata as m; print(m.version({framework.package!r}))"
        version = run(python, "-c", code).stdout.strip()
        test = f"tests/test_{extra.replace('-', '_')}.py"
        tested = run(
            *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", test),
            SHARED_CONTEXT_URL=url,
            SHARED_CONTEXT_API_KEY=api_key,
        )
    if tested.returncode != 0:
        print(tested.stdout[-5000:], file=sys.stderr)
    counts = re.findall(r"^(.*) in [\d.]+s.*$", tested.stdout, re.MULTILINE)
    return f"| {framework.package} | {version} | {counts[-1] if counts else 'no test ran'} |", tested.returncode == 0


def main(chosen: list[str]) -> int:
    unknown = set(chosen) - set(FRAMEWORKS)
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. There is: {', '.join(FRAMEWORKS)}")
        return 2
    rows = []
    with given_or_own() as (url, api_key):
        for extra in chosen or FRAMEWORKS:
            print(f"{extra} …", file=sys.stderr)
            rows.append(row(extra, url, api_key))
    print("| framework | release | tests |\n| --- | --- | --- |")
    for text, _ in rows:
        print(text)
    return 0 if all(passed for _, passed in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

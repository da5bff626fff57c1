"""Loads every tool of the server by the converters of frameworks, each in an environment of its own, and calls some.

    python converters.py <folder> [framework …]

The environments are made in the folder, and used again by the next run. It prints a table. The server is the one of
SHARED_CONTEXT_URL and SHARED_CONTEXT_API_KEY (whose key may be an admin's), else one that is started here from dist/.
It needs httpx, as this package does.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tests"))

from server import given_or_own


class Framework(NamedTuple):
    """What is installed; the first of them is the one whose release the table names."""

    program: str
    packages: tuple[str, ...]


FRAMEWORKS = {
    "autogen-ext": Framework("with_autogen.py", ("autogen-ext[mcp]==0.7.5", "autogen-core==0.7.5", "mcp==1.30.0")),
    "langchain-mcp-adapters": Framework("with_langchain.py", ("langchain-mcp-adapters==0.3.2",)),
    "openai-agents": Framework("with_openai_agents.py", ("openai-agents==0.24.0",)),
    "google-genai": Framework("with_google_genai.py", ("google-genai==3.3.0", "mcp==1.30.0")),
    "pydantic-ai-slim": Framework("with_pydantic_ai.py", ("pydantic-ai-slim[mcp,openai,google]==2.68.0",)),
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=1800)


def row(name: str, folder: Path, url: str, key: str) -> tuple[str, bool]:
    """The row of a framework, and whether it has taken every tool and every call."""
    framework = FRAMEWORKS[name]
    home = folder / name
    python = str(home / "bin" / "python")
    if not home.exists():
        venv.create(home, with_pip=True)
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    installed = run(*pip, "install", *framework.packages)
    if installed.returncode != 0:
        print(installed.stderr[-2000:], file=sys.stderr)
        return f"| {name} | not installed | | | |", False
    package = framework.packages[0].split("==")[0].split("[")[0]
    release = run(python, "-c", f"import importlib.metadata as m; print(m.version({package!r}))").stdout.strip()
    program = str(HERE / "converting" / framework.program)
    tried = run(python, program, SHARED_CONTEXT_URL=url, SHARED_CONTEXT_API_KEY=key)
    if tried.returncode != 0:
        print(tried.stderr[-3000:], file=sys.stderr)
        return f"| {name} | {release} | does not run | | |", False
    found: dict[str, Any] = json.loads(tried.stdout.splitlines()[-1])
    refused = {**found["refused"], **{f"call of {tool}": why for tool, why in found["failed"].items()}}
    reasons = "; ".join(f"`{tool}`: {why}" for tool, why in refused.items()).replace("|", "\\|") or "none"
    return f"| {name} | {release} | {found['loaded']} | {found['called']} | {reasons} |", not refused


def main(folder: Path, chosen: list[str]) -> int:
    unknown = set(chosen) - set(FRAMEWORKS)
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. There is: {', '.join(FRAMEWORKS)}")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with given_or_own(admin=True) as (url, key):
        for name in chosen or FRAMEWORKS:
            print(f"{name} …", file=sys.stderr)
            rows.append(row(name, folder.resolve(), url, key))
    print("| framework | release | tools loaded | calls made | refused |\n| --- | --- | --- | --- | --- |")
    for text, _ in rows:
        print(text)
    return 0 if all(passed for _, passed in rows) else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

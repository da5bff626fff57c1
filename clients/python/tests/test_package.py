"""The package as users get it: built, installed into an empty environment, and its quick start run as written."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import Place

FOLDER = Path(__file__).resolve().parents[1]


def run(*command: str, **environment: str) -> str:
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=FOLDER, env={**os.environ, **environment}
    )
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (FOLDER / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_it_is_built_installed_and_its_quick_start_runs(place: Place, tmp_path: Path) -> None:
    pytest.importorskip("build", reason="the package build is not here")
    pytest.importorskip("hatchling", reason="hatchling is not here")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"))
    [wheel] = (tmp_path / "dist").glob("*.whl")
    [sdist] = (tmp_path / "dist").glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert "shared_context/py.typed" in names and "shared_context/_generated/models.py" in names
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/LICENSE") for name in archive.getnames())
    home = tmp_path / "empty"
    venv.create(home, with_pip=True)
    python = str(home / ("Scripts" if os.name == "nt" else "bin") / "python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
    program = tmp_path / "quick_start.py"
    program.write_text(blocks("python")[0])
    printed = run(python, str(program), SHARED_CONTEXT_URL=place.url, SHARED_CONTEXT_API_KEY=place.api_key)
    assert printed == blocks("text")[0]


def test_types_are_strict() -> None:
    pytest.importorskip("mypy", reason="mypy is not here")
    run(sys.executable, "-m", "mypy", "--strict")


def test_the_code_is_formatted_and_has_no_lint() -> None:
    pytest.importorskip("ruff", reason="ruff is not here")
    run(sys.executable, "-m", "ruff", "check")
    run(sys.executable, "-m", "ruff", "format", "--check")


USER = """
from shared_context import Client, models

def titles(client: Client) -> list[str]:
    return [task["title"] for task in client.iter_tasks(state="submitted")]

def last(client: Client, session_id: str) -> models.Message:
    page = client.get_messages(session_id=session_id, limit=1)
    reveal_type(page["last_seq"])
    return page["messages"][0]

def wrong(client: Client) -> None:
    client.add_message(session_id=1, content="x")
    client.list_tasks(state="nonsense")
    client.get_memory(key="x")["valeu"]
"""


def test_types_help_users(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not here")
    program = tmp_path / "user.py"
    program.write_text(USER)
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(program)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(FOLDER / "src")},
    )
    found = re.findall(r"user\.py:(\d+): error", ended.stdout)
    assert found == ["13", "14", "15"], ended.stdout + ended.stderr
    assert 'user.py:9: note: Revealed type is "int"' in ended.stdout

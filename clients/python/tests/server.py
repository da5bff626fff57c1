"""A real server for the tests: the program of this repository with a PostgreSQL of its own."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from relay import Relay

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "dist" / "src" / "cli.js"
START_SECONDS = 120


def why_no_server() -> str | None:
    """Why no server can be started here; None if one can."""
    if shutil.which("node") is None:
        return "node is not here"
    if not PROGRAM.exists():
        return f"{PROGRAM} is not here: run `npm ci && npm run build`"
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One server. It may be stopped and started again: it keeps its port, its keys and its data.

    beside: another server, of which this one is a replica: it has the other one's keys and database.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, beside: "Server | None" = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_key: str = beside.api_key if beside else secrets.token_hex(16)
        self.admin_api_key: str = beside.admin_api_key if beside else secrets.token_hex(16)
        self._jwt_secret: str = beside._jwt_secret if beside else secrets.token_hex(32)
        self._folder = Path(tempfile.mkdtemp(prefix="scs-python-"))
        # PostgreSQL does not run as root: then another user must get into the folder.
        self._folder.chmod(0o711)
        self._environment = {**(environment or {}), **({"DATABASE_URL": beside.database_url} if beside else {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            ["node", str(PROGRAM), "serve"],
            cwd=self._folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "PORT": str(self.port),
                "HOST": "127.0.0.1",
                "DATA_DIR": str(self._folder / "data"),
                "API_KEY": self.api_key,
                "ADMIN_API_KEY": self.admin_api_key,
                "JWT_SECRET_KEY": self._jwt_secret,
                "LOG_LEVEL": "warn",
                **self._environment,
            },
            stdout=log,
            stderr=log,
        )
        log.close()
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stops it; its data stay. SIGKILL kills it between any two instructions."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def database_url(self) -> str:
        """The database that it has in its folder."""
        url: str = json.loads((self._folder / "data" / "postgres.json").read_text())["url"]
        return url

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        log = (self._folder / "log").read_text(errors="replace")
        raise RuntimeError(f"The server did not start:\n{log[-3000:]}")


@contextmanager
def given_or_own(*, admin: bool = False, replicas: int = 1) -> Iterator[tuple[str, str]]:
    """The address and the key of the server in SHARED_CONTEXT_URL, else of one that is started here.

    admin: the own server's key is an admin's.
    replicas: so many of the own server, behind a load balancer that gives each request to the next of them.
    """
    url = os.environ.get("SHARED_CONTEXT_URL")
    if url is not None:
        yield url, os.environ["SHARED_CONTEXT_API_KEY"]
        return
    why = why_no_server()
    if why is not None:
        sys.exit(why)
    with ExitStack() as stack:
        own = [stack.enter_context(running(Server()))]
        while len(own) < replicas:
            own.append(stack.enter_context(running(Server(beside=own[0]))))
        url = own[0].url if replicas == 1 else stack.enter_context(Relay(*(server.url for server in own))).url
        yield url, own[0].admin_api_key if admin else own[0].api_key


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Starts it, and removes it in the end."""
    try:
        server.start()
        yield server
    finally:
        server.remove()

"""A server process of the benchmark's own: `frontdesk serve` on a free port, with its own state."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bot.core.errors import ConfigurationError

_READY_SECONDS = 180.0
_STOP_SECONDS = 30.0
_MEGABYTE = 1024 * 1024
# What would lead the server elsewhere than to the demo shop and this machine.
_NOT_PASSED_ON = ("FRONTDESK_SHOP_URL", "FRONTDESK_PUBLIC_URL", "FRONTDESK_KILL_AT")


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start.

    Attributes:
        project: The assistant's folder.
        endpoints: The file of its systems.
        model: The trained model.
        database_url: An empty database; the empty string for SQLite in the state folder.
        workers: Processes on the port.
    """

    project: Path
    endpoints: Path
    model: Path
    database_url: str = ""
    workers: int = 1

    def database(self, folder: Path) -> str:
        """Where the server in this folder keeps conversations."""
        return self.database_url or f"sqlite:///{folder / 'state' / 'frontdesk.db'}"

    def environment(self, folder: Path, port: int) -> dict[str, str]:
        """The variables of the server in this folder."""
        credentials = folder / "credentials.yml"
        credentials.write_text("webchat:\n  allowed_origins: []\n", encoding="utf-8")
        passed_on = {k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON}
        return passed_on | {
            "FRONTDESK_STATE_DIR": str(folder / "state"),
            "FRONTDESK_PROJECT_DIR": str(self.project),
            "FRONTDESK_CREDENTIALS": str(credentials),
            "FRONTDESK_ENDPOINTS": str(self.endpoints),
            "FRONTDESK_DATABASE_URL": self.database(folder),
            "FRONTDESK_MODEL": str(self.model),
            "FRONTDESK_HOST": "127.0.0.1",
            "FRONTDESK_PORT": str(port),
            "FRONTDESK_WORKERS": str(self.workers),
            "FRONTDESK_SECRET_KEY": secrets.token_urlsafe(32),
        }


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: Where it answers.
        ready_seconds: From its start until it could serve.
    """

    url: str
    ready_seconds: float
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """What all its processes have computed since they began, user and system."""
        times = [process.cpu_times() for process in self._all()]
        return sum(t.user + t.system for t in times)

    def resident_mb(self) -> float:
        """Resident memory of all its processes together, in megabytes."""
        return sum(process.memory_info().rss for process in self._all()) / _MEGABYTE

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@asynccontextmanager
async def serving(launch: Launch, folder: Path) -> AsyncIterator[Server]:
    """Starts a server in an empty folder, and ends it afterwards.

    Raises:
        ConfigurationError: It did not become ready; names what it printed last.
    """
    port, printed = _free_port(), folder / "server.log"
    process = _start(launch, folder, port, printed)
    try:
        url = f"http://127.0.0.1:{port}"
        seconds = await _ready(process, url, printed)
        yield Server(url, seconds, psutil.Process(process.pid))
    finally:
        await asyncio.to_thread(_stop, process)


async def _ready(process: subprocess.Popen[bytes], url: str, printed: Path) -> float:
    began = time.monotonic()
    async with aiohttp.ClientSession() as http:
        while process.poll() is None and time.monotonic() - began < _READY_SECONDS:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    said = _end_of(printed)
    raise ConfigurationError("frontdesk serve", f"did not become ready: {said}", "Mend that first.")


def _start(launch: Launch, folder: Path, port: int, printed: Path) -> subprocess.Popen[bytes]:
    (folder / "state").mkdir()
    with printed.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"],
            env=launch.environment(folder, port),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _end_of(printed: Path) -> str:
    return printed.read_text(encoding="utf-8", errors="replace").strip()[-500:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

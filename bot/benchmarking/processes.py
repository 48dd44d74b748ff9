"""Processes that a benchmark starts for itself: wait until they are ready, weigh them, end them."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bot.core.errors import ConfigurationError

_READY_SECONDS = 180.0
_STOP_SECONDS = 30.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: Where it answers.
        ready_seconds: From its start until it could serve.
        processes: All that it needs; their children count too.
    """

    url: str
    ready_seconds: float
    processes: Sequence[psutil.Process]

    def cpu_seconds(self) -> float:
        """What all its processes have computed since they began, user and system."""
        times = [process.cpu_times() for process in self.all_processes()]
        return sum(t.user + t.system for t in times)

    def resident_mb(self) -> float:
        """Resident memory of all its processes together, in megabytes."""
        return sum(process.memory_info().rss for process in self.all_processes()) / _MEGABYTE

    def all_processes(self) -> list[psutil.Process]:
        """The processes, and their children as of now."""
        return [p for root in self.processes for p in (root, *root.children(recursive=True))]


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started, ready or not.

    Attributes:
        name: What a person calls it.
        printed: The file of what it prints.
    """

    name: str
    process: subprocess.Popen[bytes]
    printed: Path

    async def ready(self, url: str) -> None:
        """Waits until the address answers with 200.

        Raises:
            ConfigurationError: It ended, or took too long; names what it printed last.
        """
        began = time.monotonic()
        async with aiohttp.ClientSession() as http:
            while self.process.poll() is None and time.monotonic() - began < _READY_SECONDS:
                try:
                    async with http.get(url) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)
        raise ConfigurationError(
            self.name, f"did not become ready: {end_of(self.printed)}", "Mend that first."
        )

    def stop(self) -> None:
        """Ends it: asks first, and kills it with its children when it does not hear."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.process.kill()
            self.process.wait()


def start(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    printed: Path,
    folder: Path | None = None,
) -> Started:
    """Starts a process.

    Args:
        name: What a person calls it.
        command: Its command line.
        environment: All its variables.
        printed: Where its output goes.
        folder: Where it runs; here without.
    """
    with printed.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
    return Started(name, process, printed)


def end_of(printed: Path) -> str:
    """The last of what a process printed."""
    return printed.read_text(encoding="utf-8", errors="replace").strip()[-500:]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A server process of the benchmark's own: `frontdesk serve` on a free port, with its own state."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.benchmarking.processes import Server, free_port, start

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


@asynccontextmanager
async def serving(launch: Launch, folder: Path) -> AsyncIterator[Server]:
    """Starts a server in an empty folder, and ends it afterwards.

    Raises:
        ConfigurationError: It did not become ready; names what it printed last.
    """
    port = free_port()
    (folder / "state").mkdir()
    command = [sys.executable, "-m", "bot.cli", "serve"]
    environment = launch.environment(folder, port)
    began = time.monotonic()
    started = start("frontdesk serve", command, environment, folder / "server.log")
    try:
        url = f"http://127.0.0.1:{port}"
        await started.ready(f"{url}/readyz")
        yield Server(url, time.monotonic() - began, [psutil.Process(started.process.pid)])
    finally:
        await asyncio.to_thread(started.stop)

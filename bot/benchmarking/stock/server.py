"""`rasa run` and its action server, on free ports, with a tracker store of their own."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import yaml

from bot.benchmarking.processes import Server, Started, free_port, start
from bot.benchmarking.stock.environment import Environment, variables
from bot.store.engine import async_url
from connectors.demo.generate import seed


@dataclass(frozen=True, slots=True)
class StockLaunch:
    """What to start.

    Attributes:
        environment: Stock Rasa.
        model: Its trained model.
        endpoints: Frontdesk's file, for the systems that the actions ask.
    """

    environment: Environment
    model: Path
    endpoints: Path


def write_files(folder: Path, action_port: int) -> None:
    """What `rasa run` reads: the REST channel, the action server, SQLite for conversations."""
    endpoints = {
        "action_endpoint": {"url": f"http://127.0.0.1:{action_port}/webhook"},
        "tracker_store": {"type": "SQL", "dialect": "sqlite", "db": str(folder / "rasa.db")},
    }
    (folder / "endpoints.yml").write_text(yaml.safe_dump(endpoints), encoding="utf-8")
    (folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")


@asynccontextmanager
async def serving(launch: StockLaunch, folder: Path) -> AsyncIterator[Server]:
    """Starts both in an empty folder, and ends them afterwards.

    Raises:
        ConfigurationError: One did not become ready; names what it printed last.
    """
    port, action_port = free_port(), free_port()
    write_files(folder, action_port)
    shop_url = f"sqlite:///{folder / 'shop.db'}"
    await seed(async_url(shop_url), datetime.now(UTC).date())
    began, running = time.monotonic(), list[Started]()
    try:
        running.append(_start_actions(launch, folder, action_port, shop_url))
        running.append(_start_rasa(launch, folder, port))
        await running[0].ready(f"http://127.0.0.1:{action_port}/health")
        await running[1].ready(f"http://127.0.0.1:{port}/status")
        processes = [psutil.Process(started.process.pid) for started in running]
        yield Server(f"http://127.0.0.1:{port}", time.monotonic() - began, processes)
    finally:
        for started in running:
            await asyncio.to_thread(started.stop)


def _start_actions(launch: StockLaunch, folder: Path, port: int, shop_url: str) -> Started:
    module = "bot.benchmarking.stock.actions"
    command = [sys.executable, "-m", module, str(port), str(launch.endpoints), shop_url]
    return start("the action server", command, os.environ, folder / "actions.log")


def _start_rasa(launch: StockLaunch, folder: Path, port: int) -> Started:
    # The HTTP API is for long conversations: events are written by it.
    command = [
        launch.environment.rasa, "run", "--enable-api", "--interface", "127.0.0.1",
        "--port", str(port), "--model", str(launch.model),
        "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
    ]  # fmt: skip
    return start("rasa run", command, variables(), folder / "rasa.log", folder)

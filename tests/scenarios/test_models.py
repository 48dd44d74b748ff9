"""Models that change, go back and fail in real processes, while customers write."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.core.transcript import Event
from bot.flow.hub import announce
from bot.flow.model_library import ModelLibrary
from bot.flow.models import TOPIC
from bot.store import models
from bot.store.database import Database
from bot.store.rows import utc_now
from tests.archives import repack, saying
from tests.process import ROOT, Server, Visitor, free_port, prepared_state, trained_model

INTENTS = "components/train_bot.nlu.intent_classifier.IntentClassifier3/intents.json"
NEW = "Hello from the second model."
SECONDS = 40.0
# The web chat takes no more of one visitor in a minute.
ALLOWED = 20


# Each `frontdesk` command takes some seconds to start, and longer on a busy machine.
pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@dataclass
class Fleet:
    """Replicas on one database, each with a disk of its own, and an operator with another."""

    database: str
    folder: Path
    servers: list[Server]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`frontdesk models …` at the operator's."""
        environment = os.environ | {
            "FRONTDESK_DATABASE_URL": self.database,
            "FRONTDESK_STATE_DIR": str(prepared_state(self.folder / "operator")),
            "COLUMNS": "200",
        }
        return subprocess.run(
            [sys.executable, "-m", "bot.cli", "models", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def versions(self) -> list[object]:
        """What each replica runs, by ``/readyz``."""
        return [httpx.get(f"{s.url}/readyz", timeout=10).json()["model"]["version"]
                for s in self.servers]  # fmt: skip


@pytest.fixture
def fleet(database_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """One replica on SQLite, two on PostgreSQL."""
    replicas = 1 if database_url.startswith("sqlite") else 2
    environment = {"FRONTDESK_DATABASE_URL": database_url}
    servers = [
        Server(prepared_state(tmp_path / f"replica{n}"), free_port(), environment, follows=True)
        for n in range(replicas)
    ]
    for server in servers:
        server.start()
    try:
        for server in servers:
            server.wait_ready()
        yield Fleet(database_url, tmp_path, servers)
    finally:
        for server in servers:
            server.stop(signal.SIGKILL)


def chat(url: str, stop: threading.Event) -> list[str]:
    """Says hello again and again; returns the answers, of which each message has one."""
    answers: list[str] = []
    while not stop.is_set():
        with Visitor(url) as visitor:
            for _ in range(ALLOWED):
                answers.append(visitor.ask("hello"))
                if stop.is_set():
                    break
            authors = [m["author"] for m in visitor.messages()]
        assert authors == ["customer", "bot"] * (len(authors) // 2)
    return answers


def activate_unchecked(url: str, path: Path, folder: Path) -> None:
    """Makes a model the active one that the command would not have."""

    async def work() -> None:
        database = Database(url)
        added = await ModelLibrary(database, [], folder).add(path)
        async with database.write() as connection:
            await models.activate(connection, added.version, utc_now())
        await announce(database, Event(TOPIC, "state"))
        await database.aclose()

    asyncio.run(work())


def test_models_change_and_go_back_while_customers_write(fleet: Fleet, tmp_path: Path) -> None:
    second = saying(trained_model(), tmp_path / "second.tar.gz", "utter_greet", NEW)
    assert fleet.versions() == [1] * len(fleet.servers)
    stop = threading.Event()
    with ThreadPoolExecutor() as pool:
        chats = [pool.submit(chat, s.url, stop) for s in fleet.servers for _ in range(2)]
        try:
            time.sleep(1)
            changed = fleet.command("activate", str(second), "--note", "new words")
            now = fleet.versions()
            time.sleep(2)
            back = fleet.command("rollback")
            then = fleet.versions()
            time.sleep(2)
        finally:
            stop.set()
        said = [each.result() for each in chats]
    assert changed.returncode == 0, changed.stderr
    assert back.returncode == 0, back.stderr
    assert now == [2] * len(fleet.servers)
    assert then == [1] * len(fleet.servers)
    for answers in said:
        # Replicas change one after the other, and any of them may answer.
        kinds = [answer == NEW for answer in answers]
        assert (kinds[0], any(kinds), kinds[-1]) == (False, True, False)
    assert "new words" in fleet.command().stdout


def test_a_broken_model_is_refused_by_the_command_and_by_replicas(
    fleet: Fleet, tmp_path: Path
) -> None:
    broken = repack(trained_model(), tmp_path / "broken.tar.gz", {INTENTS: lambda _: b"{"})
    refused = fleet.command("activate", str(broken))
    assert refused.returncode == 2
    assert refused.stderr.startswith("frontdesk: The model ")
    assert "no other was active before" in fleet.command("rollback").stderr

    activate_unchecked(fleet.database, broken, tmp_path / "unchecked")
    deadline = time.monotonic() + SECONDS
    while "was refused" not in (shown := fleet.command().stdout):
        assert time.monotonic() < deadline, shown
    assert fleet.versions() == [1] * len(fleet.servers)
    for server in fleet.servers:
        with Visitor(server.url) as visitor:
            assert visitor.ask("hello")
    assert fleet.command("rollback").returncode == 0
    assert fleet.versions() == [1] * len(fleet.servers)

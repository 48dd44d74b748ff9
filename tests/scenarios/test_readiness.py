"""Readiness of a real process: before its model, and while its database cannot be written."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from tests.postgres import temporary_database
from tests.process import Server, Visitor, free_port, prepared_state, running


def readiness(server: Server) -> tuple[int, list[str]]:
    """The status, and what is wrong."""
    answer = httpx.get(f"{server.url}/readyz", timeout=6)
    return answer.status_code, answer.json()["problems"]


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_alive_before_the_model_and_ready_after(tmp_path: Path) -> None:
    server = Server(prepared_state(tmp_path), free_port())

    def first_answer() -> tuple[int, list[str]] | None:
        try:
            return readiness(server)
        except httpx.TransportError:
            return None

    server.start()
    try:
        assert until(first_answer) == (503, ["no model is loaded yet"])
        assert httpx.get(f"{server.url}/healthz", timeout=6).json() == {"status": "alive"}
        with Visitor(server.url) as visitor:
            assert visitor.send("when are you open?") == 202, "what comes early is kept"
            server.wait_ready()
            assert visitor.read()
        assert "ModelError" not in server.log
    finally:
        server.stop()


async def statements(url: str, *lines: str) -> None:
    """Runs statements, each by itself."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    for line in lines:
        await connection.execute(line)
    await connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A process on a PostgreSQL of its own, with JSON logs."""
    with (
        temporary_database() as url,
        running(
            tmp_path, forked=True, FRONTDESK_DATABASE_URL=url, FRONTDESK_LOG_FORMAT="json"
        ) as started,
    ):
        yield started


def test_a_database_that_may_only_be_read(server: Server) -> None:
    url = server.environment["FRONTDESK_DATABASE_URL"]
    name = make_url(url).database
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    ours = f"{others} AND datname = '{name}'"
    only_read = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
    with Visitor(server.url) as visitor:
        assert visitor.send("when are you open?") == 202
        visitor.read()
        asyncio.run(statements(url, f"{only_read} = on", ours))
        until(lambda: readiness(server) == (503, ["the database cannot be written"]))
        assert httpx.get(f"{server.url}/healthz", timeout=6).status_code == 200
        assert visitor.send("are you there?", identifier="again") == 503
        writable = "SET default_transaction_read_only = off"
        asyncio.run(statements(url, writable, f"{only_read} = off", ours))
        until(lambda: readiness(server) == (200, []))
        assert visitor.send("are you there?", identifier="again") == 202
        assert visitor.read()
    # Every line of it all is JSON.
    assert all(json.loads(line)["message"] for line in server.log.splitlines())

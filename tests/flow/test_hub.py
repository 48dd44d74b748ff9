"""Hints between processes, through PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bot.core.transcript import Event
from bot.flow.hub import LocalHub, PostgresHub
from tests.postgres import temporary_database

HINT = Event("conversation:1", "messages")
SECONDS = 5.0


@pytest.fixture
def url() -> Iterator[str]:
    with temporary_database() as made:
        yield made


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[PostgresHub]:
    hub = PostgresHub(url)
    await hub.start()
    async with asyncio.timeout(SECONDS):
        await _connected(hub)
    try:
        yield hub
    finally:
        await hub.aclose()


async def _connected(hub: PostgresHub) -> None:
    """Returns when the hub hears itself through another connection."""
    while hub._connection is None or hub._connection.is_closed():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_hint_reaches_the_subscribers_of_its_topic_only() -> None:
    hub = LocalHub()
    async with hub.subscribe("conversation:1") as mine, hub.subscribe("desk") as other:
        await hub.publish(HINT)
        assert await anext(mine) == HINT
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(other), 0.05)


async def test_a_hint_crosses_processes_once(url: str) -> None:
    async with (
        listening(url) as here,
        listening(url) as there,
        here.subscribe(HINT.topic) as own,
        there.subscribe(HINT.topic) as others,
    ):
        await here.publish(HINT)
        assert await asyncio.wait_for(anext(others), SECONDS) == HINT
        assert await anext(own) == HINT
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(own), 0.2)


async def test_it_listens_again_after_its_connection_was_cut(url: str) -> None:
    async with listening(url) as here, listening(url) as there:
        cut = there._connection
        assert cut is not None
        admin = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
        await admin.execute("SELECT pg_terminate_backend($1)", cut.get_server_pid())
        await admin.close()
        async with asyncio.timeout(SECONDS):
            while there._connection is cut:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await _connected(there)
        async with there.subscribe(HINT.topic) as others:
            await here.publish(HINT)
            assert await asyncio.wait_for(anext(others), SECONDS) == HINT

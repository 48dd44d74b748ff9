"""SIGTERM: nothing new is begun, what runs is finished, and no message is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.core.messages import Address, Author, Inbound, Status
from bot.store import inbox
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now
from tests.postgres import temporary_database
from tests.process import Server, Visitor, running

ASKED = "when are you open?"
# A container that did not end is killed after 30 s.
LONGEST = 29.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A process on a PostgreSQL of its own."""
    with (
        temporary_database() as url,
        running(tmp_path, forked=True, FRONTDESK_DATABASE_URL=url) as started,
    ):
        yield started


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """The server's database, for the test's own look."""
    opened = Database(server.environment["FRONTDESK_DATABASE_URL"])
    yield opened
    await opened.aclose()


async def processed(database: Database) -> int:
    """How many of the customers' messages were answered."""
    ours = (t.message.c.author == Author.CUSTOMER) & (t.message.c.status == Status.PROCESSED)
    async with database.read() as connection:
        query = select(func.count()).select_from(t.message).where(ours)
        return int(await connection.scalar(query) or 0)


async def processed_are(database: Database, wanted: int) -> bool:
    return await processed(database) == wanted


async def somebody_waits(database: Database) -> bool:
    """Whether a session of the database waits for a lock."""
    async with database.read() as connection:
        query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(await connection.scalar(query))


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)


@asynccontextmanager
async def turns_held(database: Database) -> AsyncIterator[None]:
    """No turn can be committed while the context is open; everything else goes on."""
    async with database.write() as connection:
        await connection.execute(text("LOCK TABLE event IN SHARE MODE"))
        yield


async def begin_a_turn(server: Server, database: Database) -> None:
    """A customer writes, and a worker is in the middle of the answer."""
    with await asyncio.to_thread(Visitor, server.url) as visitor:
        assert await asyncio.to_thread(visitor.send, ASKED) == 202
    await until(lambda: somebody_waits(database))


async def end(server: Server) -> int:
    return await asyncio.to_thread(server.wait_end, LONGEST)


async def test_a_running_turn_is_finished_and_none_is_begun(
    server: Server, database: Database
) -> None:
    assert server.process is not None
    async with turns_held(database):
        await begin_a_turn(server, database)
        server.process.send_signal(signal.SIGTERM)
        # As another replica would store it, while this one ends.
        late = Inbound(Address("webchat", "default", "somebody-else"), "late", ASKED)
        async with database.write() as connection:
            await inbox.accept(connection, [late], utc_now())
        # Longer than open connections are waited for, and than workers wait for a lost hint.
        await asyncio.sleep(4)
        assert server.process.poll() is None, server.log
    assert await end(server) == 0
    assert await processed(database) == 1
    server.start()
    await asyncio.to_thread(server.wait_ready)
    await until(lambda: processed_are(database, 2))


@pytest.mark.slow
async def test_a_turn_that_does_not_end_is_done_after_the_next_start(
    server: Server, database: Database
) -> None:
    assert server.process is not None
    async with turns_held(database):
        await begin_a_turn(server, database)
        server.process.send_signal(signal.SIGTERM)
        assert await end(server) == 0
    assert await processed(database) == 0
    server.start()
    await asyncio.to_thread(server.wait_ready)
    await until(lambda: processed_are(database, 1))

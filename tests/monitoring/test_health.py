"""What keeps a process from traffic is said, on both databases, and costs little."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from bot.monitoring import health
from bot.monitoring.health import Health
from bot.store import inbox
from bot.store import tables as t
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now
from tests.postgres import temporary_database
from tests.scripted import inbound


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def healthy(database: Database, clock: Clock | None = None) -> Health:
    return Health(database, lambda: "", clock or Clock())


async def receive(database: Database, seconds_ago: float) -> None:
    async with database.write() as connection:
        now = utc_now() - timedelta(seconds=seconds_ago)
        await inbox.accept(connection, [inbound("hello")], now)


async def test_nothing_is_wrong_and_nothing_is_left(database: Database) -> None:
    assert await healthy(database).problems() == []
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.early_receipt)) == 0


async def test_the_model_is_asked_every_time(database: Database) -> None:
    said = ["no model is loaded yet", ""]
    looking = Health(database, lambda: said.pop(0))
    assert await looking.problems() == ["no model is loaded yet"]
    assert await looking.problems() == []


@pytest.mark.parametrize(("age", "problems"), [(5, 0), (31, 1)])
async def test_messages_that_nobody_takes_up(database: Database, age: float, problems: int) -> None:
    await receive(database, age)
    found = await healthy(database).problems()
    assert len(found) == problems
    assert all("has waited for 31 s" in problem for problem in found)


async def test_a_second_costs_one_look(database: Database) -> None:
    clock, looks = Clock(), list[str]()
    looking = healthy(database, clock)

    def seen(*args: object) -> None:
        looks.append(str(args[2]))

    event.listen(database.engine.sync_engine, "before_cursor_execute", seen)
    await asyncio.gather(*(looking.problems() for _ in range(20)))
    first = len(looks)
    await looking.problems()
    assert len(looks) == first
    assert sum("INSERT INTO early_receipt" in look for look in looks) == 1
    clock.seconds += health.CACHE_SECONDS
    await looking.problems()
    assert len(looks) == 2 * first


async def test_a_database_that_may_only_be_read() -> None:
    with temporary_database() as url:
        database = Database(url)
        await migrate(database)
        name = database.engine.url.database
        async with database.write() as connection:
            await connection.execute(
                text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            )
        await database.aclose()
        assert await healthy(database).problems() == ["the database cannot be written"]
        await database.aclose()


async def test_an_sqlite_file_on_a_full_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    await migrate(database)
    clock = Clock()
    looking = healthy(database, clock)

    def no_place_left(connection: object, *_: object) -> None:
        connection.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]

    event.listen(database.engine.sync_engine, "checkout", no_place_left)
    assert len(await looking.problems()) == 1
    event.remove(database.engine.sync_engine, "checkout", no_place_left)
    await database.aclose()
    clock.seconds += health.CACHE_SECONDS
    assert await looking.problems() == []
    await database.aclose()


async def test_no_server() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    assert await healthy(database).problems() == ["the database cannot be written"]
    await database.aclose()


async def test_a_database_that_hangs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LIMIT_SECONDS", 0.1)
    clock = Clock()
    looking = healthy(database, clock)
    blocked = Database(database.url)
    async with blocked.write() as connection:
        # Everybody else waits: on SQLite for the file, on PostgreSQL for the table.
        if not database.is_sqlite:
            await connection.execute(text("LOCK TABLE early_receipt IN ACCESS EXCLUSIVE MODE"))
        assert await looking.problems() == ["the database did not answer within 0.1 s"]
        assert await looking.problems() == ["the database did not answer within 0.1 s"]
    await blocked.aclose()
    monkeypatch.setattr(health, "LIMIT_SECONDS", 5.0)
    assert await looking.problems() == []

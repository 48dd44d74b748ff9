"""SQLite in the event loop's thread: what may take long does not stop the loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store import sqlite
from bot.store.database import Database


async def test_a_slow_disk_gets_threads_and_a_quick_one_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A busy machine makes a quick disk look slower than it is, but not so much.
    monkeypatch.setattr(sqlite, "_QUICK_SECONDS", 0.03)
    monkeypatch.setattr(sqlite, "_COMMITS_JUDGED", 5)
    monkeypatch.setattr(sqlite, "_COMMITS_IN_THREADS", 3)
    in_threads: list[bool] = []

    class Watched(sqlite3.Connection):
        pause = 0.0

        def commit(self) -> None:
            time.sleep(self.pause)
            in_threads.append(threading.current_thread() is not threading.main_thread())
            super().commit()

    opened = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **o: opened(*a, **o, factory=Watched))
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")

    async def commits(number: int) -> list[bool]:
        in_threads.clear()
        for _ in range(number):
            async with database.write():
                pass
        return list(in_threads)

    assert not any(await commits(20))
    monkeypatch.setattr(Watched, "pause", 0.06)
    assert await commits(11) == [False] * 3 + [True] * 3 + [False] * 5
    monkeypatch.setattr(Watched, "pause", 0.0)
    await commits(3)
    assert not any(await commits(20))
    await database.aclose()


async def test_the_loop_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE note (said TEXT)"))
    other = sqlite3.connect(tmp_path / "frontdesk.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turns = 0

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO note VALUES ('mine')"))

    writing = asyncio.create_task(write())
    while turns < 50:
        await asyncio.sleep(0.002)
        turns += 1
    assert not writing.done()
    other.execute("INSERT INTO note VALUES ('theirs')")
    other.execute("COMMIT")
    other.close()
    await asyncio.wait_for(writing, 5)
    async with database.read() as connection:
        found = await connection.scalars(text("SELECT said FROM note"))
    assert list(found) == ["theirs", "mine"]
    await database.aclose()


async def test_a_cancelled_write_does_not_block_the_next(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE note (said TEXT)"))
    other = sqlite3.connect(tmp_path / "frontdesk.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write(said: str) -> None:
        async with database.write() as connection:
            await connection.execute(text(f"INSERT INTO note VALUES ('{said}')"))

    waiting = asyncio.create_task(write("never"))
    await asyncio.sleep(0.1)
    waiting.cancel()
    other.execute("COMMIT")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(write("later"), 5)
    async with database.read() as connection:
        assert list(await connection.scalars(text("SELECT said FROM note"))) == ["later"]
    await database.aclose()


async def test_a_long_read_has_a_thread_of_its_own(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    counting = text(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2000000)"
        " SELECT count(*) FROM s"
    )

    async def count() -> int:
        async with database.read(long=True) as connection:
            return int(await connection.scalar(counting) or 0)

    counted = asyncio.create_task(count())
    rounds = 0
    while not counted.done():
        await asyncio.sleep(0.001)
        rounds += 1
    assert counted.result() == 2_000_000
    assert rounds > 5
    await database.aclose()

"""SQLite without a thread: its statements take microseconds, and handing them to one costs more.

What may wait for a slow disk or for another process still goes to a thread: commits, and what finds
the file locked. Reads that may be long belong on aiosqlite's own connections, see
`bot.store.database.Database.read`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

from sqlalchemy import Connection

_BUSY_SECONDS = 10.0
# Nobody notices so short a stop of the event loop; a thread would take longer to get its turn.
_QUICK_SECONDS = 0.002
_COMMITS_JUDGED = 15
_COMMITS_IN_THREADS = 200


class Disk:
    """Whether commits are so quick here that the event loop need not be spared them."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=_COMMITS_JUDGED)
        self._in_threads = 0

    async def commit(self, connection: sqlite3.Connection) -> None:
        """Commits at once, or in a thread where that has taken long lately."""
        if self._in_threads:
            self._in_threads -= 1
            await _to_its_end(connection.commit)
            return
        began = time.perf_counter()
        connection.commit()
        self._took.append(time.perf_counter() - began)
        # The median: now and then SQLite moves what was written to its place, at whatever disk.
        if len(self._took) == _COMMITS_JUDGED and median(self._took) > _QUICK_SECONDS:
            self._took.clear()
            self._in_threads = _COMMITS_IN_THREADS


class Writer:
    """Lets one transaction write at a time: SQLite has one writer, and waiting inside it is unfair.

    Not an `asyncio.Lock`, which hands itself on from one to the next, in a new round of the event
    loop each time: most transactions here begin and end within one round, and once two of them
    waited, all would.
    """

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    async def __aenter__(self) -> None:
        while not self._free.is_set():
            await self._free.wait()
        self._free.clear()

    async def __aexit__(self, *error: object) -> None:
        self._free.set()


class InlineConnection:
    """What SQLAlchemy needs of an `aiosqlite.Connection`, on an open `sqlite3.Connection`.

    Args:
        path: The database's file.
        disk: Of all connections to it.
    """

    def __init__(self, path: str, disk: Disk) -> None:
        self._disk = disk
        # Commits come from other threads. Transactions are begun by `begin_sqlite` alone.
        self._connection = sqlite3.connect(
            path, timeout=0, isolation_level=None, check_same_thread=False
        )

    async def cursor(self) -> _InlineCursor:
        """A cursor."""
        return _InlineCursor(self._connection)

    async def commit(self) -> None:
        """Commits."""
        await self._disk.commit(self._connection)

    async def rollback(self) -> None:
        """Rolls back."""
        self._connection.rollback()

    async def create_function(self, *args: Any, **options: Any) -> None:
        """Defines a function for SQL."""
        self._connection.create_function(*args, **options)

    async def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def stop(self) -> None:
        """Closes the file, where nothing can be awaited."""
        self._connection.close()


class _InlineCursor:
    """What SQLAlchemy needs of an `aiosqlite.Cursor`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection, self._cursor = connection, connection.cursor()

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        await self._at_once(lambda: self._cursor.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        await self._at_once(lambda: self._cursor.executemany(statement, parameters))

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()

    async def _at_once(self, work: Callable[[], object]) -> None:
        """Does it here, or patiently in a thread while another process writes."""
        try:
            work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await _to_its_end(lambda: self._patiently(work))

    def _patiently(self, work: Callable[[], object]) -> None:
        self._connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000:.0f}")
        try:
            work()
        finally:
            self._connection.execute("PRAGMA busy_timeout=0")


def configure_sqlite(dbapi_connection: Any, _record: Any) -> None:
    """Prepares a new connection; for SQLAlchemy's event ``connect``."""
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def begin_sqlite(connection: Connection) -> None:
    """Begins a transaction; for SQLAlchemy's event ``begin``.

    The execution option ``frontdesk_for`` says for what: to ``write``, or for a ``query``, which
    needs none.
    """
    purpose = connection.get_execution_options().get("frontdesk_for")
    if purpose != "query":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose == "write" else "BEGIN")


async def _to_its_end(work: Callable[[], object]) -> None:
    """Runs blocking work in a thread; who is cancelled meanwhile still waits for its end.

    A connection that goes back to the pool must not be at work.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise

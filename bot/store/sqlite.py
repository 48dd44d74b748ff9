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
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.engine import AdaptedConnection

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

    def is_slow(self) -> bool:
        """Whether the next commit belongs in a thread."""
        if self._in_threads:
            self._in_threads -= 1
            return True
        return False

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commits at once, and remembers how long it took."""
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


class InlineDriver:
    """The module `sqlite3` for SQLAlchemy's async engine, with connections that use no thread.

    For the parameter ``module`` of `sqlalchemy.create_engine`. SQLAlchemy's own driver for async
    engines changes from one greenlet to another and back four times for each statement, which takes
    longer than most statements do.

    Args:
        path: The database's file.
    """

    # SQLAlchemy asks aiosqlite, whose place this takes, whether connections can be stopped.
    has_stop = True

    def __init__(self, path: str) -> None:
        self._path, self._disk = path, Disk()

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, *_args: Any, **_options: Any) -> InlineConnection:
        """Opens the file; what the URL says besides is not asked for."""
        # Commits come from other threads. Transactions are begun by `begin_sqlite` alone.
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        return InlineConnection(connection, self._disk)


class InlineConnection(AdaptedConnection):
    """A connection of PEP 249 that waits without stopping the event loop.

    Args:
        connection: An open one.
        disk: Of all connections to its file.
    """

    __slots__ = ("_disk",)
    _connection: Any

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection, self._disk = connection, disk

    def cursor(self, server_side: bool = False) -> InlineCursor:
        """A cursor; it always reads all rows at once."""
        return InlineCursor(self)

    def begin(self, *, immediate: bool) -> None:
        """Begins a transaction; an immediate one has the right to write."""
        statement = "BEGIN IMMEDIATE" if immediate else "BEGIN"
        self.at_once(lambda: self._connection.execute(statement))

    def commit(self) -> None:
        """Commits."""
        if self._disk.is_slow():
            self.run_async(lambda connection: _to_its_end(connection.commit))
        else:
            self._disk.commit(self._connection)

    def rollback(self) -> None:
        """Rolls back."""
        self._connection.rollback()

    def create_function(self, *args: Any, **options: Any) -> None:
        """Defines a function for SQL."""
        self._connection.create_function(*args, **options)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    terminate = close

    def at_once(self, work: Callable[[], object]) -> None:
        """Does it here, or patiently in a thread while another process writes."""
        # SQLAlchemy refuses what never waits: it takes it for a driver that stops the event loop.
        self.run_async(_nothing)
        try:
            work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            self.run_async(lambda _: _to_its_end(lambda: self._patiently(work)))

    def _patiently(self, work: Callable[[], object]) -> None:
        self._connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000:.0f}")
        try:
            work()
        finally:
            self._connection.execute("PRAGMA busy_timeout=0")


class InlineCursor:
    """A cursor of PEP 249. It reads to the end: a query left open would hold the file's past."""

    __slots__ = ("_connection", "_cursor", "_rows", "arraysize", "description")

    def __init__(self, connection: InlineConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor = connection.driver_connection.cursor()
        self._rows: list[Any] = []
        self.description: Any = None
        self.arraysize = 1

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    def execute(self, statement: str, parameters: Any = ()) -> None:
        self._connection.at_once(lambda: self._cursor.execute(statement, parameters))
        self.description = self._cursor.description
        # Turned round: rows are taken from the end.
        self._rows = self._cursor.fetchall()[::-1] if self.description else []

    def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        self._connection.at_once(lambda: self._cursor.executemany(statement, parameters))
        self.description, self._rows = None, []

    def setinputsizes(self, *_sizes: Any) -> None:
        """Sizes mean nothing to SQLite."""

    def fetchone(self) -> Any:
        return self._rows.pop() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        count = min(size or self.arraysize, len(self._rows))
        return [self._rows.pop() for _ in range(count)]

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows[::-1], []
        return rows

    def close(self) -> None:
        self._rows = []
        self._cursor.close()

    async def _async_soft_close(self) -> None:
        """Nothing is left at the database; SQLAlchemy's async connections ask for this."""


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
        # Not as a statement of SQLAlchemy's: that takes ten times as long.
        inline = cast(InlineConnection, connection.connection.dbapi_connection)
        inline.begin(immediate=purpose == "write")


async def _nothing(_connection: object) -> None:
    pass


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

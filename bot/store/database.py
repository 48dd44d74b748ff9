"""The connection to the database: SQLite embedded, or PostgreSQL, behind one small class."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Dialect, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.core.errors import ConfigurationError, StoreUnavailableError
from bot.store.sqlite import InlineDriver, Writer, begin_sqlite, configure_sqlite

_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")
# A connection that was given back so lately is taken as it is: to ask the server before each use is
# one round trip in four.
_TRUSTED_SECONDS = 1.0
_RETURNED = "frontdesk_returned"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
# Longer than a busy moment, shorter than a platform waits for the answer to its webhook.
_WAIT_SECONDS = 5.0
# SQLSTATE classes that blame the statement or its values: the same again cannot succeed.
_BLAMES_STATEMENT = ("22", "23", "42")
# A server that starts, stops or has no place left refuses with errors that SQLAlchemy passes on.
_OUTAGES = (
    DBAPIError, PoolTimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError,
)  # fmt: skip


@asynccontextmanager
async def _mapped_errors() -> AsyncIterator[None]:
    """Turns a driver's connection failures into ours; programming errors stay what they are."""
    try:
        yield
    except _OUTAGES as error:
        if _is_our_fault(error):
            raise
        raise StoreUnavailableError(
            f"the database did not answer: {type(error).__name__}"
        ) from error


def _is_our_fault(error: Exception) -> bool:
    """Whether the database answered, and said that what it was asked is wrong."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return True
    # asyncpg's own check of values, before anything is sent, is a ValueError.
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(_BLAMES_STATEMENT) or isinstance(
        getattr(error.orig, "__cause__", None), ValueError
    )


class Database:
    """Opens transactions, and holds conversation locks.

    Args:
        url: ``sqlite:///path`` or ``postgresql://user@host/name``; the driver is chosen here.

    Raises:
        ConfigurationError: The URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine: AsyncEngine = _create_engine(self.url, sqlite=self.is_sqlite)
        # A query needs no transaction, which costs PostgreSQL two round trips.
        self._queries = self.engine.execution_options(
            **{"frontdesk_for": "query"} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        self._writes = self.engine.execution_options(frontdesk_for="write")
        self._long_queries = _beside(self.engine) if self.is_sqlite else self._queries
        self._writer: AbstractAsyncContextManager[Any] = (
            Writer() if self.is_sqlite else nullcontext()
        )
        self._held: set[str] = set()

    @asynccontextmanager
    async def read(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each of which sees what was committed before it.

        Args:
            long: They may read more than a conversation, so nobody must wait for them.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        engine = self._long_queries if long else self._queries
        async with _mapped_errors(), self._connected(engine) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        async with (
            _mapped_errors(),
            self._writer,
            self._connected(self._writes) as connection,
            connection.begin(),
        ):
            yield connection

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if engine is self._long_queries or not self.is_sqlite:
            async with engine.connect() as connection:
                yield connection
            return
        # SQLAlchemy gives a connection back in a task of its own, lest that be cancelled half-way:
        # in a later round of the event loop, for which all other writers would wait.
        connection = await engine.connect()
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def try_lock(
        self, purpose: str, conversation: str
    ) -> AsyncIterator[LockedSession | None]:
        """The lock of one conversation for one purpose (``turn``, ``deliver``), or None at once.

        On PostgreSQL the lock belongs to a database session: it is free as soon as its holder dies.
        The transaction of the work must be opened by the session that is yielded, so that work
        without the lock cannot be committed.
        """
        key = f"{purpose}:{conversation}"
        # Also on PostgreSQL: saves a connection when this very process holds it.
        if key in self._held:
            yield None
            return
        self._held.add(key)
        try:
            if self.is_sqlite:
                yield LockedSession(self, None)
            else:
                async with self._advisory_lock(key) as connection:
                    yield None if connection is None else LockedSession(self, connection)
        finally:
            self._held.discard(key)

    @asynccontextmanager
    async def _advisory_lock(self, key: str) -> AsyncIterator[AsyncConnection | None]:
        # In a transaction of its own, a statement on the lock would be three round trips.
        # Only the lock's own statements are mapped: a failure of the work is not the database's.
        async with AsyncExitStack() as stack:
            async with _mapped_errors():
                connection = await stack.enter_async_context(self._queries.connect())
                locked = await connection.scalar(_LOCK, {"key": lock_number(key)})
                await connection.commit()
            if not locked:
                yield None
                return
            try:
                yield connection
            except BaseException:
                # The session may be in any state: closing it frees the lock for certain.
                await connection.invalidate()
                raise
            try:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(_UNLOCK, {"key": lock_number(key)})
                await connection.commit()
            except _OUTAGES:
                # The work is done, and a session that is gone holds no lock.
                await connection.invalidate()

    async def ping(self) -> None:
        """Raises StoreUnavailableError when the database does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def aclose(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()
        await self._long_queries.dispose()


class LockedSession:
    """Opens transactions while a conversation lock is held."""

    def __init__(self, database: Database, connection: AsyncConnection | None) -> None:
        self._database, self._connection = database, connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """As `Database.write`, on the session that holds the lock."""
        if self._connection is None:
            async with self._database.write() as connection:
                yield connection
            return
        if self._connection.invalidated:
            # SQLAlchemy would connect again, and that session would not hold the lock.
            raise StoreUnavailableError("the session that held the lock is gone")
        await self._connection.execution_options(isolation_level="READ COMMITTED")
        async with _mapped_errors(), self._connection.begin():
            yield self._connection


def lock_number(key: str) -> int:
    """The number by which PostgreSQL's advisory locks know `key`."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def async_url(url: str, key: str = "FRONTDESK_DATABASE_URL") -> str:
    """The URL with the async driver that Frontdesk uses.

    Raises:
        ConfigurationError: It is no URL of SQLite or PostgreSQL; `key` names the setting.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            key,
            "is not a database URL",
            "Write sqlite:///path/to/file.db or postgresql://user:password@host:5432/name.",
        ) from error
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise ConfigurationError(
            key,
            f"names the database '{backend}', which Frontdesk does not store in",
            "Use sqlite:///path/to/file.db or postgresql://user:password@host:5432/name.",
        )
    return parsed.set(drivername=_DRIVERS[backend]).render_as_string(hide_password=False)


def _create_engine(url: str, *, sqlite: bool) -> AsyncEngine:
    try:
        if not sqlite:
            engine = create_async_engine(
                url,
                pool_size=20,
                max_overflow=20,
                pool_timeout=_WAIT_SECONDS,
                # Errors are logged; parameters are what customers wrote.
                hide_parameters=True,
                connect_args={"timeout": _WAIT_SECONDS},
            )
            event.listen(engine.sync_engine, "checkin", _note_return)
            event.listen(engine.sync_engine, "checkout", partial(_ping_when_idle, engine.dialect))
            return engine
        path = _file_of(url)
        engine = create_async_engine(
            url,
            pool_size=8,
            max_overflow=16,
            pool_timeout=_WAIT_SECONDS,
            hide_parameters=True,
            module=InlineDriver(path),
        )
    except (NoSuchModuleError, ArgumentError) as error:
        raise ConfigurationError(
            "FRONTDESK_DATABASE_URL", "cannot be used", f"Check the URL: {error}."
        ) from error
    event.listen(engine.sync_engine, "connect", configure_sqlite)
    event.listen(engine.sync_engine, "begin", begin_sqlite)
    return engine


def _note_return(_dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_RETURNED] = time.monotonic()


def _ping_when_idle(
    dialect: Dialect, dbapi_connection: Any, record: ConnectionPoolEntry, _proxy: Any
) -> None:
    """Tries a connection that nobody used for a while: the server may have restarted since.

    Raises:
        InvalidatePoolError: It is dead. The pool drops all that are as old, and connects anew.
    """
    returned = record.info.get(_RETURNED, inf)
    if time.monotonic() - returned < _TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(dbapi_connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _beside(engine: AsyncEngine) -> AsyncEngine:
    """The same SQLite file, read in threads."""
    made = create_async_engine(engine.url, pool_size=2, max_overflow=6, hide_parameters=True)
    event.listen(made.sync_engine, "connect", configure_sqlite)
    return made


def _file_of(url: str) -> str:
    """The file that an SQLite URL names, in a folder that exists."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise ConfigurationError(
            "FRONTDESK_DATABASE_URL",
            "an in-memory database forgets every conversation",
            "Name a file: sqlite:///.frontdesk/frontdesk.db.",
        )
    try:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            "FRONTDESK_DATABASE_URL",
            f"the folder of the database file cannot be made ({error.strerror})",
            "Choose a folder that this user may write to.",
            str(Path(name).parent),
        ) from error
    return name

"""The connection to the database: SQLite embedded, or PostgreSQL, behind one small class."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.core.errors import StoreUnavailableError
from bot.store.engine import WAIT_SECONDS, async_url, beside, create_engine
from bot.store.sqlite import Writer

_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")
# A process computes on one core: more of them at once would only hold more connections.
_WRITERS = 8
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
        self.engine: AsyncEngine = create_engine(self.url, sqlite=self.is_sqlite)
        # A query needs no transaction, which costs PostgreSQL two round trips.
        self._queries = self.engine.execution_options(
            **{"frontdesk_for": "query"} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        self._writes = self.engine.execution_options(frontdesk_for="write")
        self._long_queries = beside(self.engine) if self.is_sqlite else self._queries
        self._writer: AbstractAsyncContextManager[Any] = (
            Writer() if self.is_sqlite else _Gate(_WRITERS)
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
    async def write_at_once(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which a statement is committed when it returns.

        On PostgreSQL, the beginning and the end of a transaction are two round trips.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        async with _mapped_errors(), self._writer, self._connected(self._queries) as connection:
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


class _Gate:
    """Lets so many in at once; who waits too long hears what a used-up pool would say."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            raise StoreUnavailableError("the database did not answer: too many wait") from error

    async def __aexit__(self, *error: object) -> None:
        self._places.release()


class LockedSession:
    """Queries and transactions while a conversation lock is held.

    On PostgreSQL both are of the session that holds it: whoever has a lock needs no second
    connection, so that a pool of any size cannot be used up by work that waits for another one.
    """

    def __init__(self, database: Database, connection: AsyncConnection | None) -> None:
        self._database, self._connection = database, connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """As `Database.read`, on the session that holds the lock; not inside `write`."""
        if self._connection is None:
            async with self._database.read() as connection:
                yield connection
            return
        async with _mapped_errors():
            await self._in_state("AUTOCOMMIT")
            yield self._connection
            # SQLAlchemy's own notion of a transaction: nothing is sent.
            await self._connection.commit()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """As `Database.write`, on the session that holds the lock."""
        if self._connection is None:
            async with self._database.write() as connection:
                yield connection
            return
        await self._in_state("READ COMMITTED")
        async with _mapped_errors(), self._connection.begin():
            yield self._connection

    async def _in_state(self, isolation_level: str) -> None:
        """Prepares the session.

        Raises:
            StoreUnavailableError: It is gone, and with it the lock.
        """
        assert self._connection is not None
        if self._connection.invalidated:
            # SQLAlchemy would connect again, and that session would not hold the lock.
            raise StoreUnavailableError("the session that held the lock is gone")
        await self._connection.execution_options(isolation_level=isolation_level)


def lock_number(key: str) -> int:
    """The number by which PostgreSQL's advisory locks know `key`."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

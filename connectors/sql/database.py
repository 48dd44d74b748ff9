"""One shop database: connecting, checking the mapping against it, reading and writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    NoSuchModuleError,
    NoSuchTableError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
)

from bot.core.errors import ConfigurationError, ShopUnavailableError
from connectors.sql.mapping import ShopMapping, TableMapping
from connectors.sql.tables import BoundTable, Found, Record, bind

PATIENCE = 5.0  # seconds that a connection, a lock or a statement may take
_ATTEMPTS = 6  # to create our tables beside others who do the same
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Session:
    """One connection in a transaction, with the entities' tables."""

    def __init__(self, connection: AsyncConnection, tables: Mapping[str, BoundTable]) -> None:
        self._connection, self._tables = connection, tables

    def table(self, entity: str) -> BoundTable:
        return self._tables[entity]

    async def records(
        self,
        entity: str,
        *conditions: sa.ColumnElement[bool],
        order_by: tuple[sa.ColumnElement[Any], ...] = (),
        limit: int | None = None,
    ) -> list[Record]:
        """The records that meet all conditions; none where the shop has no such table."""
        table = self._tables[entity]
        if not table.exists:
            return []
        statement = table.select().where(*conditions).order_by(*order_by).limit(limit)
        rows = (await self._connection.execute(statement)).mappings()
        return [table.record(dict(row)) for row in rows]

    async def record(self, entity: str, *conditions: sa.ColumnElement[bool]) -> Record | None:
        """The one record that meets all conditions; None when there is none, or more than one."""
        found = await self.records(entity, *conditions, limit=2)
        return found[0] if len(found) == 1 else None

    async def insert(self, entity: str, values: Mapping[str, object]) -> None:
        table = self._tables[entity]
        await self._connection.execute(table.real.insert().values(table.columns_of(values)))

    async def update(
        self, entity: str, values: Mapping[str, object], *conditions: sa.ColumnElement[bool]
    ) -> int:
        """Changes the records that meet all conditions; returns how many."""
        table = self._tables[entity]
        columns = table.columns_of(values)
        if not columns:
            return 0
        result = await self._connection.execute(
            table.real.update().where(*conditions).values(columns)
        )
        return result.rowcount

    async def execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        """A statement on Frontdesk's own bookkeeping tables."""
        return await self._connection.execute(statement)


class Database:
    """A shop's database behind its mapping.

    Args:
        url: An SQLAlchemy URL of SQLite or PostgreSQL; the async driver is chosen when not named.
        mapping: Where the entities lie.

    Raises:
        ConfigurationError: The URL is none, or of another database.
    """

    def __init__(self, url: str, mapping: ShopMapping) -> None:
        self._mapping = mapping
        self._engine = _engine(url, f"{mapping.section}.url")
        self._tables: dict[str, BoundTable] | None = None
        self._bookkeeping = sa.MetaData()
        self._prepared = False
        self._preparing = asyncio.Lock()

    @property
    def bookkeeping(self) -> sa.MetaData:
        """Tables put here are created by `prepare` when they are missing."""
        return self._bookkeeping

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A transaction, committed at its end; its failures become ShopUnavailableError."""
        with_tables = await self._bound()
        async with self._connect() as connection:
            yield Session(connection, with_tables)

    async def ping(self) -> None:
        """Raises ShopUnavailableError when the database does not answer."""
        async with self._connect() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def prepare(self) -> None:
        """Checks the mapping against the database and creates the tables that only Frontdesk needs.

        The shop's own tables are not touched. Calling it again does nothing.

        Raises:
            ConfigurationError: A mapped table or column does not exist.
            ShopUnavailableError: The database cannot be reached.
        """
        async with self._preparing:
            if self._prepared:
                return
            await self._create_ours()
            await self._bound()
            self._prepared = True

    async def close(self) -> None:
        """Closes all connections."""
        await self._engine.dispose()

    async def _create_ours(self) -> None:
        metadata = sa.MetaData()
        for table in self._bookkeeping.tables.values():
            table.to_metadata(metadata)
        for mapping in self._mapping.tables.values():
            if mapping.entity.ours and not mapping.named:
                bind(mapping, metadata)
        # CRM and POS, or two replicas, that start at once may both create: one finds the tables
        # there the next time. SQLite refuses at once where both would have to wait for each other.
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((ShopUnavailableError, IntegrityError)),
            stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(PATIENCE),
            wait=wait_random(0.02, 0.2),
            reraise=True,
        ):
            with attempt:
                async with self._connect() as connection:
                    await connection.run_sync(metadata.create_all)

    async def _bound(self) -> dict[str, BoundTable]:
        """The tables as the database has them; looked up once."""
        if self._tables is None:
            async with self._connect() as connection:
                self._tables = await connection.run_sync(self._inspect)
        return self._tables

    def _inspect(self, connection: sa.Connection) -> dict[str, BoundTable]:
        inspector, metadata = sa.inspect(connection), sa.MetaData()
        bound: dict[str, BoundTable] = {}
        for name, mapping in self._mapping.tables.items():
            found = None
            if mapping.table is not None and (mapping.named or not mapping.entity.ours):
                found = _columns(inspector, mapping)
            bound[name] = bind(mapping, metadata, found)
        return bound

    def _connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return _transaction(self._engine, self._mapping.section)


@asynccontextmanager
async def transaction_on(url: str, section: str) -> AsyncIterator[AsyncConnection]:
    """One transaction on a database that no port is open on; errors name ``section``."""
    engine = _engine(url, f"{section}.url")
    try:
        async with _transaction(engine, section) as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def _transaction(engine: AsyncEngine, section: str) -> AsyncIterator[AsyncConnection]:
    """A transaction whose failures are ShopUnavailableError, but for conflicts of keys.

    The chain of causes is cut, since the drivers' texts may hold values of rows.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise  # a matter of the caller's, who knows which record was there already
    except (SQLAlchemyError, OSError, ValueError) as error:
        # ValueError: the database holds what cannot mean the field.
        raise ShopUnavailableError(_why(section, error)) from None
    except Exception as error:
        # While connecting, the driver's own errors come through.
        if type(error).__module__.partition(".")[0] != "asyncpg":
            raise
        raise ShopUnavailableError(_why(section, error)) from None


def _why(section: str, error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return f"the database of {section} failed: {type(cause).__name__}"


def _columns(inspector: sa.Inspector, mapping: TableMapping) -> Found:
    """The columns of a shop's table; ConfigurationError names what is missing."""
    assert mapping.table is not None
    try:
        found = inspector.get_columns(mapping.table, schema=mapping.schema)
    except NoSuchTableError:
        raise ConfigurationError(
            f"{mapping.key}.table",
            "the database has no such table",
            "Name the shop's table, or create the demo schema with `frontdesk seed`",
            mapping.table,
        ) from None
    types: dict[str, Any] = {column["name"]: column["type"] for column in found}
    for field, column in mapping.columns.items():
        if column is not None and column not in types:
            optional = mapping.entity.fields[field].optional
            raise ConfigurationError(
                f"{mapping.key}.columns.{field}",
                f"table {mapping.table} has no such column",
                f"Its columns are: {', '.join(sorted(types))}"
                + ("; write null if the shop has none for this" if optional else ""),
                column,
            )
    return types


def _engine(url: str, key: str) -> AsyncEngine:
    try:
        parsed = _with_driver(make_url(url), key)
        connect_args: dict[str, object] = {"timeout": PATIENCE}
        if parsed.get_backend_name() == "postgresql":
            connect_args |= {
                "command_timeout": PATIENCE,
                "server_settings": {"timezone": "UTC", "application_name": "frontdesk"},
            }
            return create_async_engine(
                parsed,
                connect_args=connect_args,
                pool_timeout=PATIENCE,
                pool_pre_ping=True,
                hide_parameters=True,  # they are customers' data, and errors are logged
            )
        return create_async_engine(parsed, connect_args=connect_args, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise ConfigurationError(
            key,
            "is no database URL",
            "Write e.g. sqlite+aiosqlite:///shop.db or postgresql+asyncpg://user@host/shop",
        ) from None


def _with_driver(url: URL, key: str) -> URL:
    if url.drivername in _DRIVERS:
        return url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername not in _DRIVERS.values():
        raise ConfigurationError(
            key,
            "is a database that this connector does not speak",
            f"Use {' or '.join(_DRIVERS.values())}",
            url.drivername,
        )
    return url

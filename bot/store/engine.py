"""Database engines: which driver, how many connections, and when one of them is tried."""

from __future__ import annotations

import time
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.core.errors import ConfigurationError
from bot.store.sqlite import InlineDriver, begin_sqlite, configure_sqlite

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
# Longer than a busy moment, shorter than a platform waits for the answer to its webhook.
WAIT_SECONDS = 5.0
# PostgreSQL: three processes fit into the hundred that it takes by default. Most are locks of
# conversations, eight for each kind of work, held while a platform or the shop is asked.
KEPT_CONNECTIONS, MORE_CONNECTIONS = 10, 20
# A connection that was given back so lately is taken as it is: to ask the server before each use is
# one round trip in four.
_TRUSTED_SECONDS = 1.0
_RETURNED = "frontdesk_returned"


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


def create_engine(url: str, *, sqlite: bool) -> AsyncEngine:
    """The engine for a URL with its driver.

    Raises:
        ConfigurationError: The URL cannot be used.
    """
    try:
        if not sqlite:
            engine = create_async_engine(
                url,
                pool_size=KEPT_CONNECTIONS,
                max_overflow=MORE_CONNECTIONS,
                pool_timeout=WAIT_SECONDS,
                # Errors are logged; parameters are what customers wrote.
                hide_parameters=True,
                connect_args={"timeout": WAIT_SECONDS},
            )
            event.listen(engine.sync_engine, "checkin", _note_return)
            event.listen(engine.sync_engine, "checkout", partial(_ping_when_idle, engine.dialect))
            return engine
        path = _file_of(url)
        engine = create_async_engine(
            url,
            pool_size=8,
            max_overflow=16,
            pool_timeout=WAIT_SECONDS,
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


def beside(engine: AsyncEngine) -> AsyncEngine:
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

"""Fixtures that many tests share."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.tables import metadata
from tests.postgres import temporary_database

KINDS = ["sqlite", "postgresql"]


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/frontdesk.db"
        return
    with temporary_database() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, to be copied."""
    path: Path = tmp_path_factory.mktemp("migrated") / "frontdesk.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    """A database with the newest schema. One for all: to make and drop each takes a second."""
    with temporary_database() as url:
        asyncio.run(_migrated(url))
        yield url


@pytest.fixture(params=KINDS)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the newest schema; on PostgreSQL with other tests' rows."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_postgres"))
    path = tmp_path / "frontdesk.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema and no rows."""
    opened = Database(migrated_url)
    if not opened.is_sqlite:
        async with opened.write() as connection:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(table.delete())
    yield opened
    await opened.aclose()


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.aclose()

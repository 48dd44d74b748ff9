"""Shop databases for the contract suite: the demo shop, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from connectors.demo import seed
from tests.postgres import temporary_database

TODAY = date(2026, 3, 18)


class Clock:
    """The shop's time, which tests move."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, days: int) -> None:
        self.time += timedelta(days=days)


class SqliteShops:
    """A seeded file for tests that only read; those that write get a copy."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._copies = folder, 0
        self.original = f"sqlite+aiosqlite:///{folder / 'seeded.db'}"
        asyncio.run(seed(self.original, TODAY))

    @contextmanager
    def copy(self) -> Iterator[str]:
        self._copies += 1
        path = self._folder / f"copy{self._copies}.db"
        shutil.copy(self._folder / "seeded.db", path)
        yield f"sqlite+aiosqlite:///{path}"
        path.unlink()


class PostgresShops:
    """A seeded database for tests that only read; those that write get a copy."""

    def __init__(self, url: str) -> None:
        self.original, self._name = url, make_url(url).database or ""
        asyncio.run(seed(url, TODAY))

    @contextmanager
    def copy(self) -> Iterator[str]:
        with temporary_database(template=self._name) as url:
            yield url

"""A backup of a running database, restored elsewhere, is the same shop's conversations."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from bot.monitoring.metrics import Metrics
from bot.monitoring.monitor import Monitor
from bot.store import tables as t
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.deploy.test_files import DEPLOY
from tests.monitoring.observed import Observed
from tests.postgres import temporary_database
from tests.scripted import inbound


def plain(url: str) -> str:
    """As an operator writes it, without Python's driver."""
    parsed = make_url(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=False)


def run(script: str, file: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DEPLOY / script), str(file)],
        env=os.environ | {"FRONTDESK_DATABASE_URL": plain(url)},
        text=True,
        capture_output=True,
        check=False,
    )


async def rows(database: Database) -> dict[str, list[Any]]:
    """Everything that is stored."""
    async with database.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in await connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                )
            ]
            for table in t.metadata.sorted_tables
        }


@pytest.fixture
def other_url(database: Database, tmp_path: Path) -> Iterator[str]:
    """Another, empty database of the same kind."""
    if database.is_sqlite:
        yield f"sqlite:///{tmp_path}/other.db"
        return
    if not shutil.which("pg_dump"):
        pytest.skip("no pg_dump")
    with temporary_database() as url:
        yield url


async def test_restored_elsewhere(database: Database, other_url: str, tmp_path: Path) -> None:
    path = Observed(database, Monitor(Metrics()))
    await path.say(inbound("hello"))
    # Received and not answered: the restored bot answers it.
    await path.receive(inbound("and now?"))
    saved = tmp_path / "frontdesk.dump"
    done = run("backup.sh", saved, database.url)
    assert done.returncode == 0, done.stderr
    assert saved.stat().st_mode & 0o077 == 0
    done = run("restore.sh", saved, other_url)
    assert done.returncode == 0, done.stderr
    restored = Database(other_url)
    await migrate(restored)
    assert await rows(restored) == await rows(database)
    again = Observed(restored, Monitor(Metrics()))
    await again.say(inbound("still there?"))
    assert again.channel.texts == ["re: and now?", "re: still there?"]
    await restored.aclose()


async def test_a_database_that_is_not_empty_is_left_alone(
    database: Database, tmp_path: Path
) -> None:
    await Observed(database, Monitor(Metrics())).say(inbound("hello"))
    saved = tmp_path / "frontdesk.dump"
    assert run("backup.sh", saved, database.url).returncode == 0
    before = await rows(database)
    assert run("restore.sh", saved, database.url).returncode != 0
    assert await rows(database) == before


async def test_a_backup_that_failed_has_no_name(tmp_path: Path) -> None:
    saved = tmp_path / "frontdesk.dump"
    assert run("backup.sh", saved, "postgresql://nobody@127.0.0.1:1/none").returncode != 0
    assert not saved.exists()

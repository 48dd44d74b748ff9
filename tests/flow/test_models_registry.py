"""The registry of models on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.errors import ConfigurationError
from bot.store import models
from bot.store.database import Database
from bot.store.models import KEPT_ARCHIVES, Model
from bot.store.rows import utc_now


async def add(database: Database, name: str, made_of: str = "") -> Model:
    async with database.write() as connection:
        return await models.register(
            connection,
            file=f"{name}.tar.gz",
            sha256=name.ljust(64, "0"),
            size=6,
            parts=iter([b"abc", b"def"]),
            now=utc_now(),
            made_of=made_of or f"files of {name}",
        )


async def activate(database: Database, version: int, chosen_for: str = "") -> Model:
    async with database.write() as connection:
        return await models.activate(connection, version, utc_now(), chosen_for)


async def rollback(database: Database) -> Model:
    async with database.write() as connection:
        return await models.rollback(connection, utc_now())


async def archive(database: Database, version: int) -> list[bytes]:
    found: list[bytes] = []
    async with database.read() as connection:
        while (data := await models.part(connection, version, len(found))) is not None:
            found.append(data)
    return found


async def test_versions_count_up_and_an_archive_is_registered_once(database: Database) -> None:
    assert [(await add(database, name)).version for name in ("a", "b", "a")] == [1, 2, 1]
    assert await archive(database, 1) == [b"abc", b"def"]
    async with database.read() as connection:
        assert [m.file for m in await models.listed(connection)] == ["b.tar.gz", "a.tar.gz"]
        found = await models.made_of(connection, "files of a")
        assert found is not None
        assert found.version == 1
        assert await models.made_of(connection, "other files") is None
        assert await models.active(connection) is None


async def test_the_same_archive_at_once_is_one_version(database: Database) -> None:
    made = await asyncio.gather(*(add(database, "a") for _ in range(5)))
    assert {m.version for m in made} == {1}
    assert await archive(database, 1) == [b"abc", b"def"]


async def test_one_is_active_whoever_activates_at_once(database: Database) -> None:
    for name in "abc":
        await add(database, name)
    await asyncio.gather(*(activate(database, version) for version in (1, 2, 3, 1, 2, 3)))
    async with database.read() as connection:
        assert sum(m.active for m in await models.listed(connection)) == 1


async def test_rollback_goes_back_step_by_step(database: Database) -> None:
    for name in "abc":
        await activate(database, (await add(database, name)).version)
    assert (await rollback(database)).version == 2
    assert (await rollback(database)).version == 1
    with pytest.raises(ConfigurationError, match="no other was active before"):
        await rollback(database)


async def test_a_rollback_never_leads_to_one_that_was_refused(database: Database) -> None:
    for name in "abc":
        await add(database, name)
    await activate(database, 1)
    await activate(database, 2)
    async with database.write() as connection:
        await models.fail(connection, 2, "here", "broken", utc_now())
    assert (await activate(database, 3)).previous == 1
    async with database.read() as connection:
        assert (await models.by_version(connection, 2)).failure == "here: broken"
    assert (await activate(database, 2)).failure == ""


async def test_what_an_operator_chose_stands_for_the_files_of_the_time(database: Database) -> None:
    await add(database, "a")
    await add(database, "b")
    assert (await activate(database, 1)).chosen_for == "files of a"
    assert (await activate(database, 2, "files of b")).chosen_for == "files of b"
    assert (await rollback(database)).chosen_for == "files of b"


async def test_old_archives_go_but_for_those_in_use(database: Database) -> None:
    for name in "ab":
        await activate(database, (await add(database, name)).version)
    for number in range(KEPT_ARCHIVES + 3):
        await add(database, f"c{number}")
    async with database.read() as connection:
        versions = [m.version for m in await models.listed(connection)]
        kept = [v for v in reversed(versions) if await models.has_archive(connection, v)]
    assert kept == [1, 2, *range(6, 6 + KEPT_ARCHIVES)]
    await add(database, "c0")
    assert await archive(database, 3) == [], "still too old to be kept"


async def test_an_unknown_version_is_named(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="found: 7"):
        await activate(database, 7)


async def test_replicas_are_those_that_were_seen_lately(database: Database) -> None:
    now = utc_now()
    async with database.write() as connection:
        await models.see(connection, "old", 1, "a.tar.gz", now - models.SEEN_WITHIN * 2)
        for version in (1, 2):
            await models.see(connection, "new", version, "b.tar.gz", now)
        await models.see(connection, "gone", None, "c.tar.gz", now)
        await models.leave(connection, "gone")
        seen = await models.replicas(connection, now + timedelta(seconds=1))
    assert [(r.name, r.version) for r in seen] == [("new", 2)]

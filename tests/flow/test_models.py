"""The model in use: it changes while turns go on, and never to a broken one."""

from __future__ import annotations

import asyncio
import logging
import re
import weakref
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.bootstrap import connect_actions
from bot.core.errors import ModelError
from bot.dialogue.brain import Brain
from bot.flow.model_library import ModelLibrary
from bot.flow.models import Models
from bot.store import models
from bot.store import tables as t
from bot.store.database import Database
from bot.store.models import Model, Replica
from bot.store.rows import utc_now
from tests.archives import repack, saying, with_metadata
from tests.process import trained_model

INTENTS = "components/train_bot.nlu.intent_classifier.IntentClassifier3/intents.json"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The assistant's model, one with other words, and broken ones."""
    folder, good = tmp_path_factory.mktemp("archives"), trained_model()

    def with_action(metadata: dict[str, Any]) -> None:
        metadata["domain"]["actions"].append("action_of_tomorrow")

    return {
        "good": good,
        "other": saying(good, folder / "other.tar.gz", "utter_greet", "Other words."),
        "broken": repack(good, folder / "broken.tar.gz", {INTENTS: lambda _: b"{"}),
        "ahead": repack(good, folder / "ahead.tar.gz", with_metadata(with_action)),
    }


class Site:
    """One replica, and what an operator does."""

    def __init__(self, database: Database, folder: Path, archives: dict[str, Path]) -> None:
        self.database, self._archives, self.cache = database, archives, folder / "cache"
        self.library = ModelLibrary(database, [], self.cache)
        self.models = Models(database, self.library, connect_actions({}), "here")

    async def activate(self, name: str) -> Model:
        added = await self.library.add(self._archives[name])
        async with self.database.write() as connection:
            return await models.activate(connection, added.version, utc_now())

    async def follow(self) -> list[str]:
        """Does what the worker does; returns what it found to do."""
        found = await self.models.find(1)
        for version in found:
            await self.models.work(version)
        return found

    async def known(self, version: int) -> Model:
        async with self.database.read() as connection:
            return await models.by_version(connection, version)

    @property
    def running(self) -> object:
        return (self.models.loaded or {}).get("version")


@pytest.fixture
def site(database: Database, tmp_path: Path, archives: dict[str, Path]) -> Site:
    return Site(database, tmp_path, archives)


def words(brain: Brain | None) -> str:
    assert brain is not None
    return str(brain.domain.responses["utter_greet"][0]["text"])


async def test_the_active_one_takes_the_place_and_the_old_one_is_gone(site: Site) -> None:
    await site.activate("good")
    await site.models.load_active()
    assert await site.follow() == [], "the active one runs"
    assert site.models.brain is not None
    old = weakref.ref(site.models.brain)
    await site.activate("other")
    assert await site.follow() == ["2"]
    assert words(site.models.brain) == "Other words."
    assert old() is None
    async with site.database.write() as connection:
        assert await models.replicas(connection, utc_now()) == [Replica("here", 2, "other.tar.gz")]
        await models.rollback(connection, utc_now())
    assert await site.follow() == ["1"]
    assert words(site.models.brain) != "Other words."


async def test_a_turn_keeps_the_model_that_it_began_with(site: Site) -> None:
    await site.activate("good")
    await site.models.load_active()
    turn = site.models.brain
    await site.activate("other")
    change = asyncio.create_task(site.follow())
    async with asyncio.timeout(30):
        while site.models.brain is turn:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert turn is not None
    assert (await turn.parse("what are your opening hours"))["intent"]["name"] == "opening_hours"
    assert not change.done(), "its memory is not given back yet"
    del turn
    await change


@pytest.mark.parametrize(
    ("name", "reason"),
    [("broken", "cannot be loaded|does not answer"), ("ahead", "action_of_tomorrow")],
)
async def test_a_model_that_fails_is_refused_once_and_said_to_be(
    site: Site, name: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    await site.activate("good")
    await site.models.load_active()
    kept = site.models.brain
    await site.activate(name)
    with caplog.at_level(logging.ERROR, "bot.flow.models"):
        assert await site.follow() == ["2"]
    assert site.models.brain is kept
    assert site.running == 1
    assert "model version 2 is refused, version 1 stays" in caplog.text
    failure = (await site.known(2)).failure
    assert failure.startswith("here: ")
    assert re.search(reason, failure)
    assert await site.follow() == [], "it is not tried again"
    await site.activate(name)
    assert await site.models.find(1) == ["2"], "unless it is activated again"


async def test_one_that_was_altered_in_the_database_is_refused(site: Site) -> None:
    await site.activate("good")
    await site.models.load_active()
    await site.activate("other")
    async with site.database.write() as connection:
        data = bytearray(await models.part(connection, 2, 3) or b"")
        data[1000] ^= 1
        await connection.execute(
            update(t.model_part)
            .where(t.model_part.c.version == 2, t.model_part.c.number == 3)
            .values(data=bytes(data))
        )
    await site.follow()
    assert site.running == 1
    assert "altered in the database" in (await site.known(2)).failure
    assert [p.name for p in site.cache.iterdir()] == [f"{(await site.known(1)).sha256}.tar.gz"]


async def test_a_start_with_a_broken_one_takes_the_one_before(site: Site) -> None:
    await site.activate("good")
    await site.activate("broken")
    await site.models.load_active()
    assert site.running == 1
    assert (await site.known(2)).failure
    assert await site.follow() == []


async def test_a_start_with_nothing_but_broken_ones_fails(site: Site) -> None:
    await site.activate("broken")
    with pytest.raises(ModelError, match="No registered model can be loaded"):
        await site.models.load_active()


async def test_another_machine_fetches_the_archive_and_mends_it(
    site: Site, archives: dict[str, Path]
) -> None:
    model = await site.activate("good")
    path = await site.library.path(model)
    assert path.read_bytes() == archives["good"].read_bytes()
    path.write_bytes(b"altered")
    assert (await site.library.path(model)).read_bytes() == archives["good"].read_bytes()
    near = ModelLibrary(site.database, [archives["good"].parent], site.cache)
    assert await near.path(model) == archives["good"], "what is here is not fetched"


async def test_a_replica_with_a_model_of_its_own_does_not_follow(
    site: Site, archives: dict[str, Path]
) -> None:
    await site.models.load_pinned(archives["other"])
    await site.activate("good")
    assert await site.follow() == []
    assert site.models.loaded == {"version": None, "file": "other.tar.gz"}
    async with site.database.read() as connection:
        (seen,) = await models.replicas(connection, utc_now())
    assert (seen.version, seen.file) == (None, "other.tar.gz")
    await site.models.stop()
    async with site.database.read() as connection:
        assert await models.replicas(connection, utc_now()) == []

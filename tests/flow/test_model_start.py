"""Which model a start uses: what an operator chose, else the one that fits the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.commands.model import settle_model
from bot.core.errors import ModelError
from bot.flow.model_library import ModelLibrary
from bot.model_files import MODELS, Project, remember
from bot.settings import Settings
from bot.store import models
from bot.store.database import Database
from bot.store.rows import utc_now
from tests.archives import small


@dataclass
class Assistant:
    """A folder with an assistant's files, on one machine."""

    database: Database
    root: Path
    state: Path

    def change(self, text: str) -> None:
        (self.root / "config.yml").write_text(f"language: {text}\n")

    def train(self) -> Path:
        """As `frontdesk train --no-register`, but for the learning."""
        project = Project(self.root, self.state)
        model = small(
            self.root / f"{project.digest()[:8]}.tar.gz", content=project.digest().encode()
        )
        remember(project, project.digest(), model)
        return model

    async def start(self) -> str:
        """The file of the model that `frontdesk serve` uses."""
        settings = Settings(project_dir=self.root, state_dir=self.state, model=None)
        model = await settle_model(settings, self.database)
        async with self.database.read() as connection:
            assert await models.active(connection) == model
        return model.file


@pytest.fixture
def assistant(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    monkeypatch.delenv("FRONTDESK_MODEL", raising=False)
    root = tmp_path / "assistant"
    root.mkdir()
    made = Assistant(database, root, tmp_path / "state")
    made.change("en")
    return made


async def test_it_is_the_one_that_fits_the_files(assistant: Assistant) -> None:
    english = assistant.train().name
    assert await assistant.start() == english
    assert await assistant.start() == english
    assistant.change("de")
    german = assistant.train().name
    assert await assistant.start() == german
    assistant.change("en")
    assert await assistant.start() == english, "files that went back go back to their model"


async def test_an_image_brings_its_model_and_follows_the_active_one(assistant: Assistant) -> None:
    brought = assistant.train()
    (assistant.root / MODELS).mkdir()
    (assistant.state / "model.json").rename(assistant.root / MODELS / "model.json")
    assistant.state.rmdir()
    assert await assistant.start() == brought.name
    other = small(assistant.root / "other.tar.gz", content=b"other")
    library = ModelLibrary(assistant.database, [assistant.root], assistant.state)
    added = await library.add(other)
    async with assistant.database.write() as connection:
        await models.activate(connection, added.version, utc_now())
    assert await assistant.start() == other.name, "a container that starts again keeps the choice"


async def test_what_an_operator_chose_outlasts_a_start_and_not_a_change_of_files(
    assistant: Assistant,
) -> None:
    english = assistant.train().name
    await assistant.start()
    assistant.change("de")
    assistant.train()
    await assistant.start()
    async with assistant.database.write() as connection:
        await models.rollback(connection, utc_now())
    assert await assistant.start() == english
    assistant.change("fr")
    french = assistant.train().name
    assert await assistant.start() == french


async def test_another_machine_with_the_same_files_trains_nothing(
    assistant: Assistant, tmp_path: Path
) -> None:
    trained = assistant.train().name
    await assistant.start()
    other = Assistant(assistant.database, assistant.root, tmp_path / "elsewhere")
    assert await other.start() == trained


async def test_a_broken_archive_is_not_registered(assistant: Assistant) -> None:
    assistant.train().write_bytes(b"broken")
    with pytest.raises(ModelError, match="broken"):
        await assistant.start()
    async with assistant.database.read() as connection:
        assert await models.listed(connection) == []


async def test_a_model_made_by_another_rasa_is_not_registered(
    database: Database, tmp_path: Path
) -> None:
    library = ModelLibrary(database, [], tmp_path)
    with pytest.raises(ModelError, match=r"made by Rasa 3\.5\.0"):
        await library.add(small(tmp_path / "old.tar.gz", "3.5.0"))

"""The assistant and its model, as commands that use a model see them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from bot.bootstrap import model_library
from bot.core.errors import ConfigurationError, ModelError
from bot.model_files import Project, current_model
from bot.settings import Settings
from bot.store import models
from bot.store.database import Database
from bot.store.models import Model
from bot.store.rows import utc_now

# Another replica trains: looked at again after so long.
_ELSEWHERE_SECONDS = 1.0


def project_of(settings: Settings) -> Project:
    """The assistant that these settings point at.

    Raises:
        ConfigurationError: There is none in this folder.
    """
    if not (settings.project_dir / "config.yml").exists():
        raise ConfigurationError(
            "config.yml",
            "is not in this folder",
            "Run frontdesk in the folder of the assistant.",
            str(settings.project_dir.resolve()),
        )
    return Project(settings.project_dir, settings.state_dir)


def trained_model(settings: Settings) -> Path:
    """The model that fits the files; trained by a process of its own, whose memory ends with it."""
    if settings.model is not None:
        if settings.model.exists():
            return settings.model
        raise ConfigurationError(
            "FRONTDESK_MODEL",
            "there is no such file",
            "Name a .tar.gz below models/.",
            settings.model,
        )
    project = project_of(settings)
    model = current_model(project)
    if model is None:
        Console(stderr=True).print("Training the model, since its data changed: about a minute.")
        command = [sys.executable, "-m", "bot.cli", "train", "--no-register"]
        if not _succeeds(command, settings.project_dir):
            raise ModelError("The model was not trained; the lines above say why.")
        model = current_model(project)
    if model is None:
        raise ModelError("The model's files changed while it was trained. Start again.")
    return model


def _succeeds(command: list[str], folder: Path) -> bool:
    return subprocess.run(command, cwd=folder, check=False).returncode == 0  # noqa: S603


async def settle_model(settings: Settings, database: Database) -> Model:
    """Makes sure that a model is active which suits the assistant's files, and gives it.

    That is the active one while the files are those for which it became so, whoever chose it; else
    the one that was made of the files. Where the database has none it is trained, by one replica.

    Raises:
        ConfigurationError: A file of the assistant is broken.
        ModelError: Training failed.
    """
    digest = project_of(settings).digest()
    while (settled := await _settled(database, digest)) is None:
        async with database.try_lock("train", digest) as session:
            if session is None:
                await asyncio.sleep(_ELSEWHERE_SECONDS)
            elif await _settled(database, digest) is None:
                path = await asyncio.to_thread(trained_model, settings)
                await model_library(settings, database).add(path, made_of=digest)
    return settled


async def _settled(database: Database, digest: str) -> Model | None:
    async with database.read() as connection:
        active = await models.active(connection)
        fitting = await models.made_of(connection, digest)
    if active is not None and active.chosen_for == digest:
        return active
    if fitting is None:
        return None
    async with database.write() as connection:
        return await models.activate(connection, fitting.version, utc_now(), digest)

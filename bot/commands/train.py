"""`frontdesk train`"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from rich.console import Console

from bot.bootstrap import model_library
from bot.commands.model import project_of
from bot.core.errors import StoreUnavailableError
from bot.dialogue.logs import quieten_rasa
from bot.model_files import current_model
from bot.settings import Settings
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.training import train

console = Console(stderr=True)


def run(settings: Settings, *, force: bool, register: bool, note: str) -> None:
    """Trains when it is needed, registers the model, and says what happened."""
    quieten_rasa(logging.ERROR)
    project = project_of(settings)
    model = current_model(project)
    if model is not None and not force:
        console.print(f"The model is up to date: {model}")
    else:
        started = time.monotonic()
        model = train(project, force=force)
        console.print(f"Trained {model} in {time.monotonic() - started:.0f} s.")
    if register:
        asyncio.run(_register(settings, model, project.digest(), note))


async def _register(settings: Settings, model: Path, made_of: str, note: str) -> None:
    database = Database(settings.database_url)
    try:
        await migrate(database)
        known = await model_library(settings, database).add(model, made_of=made_of, note=note)
    except StoreUnavailableError as error:
        # The training is not lost: a start registers the model that fits the files.
        console.print(f"The model is not registered: {error}.", style="yellow")
        return
    finally:
        await database.aclose()
    use = "in use" if known.active else f"frontdesk models activate {known.version} uses it"
    console.print(f"Registered as version {known.version}; {use}.")

"""`frontdesk train`"""

from __future__ import annotations

import logging
import time

from rich.console import Console

from bot.commands.model import project_of
from bot.dialogue.logs import quieten_rasa
from bot.model_files import current_model
from bot.settings import Settings
from bot.training import train


def run(settings: Settings, *, force: bool) -> None:
    """Trains when it is needed, and says what happened."""
    quieten_rasa(logging.ERROR)
    console = Console(stderr=True)
    project = project_of(settings)
    known = current_model(project)
    if known is not None and not force:
        console.print(f"The model is up to date: {known}")
        return
    started = time.monotonic()
    model = train(project, force=force)
    console.print(f"Trained {model} in {time.monotonic() - started:.0f} s.")

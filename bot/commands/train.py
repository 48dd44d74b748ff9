"""`frontdesk train`"""

from __future__ import annotations

import time

from rich.console import Console

from bot.core.errors import ConfigurationError
from bot.settings import Settings
from bot.training import Project, current_model, train


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


def run(settings: Settings, *, force: bool) -> None:
    """Trains when it is needed, and says what happened."""
    console = Console(stderr=True)
    project = project_of(settings)
    known = current_model(project)
    if known is not None and not force:
        console.print(f"The model is up to date: {known}")
        return
    started = time.monotonic()
    model = train(project, force=force)
    console.print(f"Trained {model} in {time.monotonic() - started:.0f} s.")

"""The assistant and its model, as commands that use a model see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console

from bot.core.errors import ConfigurationError, ModelError
from bot.model_files import Project, current_model
from bot.settings import Settings


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
        command = [sys.executable, "-m", "bot.cli", "train"]
        if not _succeeds(command, settings.project_dir):
            raise ModelError("The model was not trained; the lines above say why.")
        model = current_model(project)
    if model is None:
        raise ModelError("The model's files changed while it was trained. Start again.")
    return model


def _succeeds(command: list[str], folder: Path) -> bool:
    return subprocess.run(command, cwd=folder, check=False).returncode == 0  # noqa: S603

"""The model of stock Rasa: the assistant's own domain and data, Rasa's default config.yml."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from bot.benchmarking.processes import end_of
from bot.benchmarking.stock.environment import Environment, variables
from bot.core.errors import ModelError
from bot.model_files import Project

_DEFAULT = "engine/recipes/config_files/default_config.yml"


def default_config(epochs: int) -> dict[str, Any]:
    """What Rasa trains for a config.yml that names no pipeline and no policies.

    Args:
        epochs: Of each component that learns in epochs.
    """
    # The package is found, not imported: that would take seconds.
    found = importlib.util.find_spec("rasa")
    folder = Path(next(iter(found.submodule_search_locations or ()))) if found else Path()
    config: dict[str, Any] = yaml.safe_load((folder / _DEFAULT).read_text(encoding="utf-8"))
    for component in [*config["pipeline"], *config["policies"]]:
        if "epochs" in component:
            component["epochs"] = epochs
    return config | {"assistant_id": "stock-rasa"}


def digest(project: Project, config: dict[str, Any], rasa: str) -> str:
    """Changes when something that decides what the model becomes does."""
    hashed = hashlib.sha256(f"{rasa}\0{yaml.safe_dump(config)}".encode())
    for path in [project.root / "domain.yml", *sorted((project.root / "data").rglob("*.yml"))]:
        hashed.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()


def trained(project: Project, environment: Environment, epochs: int) -> Path:
    """The model; trained by `rasa train` when there is none of these files yet.

    Args:
        project: The assistant; the model is kept in its state folder.
        environment: Stock Rasa.
        epochs: Of DIET, TED and their like.

    Raises:
        ModelError: The training failed; quotes the end of what it printed.
    """
    config = default_config(epochs)
    name = digest(project, config, environment.versions["rasa"])[:16]
    models = project.state.resolve() / "stock-rasa"
    if not (model := models / f"{name}.tar.gz").exists():
        models.mkdir(parents=True, exist_ok=True)
        _train(project.root.resolve(), environment, config, model)
    return model


def _train(root: Path, environment: Environment, config: dict[str, Any], model: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        folder = Path(name)
        (folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
        command = [
            environment.rasa, "train", "--config", "config.yml",
            "--domain", str(root / "domain.yml"), "--data", str(root / "data"),
            "--out", "models", "--fixed-model-name", model.name,
        ]  # fmt: skip
        printed = folder / "train.log"
        with printed.open("wb") as log:
            done = subprocess.run(  # noqa: S603
                command, cwd=folder, env=variables(), stdout=log, stderr=log, check=False
            )
        made = folder / "models" / model.name
        if done.returncode or not made.exists():
            raise ModelError(f"stock Rasa was not trained:\n{end_of(printed)}")
        # Moved whole: another run may look for it now.
        partial = model.with_suffix(".partial")
        partial.write_bytes(made.read_bytes())
        partial.replace(model)

"""Which model fits the assistant's files: known without importing what trains it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path

MODELS = "models"
_RECORD = "model.json"


@dataclass(frozen=True, slots=True)
class Project:
    """The files a model is made of.

    Args:
        root: The folder of `config.yml`.
        state: Where the record of the last training is kept.
    """

    root: Path
    state: Path

    @property
    def inputs(self) -> list[Path]:
        """All files that decide what the model becomes."""
        code = Path(__file__).parent / "nlu"
        # In an order that does not depend on where a machine keeps the files.
        return [
            *sorted(code.rglob("*.py")),
            self.root / "config.yml",
            *sorted((self.root / "data").rglob("*.yml")),
            self.root / "domain.yml",
        ]

    def digest(self) -> str:
        """Changes when one of the inputs, Rasa or Frontdesk's components change."""
        hashed = hashlib.sha256(importlib.metadata.version("rasa").encode())
        for path in self.inputs:
            if path.exists():
                hashed.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return hashed.hexdigest()


def current_model(project: Project) -> Path | None:
    """The model that was trained from the files as they are; None when there is none.

    The record of a training is in the state folder. An image has none: what it brings says so
    beside the model.
    """
    for record in (project.state / _RECORD, project.root / MODELS / _RECORD):
        try:
            known = json.loads(record.read_text())
            model = Path(known["model"])
            digest = str(known["digest"])
        except (OSError, ValueError, KeyError):
            continue
        if digest == project.digest() and model.exists():
            return model
    return None


def newest_model(project: Project) -> Path | None:
    """The last model that was trained, whatever became of the files since."""
    found = sorted((project.root / MODELS).glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def remember(project: Project, digest: str, model: Path) -> None:
    """Notes what a model was made of, for `current_model`."""
    project.state.mkdir(parents=True, exist_ok=True)
    record = {"digest": digest, "model": str(model)}
    (project.state / _RECORD).write_text(json.dumps(record))

"""The environment of Rasa as it is released: its own Python, its own pins, the real TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import ConfigurationError

ENVIRONMENT = ".venv-stock-rasa"
_CODE = Path(__file__).parent.parent.parent.parent
_MAKE_IT = "Make it with `make stock-rasa` (Python 3.8 to 3.10), then run this again."
_PACKAGES = ("rasa", "rasa-sdk", "tensorflow", "numpy", "sqlalchemy", "sanic")
_ASK_VERSIONS = (
    "import importlib.metadata as m, json, platform, sys; print(json.dumps("
    "{'python': platform.python_version(), **{name: m.version(name) for name in sys.argv[1:]}}))"
)
# What belongs to the environment that this process runs in.
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Environment:
    """An installation of stock Rasa.

    Attributes:
        folder: The virtual environment.
        versions: Of Python and the libraries that count.
    """

    folder: Path
    versions: dict[str, str]

    @property
    def rasa(self) -> str:
        """The command `rasa`."""
        return str(self.folder / "bin" / "rasa")

    @classmethod
    def find(cls) -> Environment:
        """In this folder or beside the code.

        Raises:
            ConfigurationError: It is not there, or does not work.
        """
        for parent in (Path.cwd(), _CODE):
            python = parent / ENVIRONMENT / "bin" / "python"
            if python.exists():
                return cls(parent / ENVIRONMENT, _versions(python))
        raise ConfigurationError("stock-rasa", f"there is no environment {ENVIRONMENT}", _MAKE_IT)


def _versions(python: Path) -> dict[str, str]:
    asked = subprocess.run(  # noqa: S603
        [str(python), "-c", _ASK_VERSIONS, *_PACKAGES],
        capture_output=True, text=True, check=False, env=variables(),
    )  # fmt: skip
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or ["no word why"])[-1]
        raise ConfigurationError("stock-rasa", f"{ENVIRONMENT} does not work: {said}", _MAKE_IT)
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def variables() -> dict[str, str]:
    """The variables of its processes: those of this one, and no usage reporting."""
    own = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    return own | {"RASA_TELEMETRY_ENABLED": "false"}

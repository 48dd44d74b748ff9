"""Loading a command's module: Rasa alone takes seconds to import."""

from __future__ import annotations

import gc
import importlib
import warnings
from typing import Any


def quieten_imports() -> None:
    """Silences what libraries say about themselves while they are imported."""
    # pkg_resources warns at import that it will go; Rasa 3.6 needs it, and setuptools is pinned.
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def command(name: str) -> Any:
    """The module ``bot.commands.<name>``."""
    # Thousands of modules are made and none is garbage: looking for it is a tenth of the time.
    gc.disable()
    module = importlib.import_module(f"bot.commands.{name}")
    gc.freeze()
    gc.enable()
    return module

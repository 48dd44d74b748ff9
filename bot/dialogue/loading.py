"""Loading a model so that a broken one is found before it answers a customer."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasa.utils.endpoints import EndpointConfig

from bot.core.errors import ModelError
from bot.dialogue.action_endpoint import InProcessActions
from bot.dialogue.archive import inspect
from bot.dialogue.brain import Brain
from bot.store.database import Database

# Ordinary, unreadable and long: what is heard only has to be read without an error. They also fill
# what a model makes at its first message, so that no customer waits for it.
_REHEARSAL = ("hello", "where is my order?", "qwxz vbnk", "I want to talk to a human " * 10)

_SWITCH_SECONDS = 0.0005


def load_beside(path: Path, sha256: str, database: Database, actions: EndpointConfig) -> Brain:
    """As `load_checked`, in a thread beside running turns."""
    with _short_waits():
        return load_checked(path, sha256, database, actions)


def load_checked(path: Path, sha256: str, database: Database, actions: EndpointConfig) -> Brain:
    """Checks an archive, loads it, and tries it.

    Args:
        sha256: The digest that the archive must have.

    Raises:
        ModelError: It is altered, broken, of another Rasa, answers nothing, or needs actions that
            this process does not have.
    """
    inspect(path, sha256)
    try:
        brain = Brain.load(path, database, actions)
        _check_actions(brain, actions)
        for text in _REHEARSAL:
            asyncio.run(brain.rehearse(text))
    except ModelError:
        raise
    except Exception as error:
        # A broken model raises whatever its components do; none of it is a customer's text.
        raise ModelError(
            f"The model {path.name} does not answer ({type(error).__name__}: {error})."
        ) from error
    return brain


def _check_actions(brain: Brain, actions: EndpointConfig) -> None:
    if not isinstance(actions, InProcessActions):
        return  # what a server offers is not known
    missing = sorted(brain.custom_actions - actions.action_names)
    if missing:
        raise ModelError(
            f"The model needs actions that this process does not have: {', '.join(missing[:5])}. "
            "Start it again with the new actions/ first."
        )


@contextmanager
def _short_waits() -> Iterator[None]:
    """Makes a thread that only computes give up the interpreter sooner.

    A turn waits for the database some dozens of times, and each time for the interpreter too, up to
    this interval. Shorter ones gain nothing more (measured: python -m benchmarks.model_swaps).
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def give_back_memory() -> None:
    """Collects what a dropped model leaves, and returns free memory to the operating system."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)

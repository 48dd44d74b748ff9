"""Loading a command's module: Rasa alone takes seconds to import."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import warnings
from typing import Any

# Of glibc's malloc.h, and the threshold with which it begins.
_M_MMAP_THRESHOLD, _LARGE_BYTES = -3, 128 * 1024


def quieten_imports() -> None:
    """Silences what libraries say about themselves while they are imported."""
    # pkg_resources warns at import that it will go; Rasa 3.6 needs it, and setuptools is pinned.
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def one_numeric_thread() -> None:
    """Keeps numpy to the calling thread, in this process and those that it starts.

    Must be called before numpy is imported. For one message its other threads do nothing but wait
    for work, busily: a fifth of a server's processor time.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def return_large_memory() -> None:
    """Has glibc give large pieces of memory back to the operating system as soon as they are free.

    By itself it soon takes them from the heap, where what lies behind them keeps them: a process
    that changes its model would grow by some megabytes each time, for ten times or so.
    """
    set_option = getattr(
        ctypes.CDLL(None), "mallopt", None
    )  # glibc has it, musl and macOS have not
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def command(name: str) -> Any:
    """The module ``bot.commands.<name>``."""
    # Thousands of modules are made and none is garbage: looking for it is a tenth of the time.
    gc.disable()
    module = importlib.import_module(f"bot.commands.{name}")
    gc.freeze()
    gc.enable()
    return module

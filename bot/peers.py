"""The workers of one machine, and where each answers alone."""

from __future__ import annotations

import os
import socket
from pathlib import Path


class Peers:
    """A folder with one file for each worker: named after its process, with its own local port.

    Args:
        folder: Made by the process that watches over the workers, readable by it alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def announce(self) -> socket.socket:
        """A socket of this worker's own, on which the others reach it."""
        own = socket.socket()
        own.bind(("127.0.0.1", 0))
        file = self._folder / str(os.getpid())
        # Whole or not at all: the others read it at any time.
        unfinished = file.with_suffix(".new")
        unfinished.write_text(str(own.getsockname()[1]))
        unfinished.replace(file)
        return own

    def others(self) -> list[int]:
        """The ports of all but this worker; one that just died may be among them."""
        ports = []
        for file in sorted(self._folder.iterdir()):
            if file.name.isdecimal() and file.name != str(os.getpid()):
                ports.append(int(file.read_text()))
        return ports

    def forget(self, process: int) -> None:
        """Takes a dead worker out."""
        (self._folder / str(process)).unlink(missing_ok=True)

"""A real process whose disk fills up: it acknowledges nothing that is not stored, and goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Visitor, running
from tests.scenarios.test_readiness import readiness, until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB; the test is left out where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("file systems can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_messages_and_loses_none(small_disk: Path) -> None:
    with running(small_disk, forked=True) as server, Visitor(server.url) as visitor:
        assert visitor.send("when are you open?", identifier="before") == 202
        assert visitor.read()
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            piece = bytes(64 * 1024)
            try:
                while file.write(piece) == len(piece):
                    pass
            except OSError:
                pass
        assert shutil.disk_usage(small_disk).free == 0
        # SQLite has some room left in the files that it has already.
        until(lambda: visitor.send("x" * 4000, identifier="filling") == 503)
        until(lambda: readiness(server) == (503, ["the database cannot be written"]))
        assert visitor.send("how can I pay?", identifier="again") == 503
        filler.unlink()
        until(lambda: readiness(server) == (200, []))
        assert visitor.send("how can I pay?", identifier="again") == 202
        assert visitor.read()

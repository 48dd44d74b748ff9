"""Real processes for scenario tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Server, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Frontdesk on SQLite with the demo shop, for the tests of a module."""
    folder: Path = tmp_path_factory.mktemp("frontdesk")
    with running(folder, forked=True) as started:
        yield started

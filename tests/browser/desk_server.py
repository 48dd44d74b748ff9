"""Starts `tests.browser.desk_app` in a process of its own, and talks to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.desk_office import PASSWORD

ROOT = Path(__file__).parent.parent.parent


@dataclass
class DeskServer:
    """A running desk. ``Sam`` and ``Alex`` can log in."""

    url: str

    def customer(self, what: str, **arguments: Any) -> Any:
        """Lets something happen on the customers' side; see `desk_app`."""
        response = httpx.post(f"{self.url}/customer/{what}", json=arguments, timeout=30)
        response.raise_for_status()
        return response.json()

    def waiting(self, sender: str, text: str, **arguments: Any) -> str:
        """A customer who waits for a human; returns the conversation's id."""
        conversation = str(self.customer("writes", sender=sender, text=text, **arguments))
        self.customer("handed-over", conversation=conversation)
        return conversation

    def log_in(self, client: httpx.Client, name: str = "sam", password: str = PASSWORD) -> Any:
        """The answer to a login with the form."""
        form = {"email": f"{name}@shop.example", "password": password}
        return client.post("/desk/login", data=form, headers={"origin": self.url})


@contextmanager
def serve_desk(folder: Path) -> Iterator[DeskServer]:
    """A desk on an empty database and the demo shop."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.desk_app", str(folder)],
        cwd=ROOT,
        # pytest's own variables would make the pages believe that they run inside a test.
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), "the desk did not start; its output stands above"
        yield DeskServer(url)
    finally:
        process.terminate()
        process.communicate(timeout=20)

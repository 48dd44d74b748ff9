"""Frontdesk as its users run it: a process of its own, on a free port, with its own state."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.model_files import Project, current_model, remember

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["bot.commands.preloaded"])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trained_model() -> Path:
    """The assistant's model, trained when its files changed."""
    if os.environ.get("FRONTDESK_MODEL"):
        return Path(os.environ["FRONTDESK_MODEL"]).resolve()
    shared = Project(ROOT, ROOT / ".frontdesk")
    if current_model(shared) is None:
        # In a process of its own, as `frontdesk serve` does it.
        subprocess.run([sys.executable, "-m", "bot.cli", "train"], cwd=ROOT, check=True)
    found = current_model(shared)
    assert found is not None, "the assistant's files change while the tests run"
    return (ROOT / found).resolve()


def prepared_state(folder: Path) -> Path:
    """A state folder of a test's own."""
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    return state


class Forked:
    """`frontdesk`, forked from a process that has imported the libraries; used as a Popen is.

    A server whose database is there is ready after 3 seconds of processor time when it is forked,
    and after 7 else. To everything else it is a process of its own: its own environment, modules
    of ours and end.

    Args:
        arguments: What stands behind ``frontdesk``.
        environment: All variables.
        printed: The file to which it appends what it prints.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], printed: Path
    ) -> None:
        self._process = _forking.Process(
            target=_frontdesk, args=(list(arguments), dict(environment), printed), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with, negative by a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same, when it has ended; raises subprocess.TimeoutExpired when it does not."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("frontdesk", timeout or 0.0)
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Does nothing when it has ended."""
        if self.returncode is None:
            os.kill(self.pid, sig)


def _frontdesk(arguments: list[str], environment: dict[str, str], printed: Path) -> None:
    """In the fork: what `python -m bot.cli` does."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    with printed.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.argv = ["frontdesk", *arguments]
    importlib.import_module("bot.cli").main()


@dataclass
class Server:
    """One running `frontdesk serve`.

    Attributes:
        forked: Its process is forked from one that has the libraries, for tests that start many
            and are not about the start.
        follows: It runs the active model of the registry, and not one file.
        model: The model to start with; the assistant's own by default.
    """

    state: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    follows: bool = False
    model: Path | None = None
    forked: bool = False
    process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it printed so far."""
        return (self.state / "server.log").read_text(errors="replace")

    def start(self, **environment: str) -> None:
        """Starts the process; it is not ready yet."""
        variables = os.environ | self.environment | environment
        variables |= {
            "FRONTDESK_STATE_DIR": str(self.state),
            "FRONTDESK_PORT": str(self.port),
            "FRONTDESK_MODEL": str(self.model or trained_model()),
            "PYTHONUNBUFFERED": "1",
        }
        if self.follows:
            model = Path(variables.pop("FRONTDESK_MODEL"))
            project = Project(ROOT, self.state)
            remember(project, project.digest(), model)
        if self.forked:
            self.process = Forked(["serve"], variables, self.state / "server.log")
            return
        with (self.state / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve"],
                cwd=ROOT,
                env=variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self) -> None:
        """Returns when ``/readyz`` says ready; fails with the log when the process ends."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"it ended:\n{self.log}"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready after {START_SECONDS} s:\n{self.log}")

    def wait_end(self, seconds: float = 30.0) -> int:
        """The exit code, when the process has ended by itself."""
        assert self.process is not None
        return self.process.wait(timeout=seconds)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait_end()

    @property
    def login(self) -> dict[str, str]:
        """The demo agent's e-mail and password."""
        found: dict[str, str] = json.loads((self.state / "demo_login.json").read_text())
        return found


@contextmanager
def running(folder: Path, *, forked: bool = False, **environment: str) -> Iterator[Server]:
    """A server that is ready; stopped and removed afterwards."""
    server = Server(prepared_state(folder), free_port(), environment, forked=forked)
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(server.state, ignore_errors=True)


class Visitor:
    """A customer at the web chat, by its HTTP interface."""

    def __init__(self, url: str) -> None:
        session = httpx.post(f"{url}/webhooks/webchat/session", timeout=10).json()
        self._http = httpx.Client(base_url=url, timeout=10)
        self.token, self.conversation = session["token"], session["conversation"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        self._sent = 0
        self.seen = 0

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, text: str, button: str | None = None, identifier: str | None = None) -> int:
        """Sends one message; returns the HTTP status."""
        self._sent += 1
        body = {"id": identifier or f"m{self._sent}", "text": text}
        if button:
            body["button"] = button
        return self._http.post("/webhooks/webchat/messages", json=body).status_code

    def messages(self, after: int = 0) -> list[dict[str, object]]:
        """The conversation as the customer reads it."""
        answer = self._http.get("/webhooks/webchat/messages", params={"after": after})
        found: list[dict[str, object]] = answer.json()["messages"]
        return found

    def read(self, seconds: float = 15.0) -> list[dict[str, object]]:
        """Waits for new messages from the shop, and a moment longer for those that follow."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._new():
                time.sleep(0.4)
                found = self._new()
                self.seen = max(int(str(m["seq"])) for m in found)
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing new after {seconds} s: {self.messages()}")

    def _new(self) -> list[dict[str, object]]:
        return [m for m in self.messages(self.seen) if m["author"] != "customer"]

    def ask(self, text: str, button: str | None = None) -> str:
        """Sends, and reads the answer as one text."""
        assert self.send(text, button) == 202
        return "\n".join(str(m["text"]) for m in self.read())

"""The process that watches over workers: real ones that end, go on, and will not end."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import pytest

from bot.commands import supervise
from bot.commands.supervise import Supervisor

_spawning = multiprocessing.get_context("spawn")


class Started:
    """The processes that were started, and those that were told to be dead."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.processes: list[BaseProcess] = []
        self.dead: list[int] = []

    def start(self) -> BaseProcess:
        """Starts one more."""
        process = _spawning.Process(target=self._work)
        process.start()
        self.processes.append(process)
        return process


def ends_at_once() -> None:
    """A worker that cannot run."""


def goes_on() -> None:
    """A worker that runs until SIGTERM."""
    time.sleep(60)


def will_not_end() -> None:
    """A worker that SIGTERM does not end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(60)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(supervise, "_LOOK_SECONDS", 0.05)


def test_one_that_keeps_dying_is_started_after_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = Started(ends_at_once)
    enough = lambda: len(started.processes) == 4  # noqa: E731
    with caplog.at_level(logging.WARNING):
        Supervisor(started.start, started.dead.append, 1, enough).run()
    pauses = [float(record.getMessage().split()[-2]) for record in caplog.records]
    assert pauses == [0.01, 0.02, 0.04]
    assert len(started.dead) == 3


def test_all_end_with_it() -> None:
    started = Started(goes_on)
    Supervisor(started.start, started.dead.append, 3, lambda: len(started.processes) == 3).run()
    assert [process.exitcode for process in started.processes] == [-signal.SIGTERM] * 3


def test_one_that_will_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervise, "STOP_SECONDS", 0.2)
    started = Started(will_not_end)
    Supervisor(
        started.start, started.dead.append, 1, lambda: "deaf" in capfd.readouterr().out
    ).run()
    assert [process.exitcode for process in started.processes] == [-signal.SIGKILL]

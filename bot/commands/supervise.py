"""`frontdesk serve --workers N`: processes that share one port, and one that watches over them.

The watching process imports neither Rasa nor a model. What must happen once (migrations, training,
the demo shop) is done by a process of its own before the first worker starts. All are forked from
one that has imported the libraries: that saves seconds at each start, and memory.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from bot.commands.loading import command, quieten_imports, return_large_memory
from bot.commands.port import listen
from bot.core.errors import ConfigurationError, FrontdeskError
from bot.monitoring.logs import configure_logs
from bot.monitoring.metrics import SHARED_FOLDER
from bot.peers import Peers
from bot.settings import Settings

logger = logging.getLogger(__name__)

# Workers end their turns within this; what is killed after it is done again by another.
STOP_SECONDS = 25.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
# One that lived so long did not fail at its start.
_LONG_LIFE = 60.0
_LOOK_SECONDS = 0.5
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["bot.commands.preloaded"])


def run(settings: Settings) -> None:
    """Prepares once, then keeps `settings.workers` processes running until it is told to stop.

    Raises:
        ConfigurationError: The database is SQLite, or another setting is wrong.
        FrontdeskError: The preparation failed.
    """
    if settings.database_url.startswith("sqlite"):
        raise ConfigurationError(
            "FRONTDESK_WORKERS",
            "an SQLite file belongs to one process",
            "Use one worker, or set FRONTDESK_DATABASE_URL to a PostgreSQL database.",
            settings.workers,
        )
    as_json = configure_logs()
    stop = _StopSignal()
    with (
        listen(settings) as listener,
        tempfile.TemporaryDirectory(prefix="frontdesk-metrics-") as figures,
        tempfile.TemporaryDirectory(prefix="frontdesk-workers-") as ports,
    ):
        peers = Peers(Path(ports))
        # Before the workers import the library of metrics, which reads it then.
        os.environ[SHARED_FOLDER] = figures
        if not _prepared(settings, stop):
            return

        def start() -> BaseProcess:
            process = _forking.Process(target=_work, args=(settings, listener, peers))
            process.start()
            return process

        Supervisor(start, partial(_forget, peers), settings.workers, lambda: stop.came).run()
    if not as_json:
        print("Stopped.", file=sys.stderr)


class _StopSignal:
    """Whether SIGTERM or SIGINT came."""

    def __init__(self) -> None:
        self.came = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True


def _prepared(settings: Settings, stop: _StopSignal) -> bool:
    """Puts everything in place; False when it was told to stop."""
    ours, theirs = _forking.Pipe(duplex=False)
    process = _forking.Process(target=_prepare, args=(settings, theirs))
    process.start()
    theirs.close()
    while not wait([process.sentinel, ours], _LOOK_SECONDS):
        if stop.came:
            process.terminate()
    try:
        problem = ours.recv()
    except EOFError:
        problem = "" if stop.came else "The preparation ended; see above."
    process.join()
    if problem:
        raise FrontdeskError(problem)
    return not stop.came


def _prepare(settings: Settings, result: Connection) -> None:
    """In a process of its own: sends what was wrong, or an empty text."""
    quieten_imports()
    try:
        command("serve").prepare(settings)
        result.send("")
    except FrontdeskError as error:
        # As text: the errors' own arguments are lost on the way between processes.
        result.send(str(error))


def _work(settings: Settings, listener: socket.socket, peers: Peers) -> None:
    """In a worker: serves until it is told to stop, or until the watching process is gone."""
    # Ctrl-C reaches every process of the terminal; the watching one passes it on as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quieten_imports()
    return_large_memory()
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    command("serve").work(settings, listener, peers)


def _follow(parent: int) -> None:
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True)
class _Place:
    """One of the workers, through all its lives.

    Attributes:
        process: None while it waits for its next start.
        failures: Short lives in a row.
        due: When it is started next; a monotonic time.
    """

    number: int
    process: BaseProcess | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0


class Supervisor:
    """Keeps processes running.

    Args:
        start: Starts one.
        forget: Told the id of one that died.
        count: How many.
        stopping: Whether it is time to end.
    """

    def __init__(
        self,
        start: Callable[[], BaseProcess],
        forget: Callable[[int], None],
        count: int,
        stopping: Callable[[], bool],
    ) -> None:
        self._start, self._forget, self._stopping = start, forget, stopping
        self._places = [_Place(number) for number in range(1, count + 1)]

    def run(self) -> None:
        """Returns when it was told to stop and every worker has ended."""
        try:
            while not self._stopping():
                self._start_due()
                running = [place.process.sentinel for place in self._places if place.process]
                if running:
                    wait(running, _LOOK_SECONDS)
                else:
                    time.sleep(_LOOK_SECONDS)
                self._note_deaths()
        finally:
            self._end_all()

    def _start_due(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if place.process is None and place.due <= now and not self._stopping():
                place.process, place.started = self._start(), now

    def _note_deaths(self) -> None:
        now = time.monotonic()
        for place in self._places:
            process = place.process
            if process is None or process.is_alive():
                continue
            place.failures = 0 if now - place.started > _LONG_LIFE else place.failures + 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** max(0, place.failures - 1))
            place.process, place.due = None, now + pause
            if not self._stopping():
                logger.warning(
                    "worker %d ended with %s; it is started again in %g s",
                    place.number,
                    process.exitcode,
                    pause,
                )
            if process.pid is not None:
                self._forget(process.pid)
            process.close()

    def _end_all(self) -> None:
        """Passes SIGTERM on, waits, and kills what does not end."""
        running = [place.process for place in self._places if place.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
        _kill([process for process in running if process.is_alive()])


def _kill(late: Sequence[BaseProcess]) -> None:
    for process in late:
        logger.error("a worker did not end within %g s and is killed", STOP_SECONDS)
        process.kill()
        process.join()


def _forget(peers: Peers, process: int) -> None:
    """Takes a dead worker's port and its present figures out; what it counted stays."""
    peers.forget(process)
    mark_process_dead(process)  # type: ignore[no-untyped-call]

"""What a change of the model costs a running `frontdesk serve`: memory, and how late answers are.

.venv/bin/python -m benchmarks.model_swaps models/NAME.tar.gz

Half an hour of load, with a change every minute and a half:

.venv/bin/python -m benchmarks.model_swaps models/NAME.tar.gz --swaps 20 --rest 86 \\
    --rate 55 --quiet 120
"""

from __future__ import annotations

import asyncio
import itertools
import math
import statistics
import string
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import psutil
import typer
from sqlalchemy import select

from bot.core.transcript import Event
from bot.flow.hub import announce
from bot.flow.model_library import ModelLibrary
from bot.flow.models import TOPIC
from bot.store import models
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now
from tests.archives import saying
from tests.process import Server, free_port, prepared_state

QUESTIONS = (
    "hello",
    "what are your opening hours in leeds",
    "how much is delivery",
    "thanks",
    "how can i pay, my name is {name}",
    "are you a robot, {name}",
)
# Each writes seldom enough for the web chat's limit.
_SECONDS_BETWEEN = 4.0
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Span:
    """When a model was being changed, in seconds since 1970."""

    start: float
    end: float


class Customers(threading.Thread):
    """Writes at a steady rate, each message in the next of many conversations of six questions."""

    def __init__(self, url: str, rate: float) -> None:
        super().__init__(daemon=True)
        self._url, self._pause, self.over = url, 1 / rate, threading.Event()
        self._visitors = max(60, math.ceil(rate * _SECONDS_BETWEEN))
        self.refused = 0

    def run(self) -> None:
        """Writes until `over` is set."""
        with httpx.Client(base_url=self._url, timeout=30) as client:
            tokens = [_visitor(client) for _ in range(self._visitors)]
            due = time.monotonic()
            for number in itertools.count():
                if self.over.is_set():
                    return
                token = tokens[number % self._visitors]
                # Nobody asks anything twice: that would bring a human.
                place, asked = number % self._visitors, number // self._visitors % len(QUESTIONS)
                if number >= self._visitors and asked == 0:
                    token = tokens[place] = _visitor(client)
                body = {"id": str(number), "text": QUESTIONS[asked].format(name=_name(number))}
                headers = {"Authorization": f"Bearer {token}"}
                answer = client.post("/webhooks/webchat/messages", json=body, headers=headers)
                self.refused += answer.status_code != 202
                due += self._pause
                time.sleep(max(0.0, due - time.monotonic()))


def _name(number: int) -> str:
    """A word that nobody else writes: what remembers words grows with the customers."""
    letters = string.ascii_lowercase
    return "q" + "".join(letters[number // 26**place % 26] for place in range(5))


def _visitor(client: httpx.Client) -> str:
    """The token of a new conversation."""
    token: str = client.post("/webhooks/webchat/session").json()["token"]
    return token


def main(
    model: Annotated[Path, typer.Argument(help="A trained model of the assistant")],
    swaps: Annotated[int, typer.Option(min=1, help="How many changes")] = 10,
    rate: Annotated[float, typer.Option(min=0.1, help="Messages a second")] = 10.0,
    quiet: Annotated[float, typer.Option(help="Seconds before the first change")] = 30.0,
    rest: Annotated[float, typer.Option(help="Seconds after each change")] = 3.0,
    database: Annotated[
        str | None, typer.Option(help="An empty postgresql://…; a new SQLite file without")
    ] = None,
) -> None:
    """Prints resident memory after each change, and how late answers are with and without."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(prepared_state(Path(folder)), free_port())
        url = database or f"sqlite:///{server.state}/frontdesk.db"
        server.environment["FRONTDESK_DATABASE_URL"] = url
        first = model.resolve()
        server.follows, server.model = True, first
        second = saying(first, Path(folder) / "second.tar.gz", "utter_greet", "Hello again.")
        server.start()
        server.wait_ready()
        try:
            asyncio.run(measure(server, [second, first], swaps, rate, quiet, rest))
        finally:
            server.stop()


async def measure(
    server: Server, archives: list[Path], swaps: int, rate: float, quiet: float, rest: float
) -> None:
    """Changes between the archives while customers write, and prints what was seen."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    database = Database(server.environment["FRONTDESK_DATABASE_URL"])
    library = ModelLibrary(database, [], server.state / "models")
    versions = [(await library.add(path)).version for path in archives]
    customers = Customers(server.url, rate)
    customers.start()
    await asyncio.sleep(quiet)
    print(f"before: {process.memory_info().rss / 1e6:.0f} MB resident")
    spans, peaks = [], []
    for number in range(swaps):
        span, peak = await change(database, server, versions[number % 2], process)
        spans.append(span)
        peaks.append(peak)
        await asyncio.sleep(rest)
        print(
            f"change {number + 1}: {span.end - span.start:.1f} s until in use, "
            f"at most {peak:.0f} MB, then {process.memory_info().rss / 1e6:.0f} MB",
            flush=True,
        )
    customers.over.set()
    customers.join()
    await asyncio.sleep(_SECONDS_BETWEEN)
    await report(database, spans, customers.refused)
    await database.aclose()


async def change(
    database: Database, server: Server, version: int, process: psutil.Process
) -> tuple[Span, float]:
    """Activates a version; returns when it was changed, and the most MB meanwhile."""
    start, peak = time.time(), 0.0
    async with database.write() as connection:
        await models.activate(connection, version, utc_now())
    await announce(database, Event(TOPIC, "state"))
    async with httpx.AsyncClient(base_url=server.url) as client:
        while time.time() - start < _PATIENCE_SECONDS:
            peak = max(peak, process.memory_info().rss / 1e6)
            if (await client.get("/readyz")).json()["model"]["version"] == version:
                return Span(start, time.time()), peak
            await asyncio.sleep(0.1)
    raise TimeoutError(f"not changed after {_PATIENCE_SECONDS:.0f} s:\n{server.log}")


async def report(database: Database, spans: list[Span], refused: int) -> None:
    """Prints how late answers were, while a model was changed and otherwise."""
    asked, said = t.message.alias(), t.message.alias()
    query = (
        select(asked.c.id, asked.c.status, asked.c.created_at, said.c.created_at)
        .join(said, (said.c.turn_id == asked.c.turn_id) & (said.c.author == "bot"), isouter=True)
        .where(asked.c.author == "customer")
    )
    async with database.read() as connection:
        rows = {row[0]: row[1:] for row in await connection.execute(query)}
    late: dict[bool, list[float]] = {True: [], False: []}
    for _, at, answered in rows.values():
        if answered is not None:
            # What is collected of the old model comes just after the change.
            during = any(s.start <= at.timestamp() <= s.end + 0.5 for s in spans)
            late[during].append((answered - at).total_seconds() * 1000)
    waiting = sum(status == "received" for status, _, _ in rows.values())
    human = sum(answered is None for _, _, answered in rows.values()) - waiting
    print(f"{len(rows)} messages, {waiting} lost, {human} left to a human, {refused} refused")
    for during, name in ((False, "otherwise"), (True, "while changing")):
        cuts = statistics.quantiles(late[during], n=100)
        print(
            f"{name}: {len(late[during])} answers, p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, "
            f"p99 {cuts[98]:.0f} ms, longest {max(late[during]):.0f} ms"
        )


if __name__ == "__main__":
    typer.run(main)

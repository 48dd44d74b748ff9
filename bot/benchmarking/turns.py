"""How many turns a server does, how soon, and what they cost."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np
from sqlalchemy import inspect

from bot.benchmarking.customer import QUESTIONS, Times, UnansweredError, Visiting, visiting
from bot.benchmarking.long import Lengthen, Long, lengthen, long_conversation
from bot.benchmarking.processes import Server
from bot.benchmarking.server import Launch, serving
from bot.core.errors import ConfigurationError
from bot.store.database import Database

_WARM_UP_ROUNDS = 3

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of times, in milliseconds; None where nothing was measured."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Percentiles:
        """From times in seconds."""
        if not seconds:
            return cls(None, None, None)
        found = np.quantile(seconds, (0.5, 0.95, 0.99)) * 1000
        return cls(*(float(value) for value in found))


@dataclass(frozen=True, slots=True)
class Level:
    """What one number of customers at once gave.

    Attributes:
        concurrent: How many customers wrote at once.
        messages: How many messages were answered.
        errors: Reason and number of those that were not; their conversation ended there.
        seconds: All in, with the opening of conversations.
        acknowledged: From sending to the HTTP response; empty where that is the answer itself.
        answered: From sending to the bot's answer.
        cpu_seconds: Of the server's processes.
        resident_mb: Of the server's processes, after it.
    """

    concurrent: int
    messages: int
    errors: dict[str, int]
    seconds: float
    acknowledged: Percentiles
    answered: Percentiles
    cpu_seconds: float
    resident_mb: float

    @property
    def per_second(self) -> float:
        """Answered messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_ms_per_message(self) -> float | None:
        """Milliseconds of processor time for one message."""
        return self.cpu_seconds / self.messages * 1000 if self.messages else None

    @property
    def per_core_second(self) -> float | None:
        """Messages for one second of one core."""
        return self.messages / self.cpu_seconds if self.messages and self.cpu_seconds else None


@dataclass(frozen=True, slots=True)
class Plan:
    """How much load.

    Attributes:
        concurrent: The levels: numbers of customers at once.
        messages: At each level, at least; a customer always ends a conversation.
        events: Lengths of conversations in which the time of a turn is measured.
    """

    concurrent: Sequence[int]
    messages: int
    events: Sequence[int] = (10, 1_000, 5_000)


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured.

    Attributes:
        ready_seconds: From the server's start on an empty database until it could serve.
        ready_cpu_seconds: Processor time of its processes until then.
        idle_mb: Resident memory then.
    """

    database: str
    workers: int
    ready_seconds: float
    ready_cpu_seconds: float
    idle_mb: float
    levels: list[Level]
    long: list[Long]


async def measure(launch: Launch, plan: Plan, report: Report) -> Figures:
    """Starts a server, lets customers write to it, and stops it.

    Args:
        launch: What to start; its database must be empty.
        plan: How much load.
        report: Is told what is done now.

    Raises:
        ConfigurationError: The database is in use, or the server does not start.
        UnansweredError: A long conversation was not answered.
    """
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        folder = Path(name)
        if launch.database_url:
            await _refuse_used(launch.database_url)
        report("starting the server")
        async with serving(launch, folder) as server:
            database = Database(launch.database(folder))
            try:
                load = Load(visiting, partial(lengthen, database))
                kind = "sqlite" if database.is_sqlite else "postgresql"
                return await under_load(server, load, plan, report, kind, launch.workers)
            finally:
                await database.aclose()


@dataclass(frozen=True, slots=True)
class Load:
    """How to reach a server.

    Attributes:
        visiting: Opens a conversation.
        lengthen: Fills one with events.
    """

    visiting: Visiting
    lengthen: Lengthen


async def under_load(
    server: Server, load: Load, plan: Plan, report: Report, database: str, workers: int = 1
) -> Figures:
    """Measures a server that has just become ready.

    Args:
        server: Which.
        load: How to reach it.
        plan: How much load.
        report: Is told what is done now.
        database: What it stores in.
        workers: Its processes on the port.

    Raises:
        UnansweredError: A long conversation was not answered.
    """
    async with _client(server) as http:
        started, idle = server.cpu_seconds(), server.resident_mb()
        report("warming up")
        await _write([http], load.visiting, 4, _WARM_UP_ROUNDS)
        levels, long = [], []
        for concurrent in plan.concurrent:
            report(f"{concurrent} at once")
            levels.append(await _level(server, [http], load.visiting, concurrent, plan.messages))
        for events in plan.events:
            report(f"a conversation of {events} events")
            long.append(await long_conversation(http, load.visiting, load.lengthen, events))
    ready = server.ready_seconds
    return Figures(database, workers, ready, started, idle, levels, long)


async def write_to(replicas: Sequence[Server], concurrent: int, messages: int) -> Level:
    """Lets customers of the web chat write to replicas, and measures these as one server.

    Args:
        replicas: Which, ready; each gets as many of the customers.
        concurrent: Customers at once.
        messages: In all, at least; a customer always ends a conversation.
    """
    processes = [process for server in replicas for process in server.processes]
    together = replace(replicas[0], processes=processes)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(server)) for server in replicas]
        return await _level(together, clients, visiting, concurrent, messages)


async def _refuse_used(url: str) -> None:
    database = Database(url)
    try:
        async with database.read() as connection:
            tables = await connection.run_sync(lambda c: inspect(c).get_table_names())
    finally:
        await database.aclose()
    if tables:
        raise ConfigurationError(
            "--database-url",
            "names a database that is not empty",
            "Make one for the measurement: it is filled with conversations.",
        )


@asynccontextmanager
async def _client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    # Each customer has a stream open and sends beside it; streams may be silent for long. A kept
    # connection would fail a message now and then: the server closes it after five idle seconds.
    unlimited = aiohttp.TCPConnector(limit=0, force_close=True)
    patient = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(server.url, connector=unlimited, timeout=patient) as http:
        yield http


async def _level(
    server: Server,
    clients: Sequence[aiohttp.ClientSession],
    visiting: Visiting,
    concurrent: int,
    messages: int,
) -> Level:
    rounds = max(1, math.ceil(messages / (len(QUESTIONS) * concurrent)))
    cpu, began = server.cpu_seconds(), time.perf_counter()
    times, errors = await _write(clients, visiting, concurrent, rounds)
    seconds = time.perf_counter() - began
    return Level(
        concurrent=concurrent,
        messages=len(times),
        errors=dict(errors),
        seconds=seconds,
        acknowledged=Percentiles.of([t.acknowledged for t in times if t.acknowledged is not None]),
        answered=Percentiles.of([t.answered for t in times]),
        cpu_seconds=server.cpu_seconds() - cpu,
        resident_mb=server.resident_mb(),
    )


async def _write(
    clients: Sequence[aiohttp.ClientSession], visiting: Visiting, concurrent: int, rounds: int
) -> tuple[list[Times], Counter[str]]:
    """So many customers at once, each with so many conversations one after the other.

    They share the clients evenly.
    """
    times: list[Times] = []
    errors: Counter[str] = Counter()

    async def customer(http: aiohttp.ClientSession) -> None:
        for _ in range(rounds):
            try:
                async with visiting(http) as visitor:
                    for question in QUESTIONS:
                        times.append(await visitor.ask(question))
            except UnansweredError as error:
                errors[str(error)] += 1

    async with asyncio.TaskGroup() as customers:
        for number in range(concurrent):
            customers.create_task(customer(clients[number % len(clients)]))
    return times, errors

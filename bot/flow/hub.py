"""Hints that something changed: inside one process, and between processes through PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import asyncpg
from sqlalchemy import func, make_url, select
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from bot.core.transcript import Event
from bot.store.database import Database

logger = logging.getLogger(__name__)
_PG_CHANNEL = "frontdesk"
_NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"
# A slow reader loses hints, never messages: it reads the store when it comes to the next one.
_BACKLOG = 100


async def announce(database: Database, event: Event) -> None:
    """Tells all processes on a PostgreSQL, from one that runs no hub; on SQLite they poll.

    Raises:
        StoreUnavailableError: The database does not answer.
    """
    if database.is_sqlite:
        return
    payload = json.dumps(asdict(event) | {"origin": ""})
    async with database.write() as connection:
        await connection.execute(select(func.pg_notify(_PG_CHANNEL, payload)))


class LocalHub:
    """`bot.core.transcript.Hub` for one process."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[Event]]] = defaultdict(set)

    async def start(self) -> None:
        """Nothing to open."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def publish(self, event: Event) -> None:
        """Tells the subscribers of this process."""
        self._tell(event)

    def _tell(self, event: Event) -> None:
        for queue in tuple(self._queues.get(event.topic, ())):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(event)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[Event]]:
        """Events of these topics while the context is open."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_BACKLOG)
        for topic in topics:
            self._queues[topic].add(queue)
        try:
            yield _events(queue)
        finally:
            for topic in topics:
                self._queues[topic].discard(queue)
                if not self._queues[topic]:
                    del self._queues[topic]


async def _events(queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        yield await queue.get()


class PostgresHub(LocalHub):
    """`bot.core.transcript.Hub` for many processes on one PostgreSQL, by LISTEN and NOTIFY.

    Args:
        url: The database's URL, in SQLAlchemy's form.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._origin = uuid.uuid4().hex
        self._connection: asyncpg.Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._lost = asyncio.Event()
        # What the others are still to be told, each once.
        self._untold: dict[str, None] = {}
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Begins to listen and to tell, and goes on after lost connections."""
        self._tasks = [
            asyncio.create_task(self._keep_listening(), name="hub-listen"),
            asyncio.create_task(self._keep_telling(), name="hub-tell"),
        ]

    async def aclose(self) -> None:
        """Ends listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection and not self._connection.is_closed():
            await self._connection.close()

    async def _keep_listening(self) -> None:
        retrying = AsyncRetrying(
            wait=wait_exponential_jitter(multiplier=0.2, max=5),
            retry=retry_if_exception_type((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)),
        )
        while True:
            self._lost.clear()
            async for attempt in retrying:
                with attempt:
                    self._connection = await self._listen()
            await self._lost.wait()
            logger.warning("the database's notifications were lost; listening again")

    async def _listen(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(self._dsn)
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.add_listener(_PG_CHANNEL, self._heard)
        return connection

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        data = json.loads(str(payload))
        if data.pop("origin") != self._origin:
            self._tell(Event(**data))

    async def publish(self, event: Event) -> None:
        """Tells this process at once, and the others soon, when the database can be reached."""
        self._tell(event)
        # Where the work is concerns this process alone: who works beside it looks for other work.
        fields = {"topic": event.topic, "kind": event.kind, "author": event.author}
        self._untold[json.dumps(fields | {"origin": self._origin})] = None
        self._news.set()

    async def _keep_telling(self) -> None:
        """Sends what was published, all that has come together in one statement."""
        while True:
            await self._news.wait()
            self._news.clear()
            payloads, self._untold = list(self._untold), {}
            connection = self._connection
            if connection is None or connection.is_closed():
                continue
            try:
                await connection.execute(_NOTIFY, _PG_CHANNEL, payloads)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("notifications were not sent: %s", type(error).__name__)

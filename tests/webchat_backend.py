"""What stands behind the web chat in its tests: a transcript, a hub and a way in, all in memory."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from bot.core.errors import StoreUnavailableError
from bot.core.messages import (
    Attachment,
    Author,
    Button,
    Inbound,
    Status,
    WebhookRequest,
    WebhookResult,
)
from bot.core.transcript import Event, TranscriptMessage, conversation_id
from connectors.channels.webchat import WebchatChannel
from connectors.channels.webchat.routes import create_router

SECRET = "a secret that only the tests know"
Answer = Callable[["MemoryBackend", str, Inbound], Coroutine[None, None, None]]


class MemoryHub:
    """Hands every event to every subscription of its topic."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[Event], tuple[str, ...]] = {}
        self.published: list[Event] = []

    @property
    def listening(self) -> int:
        return len(self._queues)

    async def publish(self, event: Event) -> None:
        self.published.append(event)
        for queue, topics in self._queues.items():
            if event.topic in topics:
                queue.put_nowait(event)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues[queue] = topics
        try:
            yield _drain(queue)
        finally:
            del self._queues[queue]


async def _drain(queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        yield await queue.get()


class MemoryTranscript:
    """Conversations as lists; `broken` makes it behave like a database that is away."""

    def __init__(self) -> None:
        self.rows: dict[str, list[TranscriptMessage]] = {}
        self.broken = False
        self.reads = 0

    async def visible(
        self, conversation: str, after: int = 0, limit: int = 200
    ) -> list[TranscriptMessage]:
        self.reads += 1
        if self.broken:
            raise StoreUnavailableError("down")
        return [row for row in self.rows.get(conversation, []) if row.seq > after][:limit]

    def add(
        self,
        conversation: str,
        author: Author,
        text: str,
        *,
        name: str = "",
        buttons: tuple[Button, ...] = (),
        attachments: tuple[Attachment, ...] = (),
        status: Status = Status.SENT,
    ) -> TranscriptMessage:
        rows = self.rows.setdefault(conversation, [])
        seq = len(rows) + 1
        row = TranscriptMessage(
            id=f"m{seq}",
            seq=seq,
            author=author,
            author_name=name,
            text=text,
            buttons=buttons,
            attachments=attachments,
            status=status,
            created_at=datetime.now(UTC),
        )
        rows.append(row)
        return row

    def set_status(self, conversation: str, seq: int, status: Status) -> None:
        rows = self.rows[conversation]
        rows[seq - 1] = dataclasses.replace(rows[seq - 1], status=status)


class MemoryBackend:
    """Stores what comes in once per provider id, and answers by `answer` if there is one."""

    def __init__(self, channel: WebchatChannel, answer: Answer | None = None) -> None:
        self.channel, self.answer = channel, answer
        self.transcript, self.hub = MemoryTranscript(), MemoryHub()
        self.inbound: list[Inbound] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        result = await self.channel.receive(request)
        for message in result.inbound:
            await self._take(message)
        return result

    async def _take(self, message: Inbound) -> None:
        if message.provider_id in [known.provider_id for known in self.inbound]:
            return
        self.inbound.append(message)
        conversation = conversation_id(message.address)
        await self.say(conversation, Author.CUSTOMER, message.text, status=Status.PROCESSED)
        if self.answer:
            task = asyncio.create_task(self.answer(self, conversation, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def say(
        self,
        conversation: str,
        author: Author,
        text: str,
        *,
        name: str = "",
        buttons: tuple[Button, ...] = (),
        attachments: tuple[Attachment, ...] = (),
        status: Status = Status.SENT,
    ) -> TranscriptMessage:
        row = self.transcript.add(
            conversation,
            author,
            text,
            name=name,
            buttons=buttons,
            attachments=attachments,
            status=status,
        )
        await self.hub.publish(Event(f"conversation:{conversation}", "messages"))
        return row


def app_of(backend: MemoryBackend) -> FastAPI:
    """The web chat's routes and nothing else."""
    app = FastAPI()
    app.include_router(
        create_router(backend.channel, backend.transcript, backend.hub, backend.receive)
    )
    return app


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The URL of a real server with this app: live streams need one."""
    config = uvicorn.Config(
        app, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task

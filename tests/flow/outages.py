"""Many conversations on several accounts of a platform that is down, slow or strict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import func, select, update

from bot.core.errors import DeliveryError
from bot.core.messages import Address, Author, Content, Inbound, Outgoing
from bot.core.transcript import conversation_id
from bot.flow.deliver import Deliveries
from bot.flow.hub import LocalHub
from bot.flow.workers import Worker
from bot.store import inbox, outbox, turns
from bot.store import tables as t
from bot.store.database import Database
from bot.store.outbox import Draft
from bot.store.rows import new_id, utc_now
from tests.scripted import ScriptedChannel


@dataclass
class Platform(ScriptedChannel):
    """A channel whose accounts can be down, each with its error."""

    down: dict[str, DeliveryError] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    async def send(self, message: Outgoing) -> str:
        """Fails while the account is down."""
        self.tried.append(message.address.account)
        error = self.down.get(message.address.account)
        if error is not None:
            raise error
        return await super().send(message)


def customers(count: int, account: str = "shop", channel: str = "scripted") -> list[Address]:
    """Customers who each have a conversation with this account."""
    return [Address(channel, account, f"+4477009{number:05}") for number in range(count)]


async def say(database: Database, addresses: Sequence[Address], *texts: str) -> list[str]:
    """The bot has these texts ready for each customer; returns the conversations."""
    async with database.write() as connection:
        for address in addresses:
            conversation = conversation_id(address)
            await inbox.accept(connection, [Inbound(address, new_id(), "hello")], utc_now())
            waiting = await turns.unprocessed(connection, conversation)
            await turns.mark_processed(connection, waiting, {}, None, utc_now())
            drafts = [Draft(Content(text), Author.BOT) for text in texts]
            await outbox.write(connection, conversation, drafts, epoch=0, now=utc_now())
    return [conversation_id(address) for address in addresses]


async def make_due(database: Database) -> None:
    """The pauses of all messages are over."""
    async with database.write() as connection:
        await connection.execute(update(t.message).values(next_attempt_at=None))


async def statuses(database: Database) -> dict[str, int]:
    """How many outbound messages are in each status."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(t.message.c.status, func.count().label("number"))
            .where(t.message.c.author != Author.CUSTOMER)
            .group_by(t.message.c.status)
        )
        return {row.status: row.number for row in rows}


async def attempts(database: Database) -> list[int]:
    """How often each outbound message was tried, most often first."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(t.message.c.attempts).where(t.message.c.author != Author.CUSTOMER)
        )
        return sorted((row.attempts for row in rows), reverse=True)


@asynccontextmanager
async def delivering(deliveries: Deliveries, parallel: int = 8) -> AsyncIterator[None]:
    """A worker that sends what waits."""
    work, due = deliveries.run, deliveries.due_in
    worker = Worker("deliver", "outbox", LocalHub(), deliveries.waiting, work, parallel, due)
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for what has no event of its own."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

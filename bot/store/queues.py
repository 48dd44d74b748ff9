"""How much waits, and for how long; and a write that leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import WAITING_STATES
from bot.core.messages import Status
from bot.store import tables as t
from bot.store.rows import new_id, utc_now


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue.

    Attributes:
        count: How many wait.
        oldest: Seconds for which the first has waited; 0 when nothing waits.
    """

    count: int
    oldest: float


async def inbox(connection: AsyncConnection) -> Waiting:
    """Customers' messages that no turn has taken up."""
    return await _oldest(connection, t.message.c.created_at, t.is_unprocessed)


async def outbox(connection: AsyncConnection) -> Waiting:
    """Messages that no platform has yet, those that wait for another attempt included."""
    return await _oldest(connection, t.message.c.created_at, t.is_unsent)


async def humans(connection: AsyncConnection) -> Waiting:
    """Conversations that wait for an agent."""
    state, since = t.conversation.c.state, t.conversation.c.waiting_since
    return await _oldest(connection, since, state.in_(WAITING_STATES))


async def write_probe(connection: AsyncConnection) -> None:
    """Writes a row and deletes it: nothing is left, but the commit has had to reach the disk."""
    # In a table that is small, under a key that no platform can have.
    key = f"probe:{new_id()}"
    await connection.execute(
        t.early_receipt.insert().values(provider_key=key, status=Status.SENT, created_at=utc_now())
    )
    await connection.execute(t.early_receipt.delete().where(t.early_receipt.c.provider_key == key))


async def _oldest(
    connection: AsyncConnection, since: ColumnElement[object], condition: ColumnElement[bool]
) -> Waiting:
    row = (await connection.execute(select(func.count(), func.min(since)).where(condition))).one()
    count, first = row
    age = 0.0 if first is None else (utc_now() - first).total_seconds()
    return Waiting(int(count), max(0.0, age))

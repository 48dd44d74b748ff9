"""Messages that failed for good: finding them, and noting that they were replayed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.dead_letters import DeadLetter
from bot.core.messages import Author, Content, Status
from bot.store import tables as t
from bot.store.rows import content_of


def _query() -> Select[Any]:
    return (
        select(t.message, t.conversation.c.channel)
        .join(t.conversation, t.conversation.c.id == t.message.c.conversation_id)
        .where(t.message.c.dead_since.is_not(None))
    )


def _letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        conversation=row.conversation_id,
        channel=row.channel,
        author=Author(row.author),
        since=row.dead_since,
        attempts=row.attempts,
        error=row.error or "unknown",
        code=row.error_code or "",
    )


async def listed(
    connection: AsyncConnection,
    limit: int,
    *,
    channel: str | None = None,
    conversation: str | None = None,
) -> list[DeadLetter]:
    """Dead letters in the order in which they were written, which replays keep.

    Args:
        channel, conversation: Only those of it.
    """
    query = _query().order_by(t.message.c.created_at, t.message.c.seq).limit(limit)
    if channel is not None:
        query = query.where(t.conversation.c.channel == channel)
    if conversation is not None:
        query = query.where(t.message.c.conversation_id == conversation)
    return [_letter(row) for row in await connection.execute(query)]


async def find(connection: AsyncConnection, message: str) -> DeadLetter | None:
    """One of them; None when the message is none or does not exist."""
    row = (await connection.execute(_query().where(t.message.c.id == message))).first()
    return None if row is None else _letter(row)


async def content(connection: AsyncConnection, message: str) -> tuple[Content, str | None]:
    """What a message says, and the id of the agent who wrote it."""
    row = (await connection.execute(select(t.message).where(t.message.c.id == message))).one()
    return content_of(row), row.author_id


async def note_replay(
    connection: AsyncConnection, message: str, agent: str | None, now: datetime
) -> bool:
    """Keeps who replayed it and when; it is then no dead letter.

    Returns:
        False when it was none: somebody was faster.
    """
    result = await connection.execute(
        update(t.message)
        .where(t.message.c.id == message, t.message.c.dead_since.is_not(None))
        .values(dead_since=None, replayed_at=now, replayed_by=agent, updated_at=now)
    )
    return result.rowcount == 1


async def link_replay(connection: AsyncConnection, copy: str, original: str) -> None:
    """Keeps which message `copy` sends again."""
    await connection.execute(
        update(t.message).where(t.message.c.id == copy).values(replay_of=original)
    )


async def receive_again(connection: AsyncConnection, message: str, now: datetime) -> None:
    """An inbound message waits for a turn as if it had just come."""
    await connection.execute(
        update(t.message)
        .where(t.message.c.id == message)
        .values(status=Status.RECEIVED, attempts=0, updated_at=now)
    )

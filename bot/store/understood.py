"""What the bot understood, over all conversations: for judging its decisions later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.messages import Author
from bot.store import tables as t


@dataclass(frozen=True, slots=True)
class Understood:
    """One message of a customer, without its text.

    Attributes:
        conversation: Its id.
        pressed: Whether a button was pressed: the meaning is certain then.
        data: Intent, ranking and decision, as the brain stored them.
    """

    conversation: str
    pressed: bool
    data: dict[str, Any]


async def latest(connection: AsyncConnection, limit: int) -> list[Understood]:
    """The newest messages that the bot read, each conversation's in order.

    Args:
        limit: How many at most.
    """
    message = t.message.c
    newest = (
        select(message.conversation_id, message.seq, message.button, message.understood)
        .where(message.author == Author.CUSTOMER, message.understood.is_not(None))
        .order_by(message.created_at.desc())
        .limit(limit)
    )
    rows = sorted(await connection.execute(newest), key=lambda row: (row[0], row[1]))
    return [
        Understood(row.conversation_id, row.button is not None, row.understood)
        for row in rows
        if isinstance(row.understood, dict)
    ]

"""Tracker events: written once, read from the newest snapshot or session on.

A conversation may go on for years; a turn needs its slots and the last few exchanges. A snapshot
holds what the earlier events came to, so that a turn costs the same after five events as after five
thousand. No event is ever deleted for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import tables as t

_INSERT = t.event.insert()
_LAST = update(t.conversation).where(t.conversation.c.id == bindparam("for_conversation"))
_SNAPSHOT = select(t.snapshot.c.upto, t.snapshot.c.events).where(
    t.snapshot.c.conversation_id == bindparam("for_conversation")
)
_TAIL = (
    select(t.event.c.data)
    .where(
        t.event.c.conversation_id == bindparam("for_conversation"),
        t.event.c.number > bindparam("upto"),
    )
    .order_by(t.event.c.number)
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a conversation's first events came to.

    Attributes:
        events: A few tracker events that lead to the same state.
        kept: How many of the newest events come after them.
    """

    events: list[dict[str, Any]]
    kept: int


async def append(
    connection: AsyncConnection, conversation: str, first: int, events: Sequence[dict[str, Any]]
) -> int:
    """Adds tracker events, and notes in the conversation's row which is the last.

    Args:
        first: The number of the first of them.

    Returns:
        The number of the conversation's last event.
    """
    last = await insert(connection, conversation, first, events)
    if events:
        await connection.execute(_LAST, {"for_conversation": conversation, "last_event": last})
    return last


async def insert(
    connection: AsyncConnection, conversation: str, first: int, events: Sequence[dict[str, Any]]
) -> int:
    """Adds tracker events; the primary key refuses a second writer of the same numbers.

    Args:
        first: The number of the first of them.

    Returns:
        The number of the last, for the conversation's row: the caller writes it there.
    """
    if events:
        await connection.execute(
            _INSERT,
            [
                {"conversation_id": conversation, "number": number, "type": e["event"], "data": e}
                for number, e in enumerate(events, start=first)
            ],
        )
    return first + len(events) - 1


async def load(connection: AsyncConnection, conversation: str) -> list[dict[str, Any]]:
    """The events that a turn needs, in order: since the newest session or snapshot."""
    # The snapshot first: one written meanwhile leaves no gap, as events stay.
    row = (await connection.execute(_SNAPSHOT, {"for_conversation": conversation})).first()
    upto, summary = (row.upto, row.events) if row else (0, [])
    found = await connection.scalars(_TAIL, {"for_conversation": conversation, "upto": upto})
    events = [*summary, *found]
    starts = [i for i, event in enumerate(events) if event["event"] == "session_started"]
    # The action that starts a session stands one place before the session_started event.
    return events[max(starts[-1] - 1, 0) :] if starts else events


async def write_snapshot(
    connection: AsyncConnection, conversation: str, last: int, snapshot: Snapshot
) -> None:
    """Replaces the conversation's snapshot.

    Args:
        last: The number of the conversation's last event.
    """
    await connection.execute(delete(t.snapshot).where(t.snapshot.c.conversation_id == conversation))
    await connection.execute(
        t.snapshot.insert().values(
            conversation_id=conversation, upto=last - snapshot.kept, events=snapshot.events
        )
    )

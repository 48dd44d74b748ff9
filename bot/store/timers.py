"""Timers: what is to happen in a conversation at a time, kept until it has happened.

A timer is set and cancelled in the transaction of what causes it, and deleted in the transaction of
what it does: so it fires once, whatever ends in between and on whichever replica.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import tables as t
from bot.store.rows import new_id

# So many for each conversation that is wanted.
_TIMERS_READ = 4


class Kind(StrEnum):
    """What happens when a timer is due."""

    REMINDER = "reminder"  # an intent that an action asked for is triggered
    QUEUE = "queue"  # nobody took the conversation
    PARKED = "parked"  # nobody went on with it
    REPLY_WINDOW = "reply_window"  # the time in which the shop may write freely is nearly over


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer as it was read.

    Attributes:
        id: New each time it is set: who read it before has another one.
        name: Tells timers of the same kind apart in their conversation; may be empty.
        data: What its kind needs to know.
        attempts: How often it failed.
    """

    id: str
    conversation: str
    kind: Kind
    name: str
    due_at: datetime
    data: Mapping[str, Any]
    attempts: int


async def put(
    connection: AsyncConnection,
    conversation: str,
    kind: Kind,
    due_at: datetime,
    now: datetime,
    *,
    name: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    """Sets a timer in place of the one of the same kind and name.

    The conversation's row must be locked, or its turn lock be held.
    """
    await cancel(connection, conversation, kind, name)
    await connection.execute(
        t.timer.insert().values(
            id=new_id(),
            conversation_id=conversation,
            kind=kind,
            name=name,
            due_at=due_at,
            data=dict(data or {}),
            created_at=now,
        )
    )


async def cancel(
    connection: AsyncConnection, conversation: str, kind: Kind, name: str = ""
) -> None:
    """Removes a timer; nothing happens when there is none."""
    await connection.execute(
        delete(t.timer).where(
            t.timer.c.conversation_id == conversation,
            t.timer.c.kind == kind,
            t.timer.c.name == name,
        )
    )


_OF = (
    select(t.timer)
    .where(
        t.timer.c.conversation_id == bindparam("for_conversation"),
        t.timer.c.kind == bindparam("of_kind"),
    )
    .order_by(t.timer.c.due_at)
)


async def of(connection: AsyncConnection, conversation: str, kind: Kind) -> list[Timer]:
    """A conversation's timers of one kind, next due first."""
    rows = await connection.execute(_OF, {"for_conversation": conversation, "of_kind": kind})
    return [_timer(row) for row in rows]


async def due(
    connection: AsyncConnection, now: datetime, limit: int
) -> tuple[list[str], datetime | None]:
    """Conversations with a timer that is due, longest due first; and when the next one is.

    Returns:
        At most `limit` conversations; and the time of the first timer that is not due, None where
        there is none or enough is to do before it.
    """
    # By the index on due_at alone: with GROUP BY, SQLite would read the whole table each time.
    rows_read = limit * _TIMERS_READ
    query = select(t.timer.c.conversation_id, t.timer.c.due_at).order_by(t.timer.c.due_at)
    rows = (await connection.execute(query.limit(rows_read))).all()
    later = next((row.due_at for row in rows if row.due_at > now), None)
    found = list(dict.fromkeys(row.conversation_id for row in rows if row.due_at <= now))
    if len(rows) == rows_read and later is None and len(found) < limit:
        found = await _grouped(connection, now, limit)
    return found[:limit], later


async def _grouped(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """As `due`, where a few conversations have so many timers that they hide the others."""
    rows = await connection.execute(
        select(t.timer.c.conversation_id)
        .where(t.timer.c.due_at <= now)
        .group_by(t.timer.c.conversation_id)
        .order_by(func.min(t.timer.c.due_at))
        .limit(limit)
    )
    return [row.conversation_id for row in rows]


async def first_due(connection: AsyncConnection, conversation: str, now: datetime) -> Timer | None:
    """The conversation's timer that is due for longest; None when none is."""
    query = (
        select(t.timer)
        .where(t.timer.c.conversation_id == conversation, t.timer.c.due_at <= now)
        .order_by(t.timer.c.due_at)
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _timer(row)


def _timer(row: Row[Any]) -> Timer:
    return Timer(
        row.id, row.conversation_id, Kind(row.kind), row.name, row.due_at, row.data, row.attempts
    )


async def take(connection: AsyncConnection, timer: Timer) -> bool:
    """Deletes a timer that fires now; False when it was cancelled or set anew meanwhile."""
    gone = await connection.execute(delete(t.timer).where(t.timer.c.id == timer.id))
    return gone.rowcount > 0


async def put_off(connection: AsyncConnection, timer: Timer, due_at: datetime) -> None:
    """Counts a failure, and has the timer fall due again later."""
    await connection.execute(
        update(t.timer)
        .where(t.timer.c.id == timer.id)
        .values(due_at=due_at, attempts=t.timer.c.attempts + 1)
    )

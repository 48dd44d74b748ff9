"""Timers in tests: time that passes at once, and what an action returns for a reminder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rasa_sdk.events import ReminderScheduled
from sqlalchemy import select, update

from bot.store import tables as t
from bot.store.database import Database


def reminder(intent: str = "follow_up", name: str = "later", **changes: Any) -> dict[str, Any]:
    """What an action returns to be reminded in an hour."""
    at = datetime.now(UTC) + timedelta(hours=1)
    event = ReminderScheduled(intent, trigger_date_time=at, name=name)
    found: dict[str, Any] = event | changes
    return found


async def pass_time(database: Database, hours: float) -> None:
    """Lets all timers fall due that much sooner."""
    async with database.write() as connection:
        for row in (await connection.execute(select(t.timer))).all():
            await connection.execute(
                update(t.timer)
                .where(t.timer.c.id == row.id)
                .values(due_at=row.due_at - timedelta(hours=hours))
            )


async def timers_left(database: Database) -> list[tuple[str, str]]:
    """Kind and name of every timer, in order."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(t.timer.c.kind, t.timer.c.name).order_by(t.timer.c.kind, t.timer.c.name)
        )
        return [(row.kind, row.name) for row in rows]

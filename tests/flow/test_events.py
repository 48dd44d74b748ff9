"""Tracker events in the store: all are kept, and few are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from bot.store import events
from bot.store import tables as t
from bot.store.database import Database
from bot.store.events import Snapshot
from tests.flow.conftest import Path
from tests.scripted import inbound


def said(*numbers: int) -> list[dict[str, Any]]:
    """Events with a number to know them by."""
    return [{"event": "user", "text": str(number)} for number in numbers]


async def loaded(database: Database, conversation: str) -> list[dict[str, Any]]:
    async with database.read() as connection:
        return await events.load(connection, conversation)


async def test_events_come_back_in_order(path: Path) -> None:
    await path.receive(inbound("hello"))
    async with path.database.write() as connection:
        assert await events.append(connection, path.conversation, 1, said(1, 2)) == 2
        assert await events.append(connection, path.conversation, 3, said(3)) == 3
        assert await events.append(connection, path.conversation, 4, []) == 3
    assert await loaded(path.database, path.conversation) == said(1, 2, 3)


async def test_a_snapshot_stands_for_the_events_before_it(path: Path) -> None:
    await path.receive(inbound("hello"))
    summary = [{"event": "slot", "name": "order_number", "value": "JC1"}]
    for last in (6, 8):  # the second replaces the first
        async with path.database.write() as connection:
            await events.append(connection, path.conversation, last - 1, said(last - 1, last))
            await events.write_snapshot(
                connection, path.conversation, last, Snapshot(summary, kept=1)
            )
    assert await loaded(path.database, path.conversation) == summary + said(8)
    async with path.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.event)) == 4


async def test_only_the_newest_session_is_read(path: Path) -> None:
    await path.receive(inbound("hello"))
    session = [{"event": "action", "name": "action_session_start"}, {"event": "session_started"}]
    async with path.database.write() as connection:
        last = await events.append(connection, path.conversation, 1, said(1) + session + said(2))
        await events.write_snapshot(connection, path.conversation, last, Snapshot(said(0), kept=4))
    assert await loaded(path.database, path.conversation) == session + said(2)


async def test_a_turn_writes_the_snapshot_with_its_events(path: Path) -> None:
    summary = said(0)
    path.brain.snapshot = Snapshot(summary, kept=0)
    await path.say(inbound("hello"))
    assert await loaded(path.database, path.conversation) == summary

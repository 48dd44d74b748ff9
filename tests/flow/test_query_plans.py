"""Whatever a message, a timer or the desk asks the database, an index answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.core.conversation import State
from bot.store import outbox, queues, turns
from bot.store.database import Database
from bot.store.tables import metadata
from tests.flow.conftest import Path
from tests.scripted import inbound

# These have a few rows, however many customers there are.
SMALL = {"agent", "model", "replica", "early_receipt"}
GROWING = set(metadata.tables) - SMALL

Asked = list[tuple[str, Any]]


@contextmanager
def recorded() -> Iterator[Asked]:
    """All statements that are run inside, with their parameters."""
    asked: Asked = []

    def note(
        _connection: object, _cursor: object, statement: str, values: Any, *_rest: object
    ) -> None:
        if re.match("SELECT|UPDATE|DELETE|WITH", statement):
            asked.append((statement, values[0] if isinstance(values, list) else values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def plans(database: Database, asked: Asked) -> dict[str, list[str]]:
    """How each statement would be run, by statement."""
    found = {}
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            # These tables are nearly empty; by itself PostgreSQL would read them whole.
            await connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        for statement, values in asked:
            rows = await connection.exec_driver_sql(explain + statement, values)
            found[statement] = [str(row[-1]) for row in rows]
    return found


def whole_tables(plan: list[str]) -> set[str]:
    """The tables that a plan reads from end to end, without an index."""
    lines = [line for line in plan if "using" not in line.lower()]
    found = {
        match[1] for line in lines if (match := re.search(r"\b(?:SCAN|Seq Scan on) (\w+)", line))
    }
    return found & GROWING


async def say_and_answer(path: Path) -> None:
    await path.say(inbound("hello"))
    await path.say(inbound("and again"))


async def search_for_work(path: Path) -> None:
    async with path.database.read() as connection:
        await turns.waiting(connection, 16)
        await outbox.conversations_waiting(connection, 1e12, 16)
        await outbox.conversations_waiting(connection, 1e12, 16, [("test", "shop")])
        await turns.numbered_payload(connection, path.conversation, 1, 9)
        await turns.recently_said(connection, path.conversation, None)
        await queues.inbox(connection)
        await queues.outbox(connection)
        await queues.humans(connection)
    await path.timers.waiting(16)
    await path.timers.run(path.conversation)


async def work_at_the_desk(path: Path) -> None:
    await path.say(inbound("hello"))
    await path.desk.take(path.agent, path.conversation)
    for states in (None, [State.QUEUED, State.OFFERED], [State.AGENT, State.PARKED], [State.BOT]):
        await path.desk.list(path.agent, states)
    await path.desk.list(path.agent, mine=True)
    await path.desk.detail(path.agent, path.conversation)
    await path.desk.dead_letters.list(path.agent, 50)
    await path.desk.resolve(path.agent, path.conversation)
    await path.transcript()
    await path.seen()


@pytest.mark.parametrize("happens", [say_and_answer, search_for_work, work_at_the_desk])
async def test_no_growing_table_is_read_whole(path: Path, happens: Callable[[Path], Any]) -> None:
    with recorded() as asked:
        await happens(path)
    assert asked
    for statement, plan in (await plans(path.database, asked)).items():
        assert not whole_tables(plan), f"{statement}\n\n" + "\n".join(plan)

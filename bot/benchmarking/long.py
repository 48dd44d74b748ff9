"""The time of a turn in a conversation that is long already."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from sqlalchemy import select

from bot.benchmarking.customer import QUESTIONS, visiting
from bot.store import events as stored
from bot.store import tables as t
from bot.store.database import Database

_CONVERSATIONS = 3


@dataclass(frozen=True, slots=True)
class Long:
    """Turns in conversations of some length.

    Attributes:
        events: How many tracker events each had before, at least.
        messages: How many messages were measured.
        first_ms: The first turn in each, which reads the conversation: median.
        p50_ms: All turns: median, from sending to the answer.
    """

    events: int
    messages: int
    first_ms: float
    p50_ms: float


async def long_conversation(http: aiohttp.ClientSession, database: Database, events: int) -> Long:
    """Makes conversations of so many events and asks five questions in each.

    Args:
        http: With the server as its base URL.
        database: The server's.
        events: How many.

    Raises:
        UnansweredError: A question was not answered by the bot.
    """
    pattern = await _pattern(http, database)
    firsts, times = [], []
    for _ in range(_CONVERSATIONS):
        async with visiting(http) as customer:
            await customer.ask(QUESTIONS[0])
            await _lengthen(database, customer.conversation, pattern, events)
            # The greeting comes last: it was asked a moment ago.
            own = [(await customer.ask(text)).answered for text in (*QUESTIONS[1:], QUESTIONS[0])]
        firsts.append(own[0])
        times += own
    return Long(
        events, len(times), statistics.median(firsts) * 1000, statistics.median(times) * 1000
    )


async def _pattern(http: aiohttp.ClientSession, database: Database) -> list[dict[str, Any]]:
    """The tracker events of a conversation with all questions, without its start."""
    async with visiting(http) as customer:
        for question in QUESTIONS:
            await customer.ask(question)
    async with database.read() as connection:
        found = await stored.load(connection, customer.conversation)
    first = next(i for i, event in enumerate(found) if event["event"] == "user")
    return found[first:]


async def _lengthen(
    database: Database, conversation: str, pattern: Sequence[dict[str, Any]], events: int
) -> None:
    query = select(t.conversation.c.last_event).where(t.conversation.c.id == conversation)
    async with database.write() as connection:
        last = int((await connection.execute(query)).scalar_one())
        repeats = -(-max(0, events - last) // len(pattern))
        # As if said just now: a session that is hours old would be closed by the next message.
        copies = [event | {"timestamp": time.time()} for _ in range(repeats) for event in pattern]
        await stored.append(connection, conversation, last + 1, copies)

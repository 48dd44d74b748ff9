"""The time of a turn in a conversation that is long already."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass

import aiohttp

from bot.benchmarking.customer import QUESTIONS, visiting
from bot.store import events as stored
from bot.store.database import Database

_CONVERSATIONS = 4


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
    """Makes conversations of so many events and asks four questions in each.

    Args:
        http: With the server as its base URL.
        database: The server's.
        events: How many.

    Raises:
        UnansweredError: A question was not answered by the bot.
    """
    firsts, times = [], []
    for _ in range(_CONVERSATIONS):
        async with visiting(http) as customer:
            await customer.ask(QUESTIONS[0])
            await _lengthen(database, customer.conversation, events)
            own = [(await customer.ask(text)).answered for text in QUESTIONS[1:]]
        firsts.append(own[0])
        times += own
    return Long(
        events, len(times), statistics.median(firsts) * 1000, statistics.median(times) * 1000
    )


async def _lengthen(database: Database, conversation: str, events: int) -> None:
    """Repeats the greeting until there are so many events.

    Other questions would not do: the bot calls a human for a customer who asks them once more.
    """
    async with database.write() as connection:
        found = await stored.load(connection, conversation)
        greeting = found[next(i for i, event in enumerate(found) if event["event"] == "user") :]
        repeats = math.ceil(max(0, events - len(found)) / len(greeting))
        # As if said just now: a session that is hours old would be closed by the next message.
        copies = [event | {"timestamp": time.time()} for _ in range(repeats) for event in greeting]
        await stored.append(connection, conversation, len(found) + 1, copies)

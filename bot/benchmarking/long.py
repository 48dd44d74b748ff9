"""The time of a turn in a conversation that is long already."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np

from bot.benchmarking.customer import QUESTIONS, Visiting
from bot.store import events as stored
from bot.store.database import Database

_CONVERSATIONS = 12


@dataclass(frozen=True, slots=True)
class Long:
    """Turns in conversations of some length.

    Attributes:
        events: How many tracker events each had before, at least.
        messages: How many messages were measured.
        first_ms: The first turn in each, which reads the conversation: median.
        p50_ms, p95_ms: The turns after it, from sending to the answer.
    """

    events: int
    messages: int
    first_ms: float
    p50_ms: float
    p95_ms: float


Lengthen = Callable[[str, int], Awaitable[None]]
"""Makes the conversation of this id so many events long."""


async def long_conversation(
    http: aiohttp.ClientSession, visiting: Visiting, lengthen: Lengthen, events: int
) -> Long:
    """Makes conversations of so many events and asks four questions in each.

    Args:
        http: With the server as its base URL.
        visiting: Opens a conversation.
        lengthen: Fills it.
        events: How many.

    Raises:
        UnansweredError: A question was not answered by the bot.
    """
    firsts, others = [], []
    for _ in range(_CONVERSATIONS):
        async with visiting(http) as customer:
            await customer.ask(QUESTIONS[0])
            await lengthen(customer.conversation, events)
            own = [(await customer.ask(text)).answered for text in QUESTIONS[1:]]
        firsts.append(own[0])
        others += own[1:]
    p50, p95 = np.quantile(others, (0.5, 0.95)) * 1000
    messages = len(firsts) + len(others)
    return Long(events, messages, statistics.median(firsts) * 1000, float(p50), float(p95))


async def lengthen(database: Database, conversation: str, events: int) -> None:
    """Repeats the greeting in the server's database until there are so many events."""
    async with database.write() as connection:
        found = await stored.load(connection, conversation)
        await stored.append(connection, conversation, len(found) + 1, repeated(found, events))


def repeated(found: Sequence[dict[str, Any]], events: int) -> list[dict[str, Any]]:
    """What a conversation lacks to have so many events: its greeting and the answer, once more.

    Other questions would not do: the bot calls a human for a customer who asks them once more.

    Args:
        found: What the conversation has: the greeting and its answer are the last of it.
        events: How many it is to have, at least.
    """
    greeting = found[next(i for i, event in enumerate(found) if event["event"] == "user") :]
    repeats = math.ceil(max(0, events - len(found)) / len(greeting))
    # As if said just now: a session that is hours old would be closed by the next message.
    return [event | {"timestamp": time.time()} for _ in range(repeats) for event in greeting]

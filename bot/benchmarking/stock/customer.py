"""One customer at Rasa's REST channel, which answers in the response to the message."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.benchmarking.customer import ANSWER_SECONDS, HANDED_OVER, Times, UnansweredError
from bot.benchmarking.long import repeated

_CHANNEL = "/webhooks/rest/webhook"


class RestCustomer:
    """A visitor whose conversation is open; see `visiting`."""

    def __init__(self, http: aiohttp.ClientSession, conversation: str) -> None:
        self.conversation, self._http = conversation, http

    async def ask(self, text: str) -> Times:
        """Sends one message; its answer is the response.

        Raises:
            UnansweredError: It was refused, the bot calls a human, or says nothing.
        """
        began = time.perf_counter()
        body = {"sender": self.conversation, "message": text}
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._http.post(_CHANNEL, json=body) as answer,
            ):
                if answer.status != 200:
                    raise UnansweredError(f"HTTP status {answer.status}")
                messages: list[dict[str, Any]] = await answer.json()
        except (TimeoutError, aiohttp.ClientError) as error:
            raise UnansweredError(type(error).__name__) from error
        answered = time.perf_counter() - began
        if any("handoff" in (message.get("custom") or {}) for message in messages):
            raise UnansweredError(HANDED_OVER)
        if not messages:
            raise UnansweredError("no answer")
        return Times(None, answered)


@asynccontextmanager
async def visiting(http: aiohttp.ClientSession) -> AsyncIterator[RestCustomer]:
    """A new visitor: to this channel, whoever writes under a new name is one.

    Args:
        http: With the server as its base URL.
    """
    yield RestCustomer(http, uuid.uuid4().hex)


async def events(http: aiohttp.ClientSession, conversation: str) -> list[dict[str, Any]]:
    """The tracker's events."""
    async with http.get(_tracker(conversation), params={"include_events": "ALL"}) as answer:
        answer.raise_for_status()
        found: list[dict[str, Any]] = (await answer.json())["events"]
        return found


async def lengthen(http: aiohttp.ClientSession, conversation: str, number: int) -> None:
    """Repeats the greeting by Rasa's HTTP API until there are so many events."""
    if added := repeated(await events(http, conversation), number):
        async with http.post(f"{_tracker(conversation)}/events", json=added) as answer:
            answer.raise_for_status()


def _tracker(conversation: str) -> str:
    return f"/conversations/{conversation}/tracker"

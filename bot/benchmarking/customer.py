"""One customer at the web chat: sends as the widget does, and reads the widget's live stream."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from bot.core.errors import FrontdeskError

_API = "/webhooks/webchat"
ANSWER_SECONDS = 60.0
"""Who waits longer for an answer has none."""

HANDED_OVER = "handed over to a human"

QUESTIONS = (
    "hello",
    "what are your opening hours?",
    "can I pay with paypal?",
    "how much is delivery?",
    "what is your return policy?",
)
"""What a customer asks in one conversation. No question comes twice in a row: the bot would think
that it is not understood, and call a human."""


class UnansweredError(FrontdeskError):
    """A message was refused, or no answer of the bot came."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of one message, in seconds from its sending.

    Attributes:
        acknowledged: Until the HTTP response; None where that is the answer itself.
        answered: Until the bot's answer was read.
    """

    acknowledged: float | None
    answered: float


class Visitor(Protocol):
    """Somebody whose conversation is open.

    Attributes:
        conversation: Its id.
    """

    @property
    def conversation(self) -> str: ...

    async def ask(self, text: str) -> Times:
        """Sends one message and waits for its answer.

        Raises:
            UnansweredError: It was refused, a human answers now, or nothing came.
        """
        ...


Visiting = Callable[[aiohttp.ClientSession], AbstractAsyncContextManager[Visitor]]
"""Opens a conversation of a new visitor with the server that is the session's base URL."""


class Customer:
    """A visitor whose conversation is open; see `visiting`."""

    def __init__(self, http: aiohttp.ClientSession, token: str, conversation: str) -> None:
        self.conversation = conversation
        self._http, self._sent, self._handed_over = http, 0, False
        self._headers = {"authorization": f"Bearer {token}"}
        # The widget shows every message in order: an answer is the first of the shop's messages
        # behind the customer's own.
        self._answers: asyncio.Queue[tuple[int, float, bool]] = asyncio.Queue()

    async def ask(self, text: str) -> Times:
        """Sends one message and waits for its answer.

        Raises:
            UnansweredError: It was refused, a human answers now, or nothing came.
        """
        if self._handed_over:
            raise UnansweredError(HANDED_OVER)
        self._sent += 1
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = {"id": f"m{self._sent}", "text": text}
                acknowledged = await self._send(body) - began
                while True:
                    number, at, of_bot = await self._answers.get()
                    if number == self._sent:
                        break
        except (TimeoutError, aiohttp.ClientError) as error:
            raise UnansweredError(type(error).__name__) from error
        if not of_bot:
            raise UnansweredError(HANDED_OVER)
        return Times(acknowledged, at - began)

    async def _send(self, body: dict[str, str]) -> float:
        async with self._http.post(f"{_API}/messages", json=body, headers=self._headers) as answer:
            await answer.read()
            if answer.status != 202:
                raise UnansweredError(f"HTTP status {answer.status}")
            return time.perf_counter()

    async def read(self, connected: asyncio.Event) -> None:
        """Reads the live stream until it is cancelled.

        Args:
            connected: Is set when the server has begun to answer.
        """
        own = 0
        async with self._http.get(f"{_API}/live", headers=self._headers) as answer:
            answer.raise_for_status()
            connected.set()
            async for kind, data in _events(answer.content):
                at = time.perf_counter()
                if kind == "state":
                    self._handed_over = True
                    self._answers.put_nowait((self._sent, at, False))
                for message in data.get("messages", ()):
                    if message["author"] == "customer":
                        own += 1
                    else:
                        self._answers.put_nowait((own, at, message["author"] == "bot"))


async def _events(lines: aiohttp.StreamReader) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    kind = ""
    async for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


@asynccontextmanager
async def visiting(http: aiohttp.ClientSession) -> AsyncIterator[Customer]:
    """Opens a conversation of a new visitor.

    Args:
        http: With the server as its base URL.

    Raises:
        UnansweredError: The server does not let the visitor in.
    """
    try:
        async with http.post(f"{_API}/session") as answer:
            answer.raise_for_status()
            session = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnansweredError(type(error).__name__) from error
    customer = Customer(http, session["token"], session["conversation"])
    connected = asyncio.Event()
    reading = asyncio.create_task(customer.read(connected))
    try:
        waiting = asyncio.create_task(connected.wait())
        await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not connected.is_set():
            raise UnansweredError("no live stream")
        yield customer
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

"""The platform's side: posts signed webhooks until one is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp

from tests.crash.traffic import Line
from tests.standins.twilio import Message, TwilioStandin
from tests.standins.twilio.model import Record, new_sid
from tests.standins.twilio.webhooks import Poster, inbound_fields

SHOP = "+447700900100"
# A platform gives up on one attempt, and after so long on the message.
_ATTEMPT_SECONDS = 15.0
_GIVE_UP_SECONDS = 180.0
_ANSWER_SECONDS = 5.0
_RETRY_PAUSES = (0.1, 0.2, 0.4, 0.8)


@dataclass(slots=True)
class Sent:
    """One message and what became of its webhook.

    Attributes:
        customer: The number it came from.
        sid: The platform's id.
        text: What it says.
        acknowledged: Whether any copy got 2xx.
        attempts: Posts, copies included.
    """

    customer: str
    sid: str
    text: str
    acknowledged: bool = False
    attempts: int = 0


@dataclass(slots=True)
class Sender:
    """Sends the customers' messages to the replicas in turn.

    Attributes:
        webhooks: One URL for each replica.
        sent: All messages by customer, in the order of sending.
        seconds: How long each acknowledgement took.
    """

    twilio: TwilioStandin
    webhooks: Sequence[str]
    random: Random
    sent: dict[str, list[Sent]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    acknowledged: int = 0
    _run: int = field(default_factory=lambda: int(time.time()) % 100_000)
    _turns: itertools.count[int] = field(default_factory=itertools.count)
    _late: set[asyncio.Task[None]] = field(default_factory=set)
    _read: int = 0
    _answers: Counter[str] = field(default_factory=Counter)
    _poster: Poster | None = None

    async def send_all(self, conversations: Sequence[Sequence[Line]]) -> None:
        """Returns when every message was acknowledged or given up, and every late copy was sent."""
        async with self._posting():
            async with asyncio.TaskGroup() as group:
                for index, lines in enumerate(conversations):
                    group.create_task(self._write(self._customer(index), lines))
            await asyncio.gather(*self._late)

    async def storm(self, ids: int, copies: int, at_once: int) -> None:
        """One message of each of so many customers, each in so many copies at the same moment."""
        free = asyncio.Semaphore(at_once)

        async def send(index: int) -> None:
            async with free:
                message = self._message(self._customer(index), "hi")
                sent = Sent(message.sender, message.sid, message.body)
                self.sent[message.sender] = [sent]
                await asyncio.gather(*(self._deliver(message, sent) for _ in range(copies)))

        async with self._posting():
            await asyncio.gather(*(send(index) for index in range(ids)))

    @asynccontextmanager
    async def _posting(self) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            self._poster = Poster(
                self.twilio.auth_token, Record(), timeout=_ATTEMPT_SECONDS, session=session
            )
            yield

    def _customer(self, index: int) -> str:
        # Other numbers in each run, so that a database may be used again.
        return f"+4477{self._run:05}{index:04}"

    async def _write(self, customer: str, lines: Sequence[Line]) -> None:
        mine = self.sent[customer] = []
        for line in lines:
            message = self._message(customer, line.text)
            sent = Sent(customer, message.sid, line.text)
            mine.append(sent)
            heard = self._heard(customer)
            await asyncio.gather(
                self._deliver(message, sent),
                *(self._post(message, sent) for _ in range(line.beside)),
            )
            for seconds in line.later:
                self._post_later(seconds, message, sent)
            if line.waits:
                await self._wait_for_answer(customer, heard)
            await asyncio.sleep(line.pause)

    def _message(self, customer: str, text: str) -> Message:
        return Message(
            sid=new_sid("SM"),
            account_sid=self.twilio.account_sid,
            sender=customer,
            to=SHOP,
            body=text,
            media=(),
            direction="inbound",
            status="received",
            created=time.time(),
        )

    async def _deliver(self, message: Message, sent: Sent) -> None:
        """Posts to one replica after the other until one acknowledges."""
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        for attempt in itertools.count():
            if await self._post(message, sent) or time.monotonic() > deadline:
                return
            pause = _RETRY_PAUSES[min(attempt // len(self.webhooks), len(_RETRY_PAUSES) - 1)]
            await asyncio.sleep(pause * self.random.uniform(0.5, 1.0))

    async def _post(self, message: Message, sent: Sent) -> bool:
        assert self._poster is not None
        url = self.webhooks[next(self._turns) % len(self.webhooks)]
        sent.attempts += 1
        reply = await self._poster.post(url, inbound_fields(message, {}, {}), None, message.sid)
        if not 200 <= reply.status < 300:
            return False
        self.seconds.append(reply.seconds)
        if not sent.acknowledged:
            sent.acknowledged = True
            self.acknowledged += 1
        return True

    def _post_later(self, seconds: float, message: Message, sent: Sent) -> None:
        async def post() -> None:
            await asyncio.sleep(seconds)
            await self._post(message, sent)

        task = asyncio.create_task(post())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _wait_for_answer(self, customer: str, heard: int) -> None:
        # Not for ever: a kill may have come between, and customers write again.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                while self._heard(customer) == heard:  # noqa: ASYNC110 - a list tells nobody
                    await asyncio.sleep(0.05)

    def _heard(self, customer: str) -> int:
        """How many messages the customer got so far."""
        messages = self.twilio.record.messages
        for message in messages[self._read :]:
            self._answers[message.to] += 1
            self._read += 1
        return self._answers[customer]

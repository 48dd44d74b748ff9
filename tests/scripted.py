"""A brain, a channel and a shop whose behaviour a test writes down; everything else is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core.actions import ActionContext
from bot.core.errors import DeliveryError
from bot.core.messages import (
    Address,
    Capabilities,
    Content,
    Inbound,
    Outgoing,
    WebhookRequest,
    WebhookResult,
)
from bot.dialogue.brain import Answer, Person
from bot.dialogue.output import HandoffRequest
from bot.dialogue.reminders import Reminder
from bot.dialogue.tracker_store import TurnMemory
from bot.store.events import Snapshot
from bot.store.turns import StoredInbound

Script = Callable[[StoredInbound], Content | HandoffRequest | Exception | None]


class ScriptedBrain:
    """Answers each message as the script says; remembers what it was asked."""

    def __init__(self, script: Script | None = None, delay: float = 0.0) -> None:
        self.script: Script = script or (lambda m: Content(f"re: {m.text}"))
        self.delay = delay
        self.snapshot: Snapshot | None = None
        self.asked: list[str] = []
        self.payloads: list[str | None] = []
        self.reminded: list[str] = []
        self.reminder: Callable[[Reminder], Content | HandoffRequest | Exception | None] = (
            lambda r: Content(f"reminder: {r.intent}")
        )
        # What the next turn's actions return beside what they say.
        self.events: list[dict[str, Any]] = []

    def recall(self, conversation: str, last_event: int) -> TurnMemory | None:
        """Remembers nothing: every turn reads the store."""
        return None

    def keep(self, answer: Answer, last_event: int) -> None:
        """Remembers nothing."""

    async def answer(
        self,
        memory: TurnMemory,
        messages: Sequence[StoredInbound],
        person: Person,
        contexts: Mapping[str, ActionContext],
    ) -> Answer:
        """As `bot.dialogue.brain.Brain.answer`."""
        await asyncio.sleep(self.delay)
        answer = Answer(person, snapshot=self.snapshot)
        for message in messages:
            self.asked.append(message.text)
            self.payloads.append(message.payload)
            said = self.script(message)
            if isinstance(said, Exception):
                raise said
            if isinstance(said, HandoffRequest):
                answer.handoff = said
            elif said is not None:
                answer.contents.append(said)
            answer.understood[message.id] = {"intent": "scripted", "confidence": 0.9}
            answer.events.append(
                {"event": "user", "text": message.text, "message_id": message.id, "timestamp": 0.0}
            )
        answer.events += self.events
        self.events = []
        return answer

    async def remind(
        self, memory: TurnMemory, reminder: Reminder, person: Person, context: ActionContext
    ) -> Answer:
        """As `bot.dialogue.brain.Brain.remind`."""
        await asyncio.sleep(self.delay)
        self.reminded.append(reminder.intent)
        answer, said = Answer(person), self.reminder(reminder)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, HandoffRequest):
            answer.handoff = said
        elif said is not None:
            answer.contents.append(said)
        answer.events += [
            {"event": "user", "text": "EXTERNAL", "metadata": {"is_external": True}},
            *self.events,
        ]
        self.events = []
        return answer


@dataclass
class ScriptedChannel:
    """Sends into a list, or fails as told."""

    name: str = "scripted"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(1000, buttons=3))
    sent: list[Outgoing] = field(default_factory=list)
    failures: list[DeliveryError] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """Not used: tests give inbound messages directly."""
        raise NotImplementedError

    async def send(self, message: Outgoing) -> str:
        """Fails with the next planned failure, else sends."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return f"provider-{message.id}"

    async def find_sent(self, message: Outgoing, since: float) -> str | None:
        """What the platform would know."""
        return self.known.get(message.id)

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def texts(self) -> list[str]:
        """What was sent, in order."""
        return [message.content.text for message in self.sent]


ADDRESS = Address("scripted", "shop", "+447700900123")


def inbound(text: str, identifier: str | None = None, **changes: Any) -> Inbound:
    """A message from the one customer of these tests."""
    return Inbound(ADDRESS, identifier or f"id-{text}", text, **changes)

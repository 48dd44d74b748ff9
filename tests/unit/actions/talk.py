"""Runs one action on the real demo shop, as the engine would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.core.actions import ActionContext, current_action
from bot.core.shop import Crm, Pos

ROOT = Path(__file__).parents[3]
DOMAIN: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # noon on the Wednesday that the demo is seeded for

MAYA = {"identity": "channel_verified", "customer_id": "C-1001"}
TOM = {"identity": "confirmed", "customer_id": "C-1002"}


@dataclass
class Reply:
    """What an action said and did."""

    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]

    @property
    def said(self) -> list[str]:
        """The names of the responses."""
        return [message["response"] for message in self.messages if message["response"]]

    @property
    def handoff(self) -> dict[str, Any] | None:
        """The wish for a human, if any."""
        found = [m["custom"]["handoff"] for m in self.messages if m["custom"].get("handoff")]
        return found[0] if found else None

    @property
    def slots(self) -> dict[str, Any]:
        """The slots as the action left them, where it touched them."""
        return {e["name"]: e["value"] for e in self.events if e["event"] == "slot"}

    @property
    def next(self) -> str | None:
        """The action that goes on."""
        names = [e["name"] for e in self.events if e["event"] == "followup"]
        return names[-1] if names else None

    @property
    def left_form(self) -> bool:
        return any(e["event"] == "active_loop" and e["name"] is None for e in self.events)

    def facts(self, response: str) -> dict[str, Any]:
        """What a response was told, with its buttons."""
        return next(m for m in self.messages if m["response"] == response)

    def titles(self) -> list[str]:
        return [b["title"] for m in self.messages for b in m["buttons"]]


@dataclass
class Talk:
    """A conversation with one action at a time.

    Attributes:
        slots: What is known; changed by `say` as Rasa would.
        events: The tracker's events so far.
        form: The form that is asking.
    """

    context: ActionContext
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    form: str | None = None

    async def say(
        self,
        action: Action,
        intent: str = "inform",
        text: str = "some words",
        ranking: list[tuple[str, float]] | None = None,
        key: str = "m-1",
        fill: dict[str, Any] | None = None,
        **entities: str,
    ) -> Reply:
        """The customer writes, and an action answers.

        Args:
            action: The action that Rasa would pick.
            intent, text, ranking, entities: What was understood.
            key: The message's id.
            fill: Slots that a form took from the message and wants checked.
        """
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "intent_ranking": [{"name": n, "confidence": c} for n, c in ranking or []],
            "entities": [{"entity": k, "value": v} for k, v in entities.items()],
        }
        self.events.append({"event": "user", "text": text, "parse_data": message})
        known = {name for name in DOMAIN["slots"] if name in entities}
        self.slots |= {name: entities[name] for name in known} | (fill or {})
        if fill is not None:
            self.events.append({"event": "action", "name": self.form})
            self.events += [
                {"event": "slot", "name": n, "value": v, "timestamp": None} for n, v in fill.items()
            ]
        return await self._run(action, message, key)

    async def then(self, action: Action) -> Reply:
        """Another action answers the same message."""
        message = next(e for e in reversed(self.events) if e["event"] == "user")["parse_data"]
        return await self._run(action, message, "m-1")

    async def _run(self, action: Action, message: dict[str, Any], key: str) -> Reply:
        tracker = Tracker(
            "c", dict(self.slots), message, list(self.events), False, None,
            {"name": self.form} if self.form else {}, "action_listen",
        )  # fmt: skip
        dispatcher = CollectingDispatcher()
        with using(replace(self.context, key=key)):
            events = await action.run(dispatcher, tracker, DOMAIN)
        reply = Reply(dispatcher.messages, events)
        self.slots |= reply.slots
        self.events += [{"event": "action", "name": action.name()}, *events]
        if reply.left_form:
            self.form = None
        check_words(reply, self.slots)
        return reply


@contextmanager
def using(context: ActionContext) -> Iterator[None]:
    token = current_action.set(context)
    try:
        yield
    finally:
        current_action.reset(token)


def check_words(reply: Reply, slots: dict[str, Any]) -> None:
    """Every response exists, and every variation of it finds what its placeholders name."""
    for message in reply.messages:
        if not message["response"]:
            continue
        for variation in DOMAIN["responses"][message["response"]]:
            wanted = set(re.findall(r"{(\w+)}", variation["text"]))
            told = {name for name, value in message.items() if value is not None}
            missing = wanted - told - {name for name, value in slots.items() if value}
            assert not missing, f"{message['response']} is not told {missing}"


def context(pos: Pos, crm: Crm, timeout: float = 5.0) -> ActionContext:
    return ActionContext(crm=crm, pos=pos, key="m-1", now=NOW, channel="webchat", timeout=timeout)

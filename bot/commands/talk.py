"""`frontdesk talk`"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from rich.console import Console

from bot.bootstrap import connect_actions, connect_shop
from bot.commands.model import trained_model
from bot.core.actions import ActionContext
from bot.core.messages import Button, Content
from bot.dialogue.brain import Answer, Brain, Person
from bot.dialogue.logs import quieten_rasa
from bot.dialogue.tracker_store import TurnMemory
from bot.flow.turn import Shop
from bot.project import read_yaml
from bot.settings import Settings
from bot.store.database import Database
from bot.store.turns import StoredInbound

console = Console()
_HELP = "Type a message; a number presses a button; Ctrl-D ends."


class _Talk:
    """One conversation in memory."""

    def __init__(self, brain: Brain, shop: Shop, *, details: bool) -> None:
        self._brain, self._shop, self._details = brain, shop, details
        self._id = str(uuid.uuid4())
        self._events: list[dict[str, object]] = []
        self._person = Person()
        self._buttons: list[Button] = []

    async def say(self, text: str) -> None:
        """One turn: reads, answers, prints."""
        pressed = self._pressed(text)
        message = StoredInbound(
            str(uuid.uuid4()), 1, text, (), pressed.payload if pressed else None, None, 0
        )
        context = ActionContext(
            self._shop.crm,
            self._shop.pos,
            key=message.id,
            now=datetime.now(UTC),
            channel="talk",
            timezone=self._shop.timezone,
        )
        answer = await self._brain.answer(
            TurnMemory(self._id, self._events), [message], self._person, {message.id: context}
        )
        self._events += answer.events
        self._person = answer.person
        self._print(answer, message.id)

    def _pressed(self, text: str) -> Button | None:
        position = int(text) - 1 if text.isdecimal() and len(text) == 1 else -1
        return self._buttons[position] if 0 <= position < len(self._buttons) else None

    def _print(self, answer: Answer, message: str) -> None:
        if self._details:
            console.print(_details(answer.understood.get(message)), style="dim", markup=False)
        self._buttons = []
        for content in answer.contents:
            self._print_content(content)
        if answer.handoff:
            console.print(
                f"→ a human takes over ({answer.handoff.reason}) {dict(answer.handoff.evidence)}",
                style="yellow",
                markup=False,
            )

    def _print_content(self, content: Content) -> None:
        if content.text:
            console.print(content.text, style="green", markup=False)
        for attachment in content.attachments:
            console.print(f"  [{attachment.content_type or 'file'}] {attachment.url}", markup=False)
        for button in content.buttons:
            if button.url:
                console.print(f"  {button.title}: {button.url}", markup=False)
            else:
                self._buttons.append(button)
                console.print(f"  {len(self._buttons)}. {button.title}", markup=False)


def _details(understood: object) -> str:
    """One line for each wish of the message."""
    if not isinstance(understood, dict):
        return ""
    return "\n".join(_line(each) for each in (understood, *understood.get("also", ())))


def _line(understood: dict[str, Any]) -> str:
    entities = ", ".join(f"{e['entity']}={e['value']}" for e in understood.get("entities", []))
    confidence = float(understood.get("confidence") or 0)
    actions = " → ".join(understood.get("actions", [])) or "(waits)"
    mark = "↩ " if understood.get("earlier") else ""
    decision = understood.get("decision") or {}
    costs = ", ".join(f"{kind} {cost}" for kind, cost in decision.get("expected", {}).items())
    decided = f"  ({decision['kind']}; costs: {costs})" if decision else ""
    return f"{mark}{understood.get('intent')} {confidence:.0%}  [{entities}]  {actions}{decided}"


def run(settings: Settings, *, details: bool) -> None:
    """Talks until the end of input."""
    quieten_rasa(logging.ERROR)
    model = trained_model(settings)
    asyncio.run(_talk(settings, model, details=details))


async def _talk(settings: Settings, model: Path, *, details: bool) -> None:
    endpoints = read_yaml(settings.endpoints)
    shop = connect_shop(settings)
    await shop.crm.prepare()
    await shop.pos.prepare()
    database = Database(settings.database_url)
    with console.status("Loading the model…"):
        brain = Brain.load(model, database, connect_actions(endpoints))
    talk = _Talk(brain, shop, details=details)
    console.print(_HELP, style="dim")
    session: PromptSession[str] = PromptSession("You: ")
    try:
        while True:
            text = (await session.prompt_async()).strip()
            if text:
                await talk.say(text)
    except (EOFError, KeyboardInterrupt):
        console.print("Bye.")
    finally:
        await shop.crm.close()
        await shop.pos.close()
        await database.aclose()

"""Rasa's reminders: which of them stand after the events of a turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# A name is part of a key in the store.
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Reminder:
    """A `ReminderScheduled` event: an intent that is triggered at a time.

    Attributes:
        name: Unique in its conversation; a new one of the same name replaces it.
        entities: As the action gave them: a list of entities, or values by name.
        kill_on_user_message: Whether it is forgotten when the customer writes before.
    """

    name: str
    intent: str
    at: datetime
    entities: list[dict[str, Any]] | dict[str, Any] | None = None
    kill_on_user_message: bool = True

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Reminder:
        """The reminder of a serialized event; a time without zone is this machine's."""
        return cls(
            name=_name(event),
            intent=str(event["intent"]),
            at=datetime.fromisoformat(str(event["date_time"])).astimezone(UTC),
            entities=event.get("entities"),
            kill_on_user_message=bool(event.get("kill_on_user_msg", True)),
        )

    @classmethod
    def from_json(cls, name: str, at: datetime, data: Mapping[str, Any]) -> Reminder:
        """The reminder that `as_json` gave away."""
        return cls(name, data["intent"], at, data["entities"], data["kill_on_user_message"])

    def as_json(self) -> dict[str, object]:
        """All but name and time, as the store keeps it."""
        return {
            "intent": self.intent,
            "entities": self.entities,
            "kill_on_user_message": self.kill_on_user_message,
        }


def _name(event: Mapping[str, Any]) -> str:
    return str(event["name"]).replace("\x00", "")[:_LONGEST_NAME]


def standing(
    before: Mapping[str, Reminder], events: Iterable[Mapping[str, Any]], *, written: bool
) -> dict[str, Reminder]:
    """The reminders after a turn, by name.

    A customer's message ends those that were set before it and are to be killed by it; one that is
    set while the message is answered stands. A restarted conversation has none.

    Args:
        before: Those before the turn.
        events: The turn's tracker events, in order.
        written: Whether the customer wrote; then `before` ends even where the bot was not asked.
    """
    kept = {n: r for n, r in before.items() if not (written and r.kill_on_user_message)}
    set_during: dict[str, object] = {}
    message: object = None
    for event in events:
        kind = event["event"]
        if kind == "user" and not (event.get("metadata") or {}).get("is_external"):
            # Several wishes of one message are several events with its id.
            message = event.get("message_id")
            kept = {
                n: r
                for n, r in kept.items()
                if not r.kill_on_user_message or set_during.get(n, message) == message
            }
        elif kind == "reminder":
            reminder = Reminder.of(event)
            kept[reminder.name], set_during[reminder.name] = reminder, message
        elif kind == "cancel_reminder":
            kept = {n: r for n, r in kept.items() if not _cancels(event, r)}
        elif kind == "restart":
            kept = {}
    return kept


def _cancels(event: Mapping[str, Any], reminder: Reminder) -> bool:
    """As Rasa has it: what the event does not name narrows nothing down."""
    return (
        (not event.get("name") or _name(event) == reminder.name)
        and (not event.get("intent") or event["intent"] == reminder.intent)
        and (not event.get("entities") or event["entities"] == reminder.entities)
    )

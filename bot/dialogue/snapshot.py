"""Cuts a long tracker: its first events become the few that lead to the same state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.store.events import Snapshot

# Policies look back a few exchanges (`max_history` in config.yml): some six events each.
KEPT_EVENTS = 64
LONG = 2 * KEPT_EVENTS


def snapshot_of(tracker: DialogueStateTracker, slots: Iterable[Slot]) -> Snapshot | None:
    """What a long tracker can be stored as; None while it is short or a form is under way.

    The first events are replaced as Rasa itself does when a session starts: by the values of the
    slots.

    Args:
        slots: Those of the domain, with their initial values.
    """
    events = list(tracker.events)
    if len(events) <= LONG:
        return None
    cut = _place_to_cut(events[: len(events) - KEPT_EVENTS])
    if cut is None:
        return None
    before = DialogueStateTracker.from_events(tracker.sender_id, events[:cut], slots)
    at = events[cut - 1].timestamp
    summary: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME, timestamp=at),
        SessionStarted(timestamp=at),
        *(
            SlotSet(name, slot.value, timestamp=at)
            for name, slot in before.slots.items()
            if slot.value != slot.initial_value
        ),
        ActionExecuted(ACTION_LISTEN_NAME, timestamp=at),
    ]
    written: list[dict[str, Any]] = [event.as_dict() for event in summary]
    return Snapshot(written, kept=len(events) - cut)


def _place_to_cut(events: Sequence[Event]) -> int | None:
    """The last place at which the bot was listening and no form was under way."""
    place, form = None, None
    for number, event in enumerate(events, start=1):
        if isinstance(event, ActiveLoop):
            form = event.name
        elif isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME:
            place = place if form else number
    return place

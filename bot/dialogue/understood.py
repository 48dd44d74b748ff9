"""What the bot understood of a message, as the transcript keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.escalation import DECISION_SLOT

_RANKING_KEPT = 5


def understood(
    tracker: DialogueStateTracker | None, parse: Mapping[str, Any] | None = None
) -> dict[str, object]:
    """Intent, confidence, ranking, entities, actions, and the decision that came before these.

    Args:
        tracker: The conversation after the message was answered; None when it was not.
        parse: Rasa's parse result, where it is not the tracker's latest message.
    """
    if parse is None:
        if tracker is None or tracker.latest_message is None:
            return {}
        parse = tracker.latest_message.parse_data or {}
    intent = parse.get("intent") or {}
    return {
        "intent": intent.get("name"),
        "confidence": intent.get("confidence"),
        "ranking": [
            {"name": i["name"], "confidence": round(float(i["confidence"]), 4)}
            for i in (parse.get("intent_ranking") or [])[:_RANKING_KEPT]
        ],
        "entities": [
            {"entity": e["entity"], "value": e.get("value")} for e in parse.get("entities") or []
        ],
        "actions": _actions(tracker) if tracker else [],
        "decision": _decision(tracker) if tracker else None,
    }


def _decision(tracker: DialogueStateTracker) -> object:
    """What was decided since the customer's latest message, with its numbers; None for nothing."""
    for event in reversed(tracker.events):
        if event.type_name == "user":
            break
        if isinstance(event, SlotSet) and event.key == DECISION_SLOT:
            return event.value
    return None


def _actions(tracker: DialogueStateTracker) -> list[str]:
    """What was done since the customer's latest message, oldest first."""
    actions: list[str] = []
    for event in reversed(tracker.events):
        if event.type_name == "user":
            break
        if event.type_name == "action":
            actions.insert(0, str(event.as_dict()["name"]))
    return [action for action in actions if action != "action_listen"]

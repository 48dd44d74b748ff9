"""Wishes that wait, in a slot of the conversation, until the bot has nothing to ask any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.wishes import Wish

WAITING_SLOT = "waiting_wishes"
WAIT_SECONDS = 30 * 60.0  # later, the customer has something else in mind
_FALLBACK = "nlu_fallback"
# Who says this while a wish waits wants nothing more.
_ENOUGH = frozenset({"nevermind", "stop_messages", "goodbye"})


def parse_data(wish: Wish) -> dict[str, Any]:
    """Rasa's parse result of a wish; one that is not clear is one that was not understood."""
    kept = ("intent", "intent_ranking", "entities")
    parse = {"text": wish.text, **{key: wish.parse[key] for key in kept if key in wish.parse}}
    if not wish.sure:
        parse["intent"] = {"name": _FALLBACK, "confidence": 1 - wish.confidence}
    return parse


def intent_of(parse: Mapping[str, Any]) -> str:
    """The intent's name; empty where there is none."""
    return str((parse.get("intent") or {}).get("name") or "")


def waiting_in(tracker: DialogueStateTracker | None) -> list[dict[str, Any]]:
    """Parse results of what waits, with the time (``at``, seconds since 1970) of the message."""
    if tracker is None or WAITING_SLOT not in tracker.slots:
        return []
    return [dict(wish) for wish in tracker.get_slot(WAITING_SLOT) or []]


def still_wanted(
    waiting: Sequence[dict[str, Any]], tracker: DialogueStateTracker, now: float, *, refused: bool
) -> list[dict[str, Any]]:
    """Without what is old, and what the customer has come to by themselves.

    Args:
        waiting: See `waiting_in`.
        tracker: The conversation.
        now: Seconds since 1970.
        refused: Whether a form did not take the latest message for an answer: "no" then means that
            the customer does not want to go on.
    """
    latest = intent_of((tracker.latest_message and tracker.latest_message.parse_data) or {})
    if latest in _ENOUGH or (refused and latest == "deny"):
        return []
    return [
        wish
        for wish in waiting
        if intent_of(wish) != latest and now - float(wish.get("at", 0)) < WAIT_SECONDS
    ]

"""How a stored turn ended, and what of it is counted."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.observer import DeliveryOutcome, Observer, TurnOutcome
from bot.dialogue.brain import Answer


def count_turn(observer: Observer, answer: Answer, *, silent: bool) -> TurnOutcome:
    """Tells the observer how sure the bot was and why it handed over.

    Args:
        silent: Whether a human or the queue has the conversation, so that the bot was not asked.
    """
    for understood in answer.understood.values():
        if (confidence := _confidence(understood)) is not None:
            observer.understood(confidence)
    if answer.handoff is not None:
        observer.handed_over(answer.handoff.reason)
        return TurnOutcome.HANDED_OVER
    return TurnOutcome.WITH_HUMAN if silent else TurnOutcome.ANSWERED


def count_sent(observer: Observer, channel: str, messages: int) -> None:
    """Counts messages that were sent by being stored, as delivery counts those that it sends."""
    for _ in range(messages):
        with observer.delivery(channel) as watch:
            watch.ended(DeliveryOutcome.SENT)


def _confidence(understood: object) -> float | None:
    found = understood.get("confidence") if isinstance(understood, Mapping) else None
    return float(found) if isinstance(found, int | float) else None

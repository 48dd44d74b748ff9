"""The built-in desk: the queue is the conversation table, so accepting means writing a brief."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.conversation import HandoffReason
from bot.core.handoff import HandoffCase
from bot.core.identity import Identity

_WHY: dict[HandoffReason, str] = {
    HandoffReason.CUSTOMER_REQUEST: "The customer asked for a human.",
    HandoffReason.LOW_CONFIDENCE: "The bot did not understand, twice in a row or often.",
    HandoffReason.ACTION_FAILED: "A lookup or change in the shop's systems failed.",
    HandoffReason.FORM_LOOP: "The bot asked for the same thing twice without getting further.",
    HandoffReason.REPEATED_QUESTION: "The customer asked the same again: the answers did not help.",
    HandoffReason.COMPLAINT: "The customer is unhappy.",
    HandoffReason.POLICY: "The shop's rules leave this to a human.",
    HandoffReason.ENGINE_ERROR: "The bot itself failed while answering.",
}
_KNOWN: dict[Identity, str] = {
    Identity.ANONYMOUS: "Who is writing is not proven.",
    Identity.CONFIRMED: "The customer proved an order with its e-mail or phone.",
    Identity.CHANNEL_VERIFIED: "The customer's phone number is verified by the channel.",
}
_QUOTED = 2
_QUOTE_LENGTH = 160


class DeskHandoff:
    """`bot.core.handoff.Handoff` for the desk of this installation."""

    name = "desk"

    async def accept(self, case: HandoffCase) -> str:
        """Writes the brief."""
        lines = [_WHY[case.reason]]
        quotes = [_shortened(text) for text in case.asked[-_QUOTED:] if text]
        if quotes:
            lines.append("Last said: " + " / ".join(f"“{quote}”" for quote in quotes))
        topic = next((i for i in reversed(case.intents) if i not in _NO_TOPIC), None)
        if topic:
            lines.append(f"About: {topic.replace('_', ' ')}.")
        facts = _facts(case.evidence)
        if facts:
            lines.append(f"Known: {facts}.")
        lines.append(_KNOWN[case.identity])
        return "\n".join(lines)

    async def aclose(self) -> None:
        """Nothing is open."""


_NO_TOPIC = {
    "nlu_fallback", "out_of_scope", "greet", "thank", "goodbye", "affirm", "deny", "inform",
    "request_human", "complain",
}  # fmt: skip


def _shortened(text: str) -> str:
    return text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1] + "…"


def _facts(evidence: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in evidence.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    )


def create(options: Mapping[str, object]) -> DeskHandoff:
    """The desk needs no options."""
    return DeskHandoff()

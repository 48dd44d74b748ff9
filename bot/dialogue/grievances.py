"""What in a conversation speaks against the bot going on, read from Rasa's events.

Only what happened since a human last took over counts: what an agent settled is settled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rapidfuzz import fuzz
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SlotSet,
    UserUttered,
)

from bot.core.decision import FOREIGN, NOT_UNDERSTOOD

# The slot in which the action that asks "did you mean" counts.
ASKED_SLOT = "low_confidence_count"
MESSAGES_LOOKED_AT = 12

_NO_TOPIC = {NOT_UNDERSTOOD, FOREIGN, "inform"}
_REFUSAL = "utter_refused"
_ALIKE = 85
_ANGRY_INTENT = "complain"
_ANGRY = re.compile(
    r"[😠😡🤬👿💢]|!{3,}|"
    r"\b(?:wtf|ffs|stfu|f+u+c+k\w*|sh[i1]t\w*|bullshit|crap|damn\w*|bloody hell|useless|"
    r"ridiculous|pathetic|rubbish bot|stupid\w*|idiot\w*|scam\w*)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHOUTED_WORDS, _SHOUTED_LETTERS = 3, 12


@dataclass(slots=True)
class Exchange:
    """One customer message and what followed it.

    Attributes:
        message: What was written and understood.
        form, wanted: The form that was asking before the message, and the slot it asked for.
        form_after, wanted_after: The same when the next message came.
        slots: What was set, in order.
        responses: The names of the responses given.
        actions: The names of the actions that ran.
        left_form: Whether the form let the message pass to something else.
        handed_over: Whether it ended with a human.
    """

    message: UserUttered
    form: str | None = None
    wanted: str | None = None
    form_after: str | None = None
    wanted_after: str | None = None
    slots: list[tuple[str, object]] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    left_form: bool = False
    handed_over: bool = False

    @property
    def intent(self) -> str:
        """What was understood."""
        return str(self.message.intent_name or "")

    @property
    def text(self) -> str:
        """What was typed; empty for a pressed button and for a reminder, which nobody wrote."""
        text = str(self.message.text or "")
        written = not (self.message.metadata or {}).get("is_external")
        return text if written and not text.startswith("/") else ""

    @property
    def values(self) -> set[str]:
        """The values that the message names."""
        return {str(each.get("value")).casefold() for each in self.message.entities or ()}

    @property
    def filled(self) -> bool:
        """Whether the message gave what the form had asked for."""
        return self.wanted is not None and any(
            name == self.wanted and value is not None for name, value in self.slots
        )

    @property
    def asked(self) -> bool:
        """Whether the bot asked what was meant."""
        counts = [value for name, value in self.slots if name == ASKED_SLOT]
        return bool(counts and counts[-1])


def exchanges(events: Iterable[Event]) -> list[Exchange]:
    """The latest exchanges, oldest first; the last one is the current message's."""
    found: list[Exchange] = []
    form: str | None = None
    wanted: str | None = None
    for event in events:
        if isinstance(event, ActiveLoop):
            form = event.name
        elif isinstance(event, SlotSet) and event.key == REQUESTED_SLOT:
            wanted = event.value
        if isinstance(event, UserUttered):
            found.append(Exchange(event, form, wanted))
        if found:
            found[-1].form_after, found[-1].wanted_after = form, wanted
            _note(found[-1], event)
    handed = [number for number, each in enumerate(found) if each.handed_over]
    return found[handed[-1] + 1 if handed else 0 :][-MESSAGES_LOOKED_AT:]


def _note(exchange: Exchange, event: Event) -> None:
    if isinstance(event, SlotSet):
        exchange.slots.append((event.key, event.value))
    elif isinstance(event, BotUttered):
        exchange.responses.append(str((event.metadata or {}).get("utter_action") or ""))
        custom = (event.data or {}).get("custom") or {}
        exchange.handed_over |= "handoff" in custom
    elif isinstance(event, ActionExecutionRejected):
        exchange.left_form = True
    elif isinstance(event, ActionExecuted) and event.action_name:
        exchange.actions.append(event.action_name)


def signs(talk: list[Exchange]) -> dict[str, int]:
    """How often each sign of `bot.core.decision.Grievances` is seen in these exchanges."""
    if not talk:
        return {}
    *before, now = talk
    asked = [each.asked for each in before]
    return {
        "asked_just_before": int(bool(asked) and asked[-1]),
        "asked_before": sum(asked[:-1]),
        "rephrased": _repeats(before, now),
        "form_circles": sum(map(_circled, before)),
        "refused": sum(any(r.startswith(_REFUSAL) for r in each.responses) for each in before),
        "anger": sum(map(is_angry, talk)),
    }


def _repeats(before: list[Exchange], now: Exchange) -> int:
    """How often the current question was answered already, and not to the customer's content."""
    return sum(
        _answered(each) and _the_same(each, now) for each in before if now.text and not now.form
    )


def _answered(exchange: Exchange) -> bool:
    """Something was said that was no question back."""
    return bool(exchange.responses) and not exchange.asked and exchange.form_after is None


def _the_same(earlier: Exchange, now: Exchange) -> bool:
    """The same request with nothing new in it, or nearly the same words."""
    if not earlier.text or now.values - earlier.values:
        return False
    if earlier.intent == now.intent and now.intent not in _NO_TOPIC:
        return True
    return fuzz.token_sort_ratio(earlier.text.casefold(), now.text.casefold()) >= _ALIKE


def _circled(exchange: Exchange) -> bool:
    """A form asked for the same thing again, although the customer did not talk of other things."""
    stayed = exchange.wanted is not None and (exchange.form, exchange.wanted) == (
        exchange.form_after,
        exchange.wanted_after,
    )
    return stayed and (not exchange.left_form or exchange.intent in _NO_TOPIC)


def is_angry(exchange: Exchange) -> bool:
    """Strong words, shouting, an angry face, or a complaint."""
    if exchange.intent == _ANGRY_INTENT or _ANGRY.search(exchange.text):
        return True
    words = _WORD.findall(exchange.text)
    shouted = "".join(words)
    loud = len(words) >= _SHOUTED_WORDS and len(shouted) >= _SHOUTED_LETTERS
    return loud and shouted.isupper()

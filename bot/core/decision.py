"""Answer, ask or hand over: whichever is expected to cost the least.

All costs are in one unit, the minutes of a human agent; only their proportions count. The decision
has two halves. `weigh` looks at the message alone: is answering cheaper than asking? `decide` looks
at the whole conversation: would a human be cheaper than going on? Whatever speaks against the bot
makes going on dearer and never asking cheaper, so a conversation that goes badly ends with a human
and not with a bolder bot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.conversation import HandoffReason

NOT_UNDERSTOOD, FOREIGN = "nlu_fallback", "out_of_scope"  # Rasa's and this project's names
OFFERED = 2

Guess = tuple[str, float]


class Kind(StrEnum):
    """What the bot does with a message."""

    ANSWER = "answer"
    ASK = "ask"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Costs:
    """What each outcome costs.

    Attributes:
        caution: What all costs of wrong answers are multiplied with: the one knob for fewer errors.
        wrong_answer: Doing what the customer did not mean.
        wrong_answer_of: The same for single intents.
        question: "Did you mean": the customer's time and patience.
        failed_question: On top, when none of the offered meanings is right.
        hand_over: An agent takes the conversation.
        never_offered: Intents that no question offers, e.g. small talk.
    """

    caution: float = 1.0
    wrong_answer: float = 6.0
    wrong_answer_of: Mapping[str, float] = field(default_factory=dict)
    question: float = 2.0
    failed_question: float = 3.0
    hand_over: float = 6.0
    never_offered: frozenset[str] = frozenset()

    def of_wrong(self, intent: str) -> float:
        """The cost of acting on this intent when something else was meant."""
        return self.caution * self.wrong_answer_of.get(intent, self.wrong_answer)


@dataclass(frozen=True, slots=True)
class Grievances:
    """What each sign of a conversation that goes badly adds to the cost of going on.

    Attributes:
        asked_just_before: The bot's previous turn was a question of this kind; counts only against
            asking again.
        asked_before: Each earlier question of this kind.
        rephrased: Each time the customer asked the same again after an answer.
        form_circles: Each time a form had to ask for the same thing again.
        refused: Each request that the shop's systems refused.
        anger: Each angry message, this one included.
    """

    asked_just_before: float = 6.0
    asked_before: float = 1.0
    rephrased: float = 3.0
    form_circles: float = 2.0
    refused: float = 2.0
    anger: float = 3.0

    def of(self, signs: Mapping[str, int]) -> dict[str, float]:
        """What signs that were seen so often add, by sign."""
        return {name: count * float(getattr(self, name)) for name, count in signs.items() if count}


_REASONS: dict[str, HandoffReason] = {
    "asked_just_before": HandoffReason.LOW_CONFIDENCE,
    "asked_before": HandoffReason.LOW_CONFIDENCE,
    "rephrased": HandoffReason.REPEATED_QUESTION,
    "form_circles": HandoffReason.FORM_LOOP,
    "refused": HandoffReason.POLICY,
    "anger": HandoffReason.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message on its own.

    Attributes:
        kind: ANSWER or ASK.
        best: The likeliest meaning; None where there is no guess at all.
        offered: What a question would offer, likeliest first.
        answer, ask: Their expected costs.
    """

    kind: Kind
    best: Guess | None
    offered: tuple[Guess, ...]
    answer: float
    ask: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a message, and the numbers that say so.

    Attributes:
        kind: The cheapest of the three.
        offered: What a question would offer, likeliest first.
        expected: The expected cost of each kind, grievances included.
        grievances: What the conversation adds, by sign.
        reason: Why a human is needed; None where none is.
        weighed: False where the message was answered whatever the numbers said, e.g. in a form.
    """

    kind: Kind
    offered: tuple[Guess, ...]
    expected: Mapping[Kind, float]
    grievances: Mapping[str, float]
    reason: HandoffReason | None = None
    weighed: bool = True

    def as_facts(self) -> dict[str, object]:
        """For storage: names and numbers, nothing that the customer wrote."""
        return {
            "kind": self.kind.value,
            "offered": [{"intent": name, "probability": round(p, 3)} for name, p in self.offered],
            "expected": {kind.value: round(cost, 2) for kind, cost in self.expected.items()},
            "signals": {name: round(cost, 2) for name, cost in self.grievances.items()},
            "reason": self.reason.value if self.reason else None,
            "weighed": self.weighed,
        }


def weigh(ranking: Sequence[Guess], costs: Costs) -> Weighed:
    """Whether to answer or to ask, by the message alone.

    Args:
        ranking: Intents with calibrated probabilities, likeliest first. `FOREIGN` has the
            probability that no intent is meant, `NOT_UNDERSTOOD` is passed over. What is missing
            from a cut ranking counts as something else.
        costs: What each outcome costs.

    Returns:
        ASK also where `FOREIGN` is likeliest: however cheap an error, there is nothing to answer.
    """
    guesses = [guess for guess in ranking if guess[0] != NOT_UNDERSTOOD]
    known = [guess for guess in guesses if guess[0] != FOREIGN]
    offered = tuple([guess for guess in known if guess[0] not in costs.never_offered][:OFFERED])
    missed = max(0.0, 1.0 - sum(probability for _, probability in offered))
    ask = costs.question + missed * costs.failed_question
    if not known:
        best = guesses[0] if guesses else None
        return Weighed(Kind.ASK, best, (), costs.caution * costs.wrong_answer, ask)
    name, probability = known[0]
    answer = (1.0 - probability) * costs.of_wrong(name)
    kind = Kind.ANSWER if known[0] == guesses[0] and answer <= ask else Kind.ASK
    return Weighed(kind, guesses[0], offered, answer, ask)


def decide(message: Weighed, costs: Costs, against: Mapping[str, float]) -> Decision:
    """What to do, by the whole conversation.

    Args:
        message: What `weigh` made of the message.
        costs: What outcomes cost.
        against: What speaks against going on, from `Grievances.of`.
    """
    grievances = {
        name: cost
        for name, cost in against.items()
        if cost and (message.kind is Kind.ASK or name != "asked_just_before")
    }
    general = sum(c for name, c in grievances.items() if name != "asked_just_before")
    expected = {
        Kind.ANSWER: message.answer + general,
        Kind.ASK: message.ask + general + grievances.get("asked_just_before", 0.0),
        Kind.HAND_OVER: costs.hand_over,
    }
    if expected[message.kind] < costs.hand_over:
        return Decision(message.kind, message.offered, expected, grievances)
    reason = _reason(grievances)
    return Decision(Kind.HAND_OVER, message.offered, expected, grievances, reason)


def _reason(grievances: Mapping[str, float]) -> HandoffReason:
    """The heaviest sign tells why."""
    if not grievances:
        return HandoffReason.LOW_CONFIDENCE
    return _REASONS[max(grievances, key=lambda name: grievances[name])]

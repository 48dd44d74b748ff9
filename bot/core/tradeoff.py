"""What costs do to a set of messages: wrong answers against questions and humans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.core.decision import Costs, Guess, Kind, decide, weigh

# Of `Costs.caution`, as multiples of today's.
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One message.

    Attributes:
        ranking: What it may have meant, as `bot.core.decision.weigh` takes it.
        meant: What it did mean; None where nobody knows, and the probabilities are believed.
        against: What spoke against going on when it came.
    """

    ranking: Sequence[Guess]
    meant: str | None = None
    against: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many messages end how; fractions where probabilities stand in for the truth.

    Attributes:
        right, wrong: Answered.
        helped: Asked, and what was meant is among what was offered.
        missed: Asked in vain: a human is next.
        handed_over: Given to a human at once.
    """

    right: float = 0.0
    wrong: float = 0.0
    helped: float = 0.0
    missed: float = 0.0
    handed_over: float = 0.0

    @property
    def total(self) -> float:
        """How many messages there are."""
        return self.right + self.wrong + self.asked + self.handed_over

    @property
    def asked(self) -> float:
        """All questions."""
        return self.helped + self.missed

    @property
    def humans(self) -> float:
        """All that end with a human."""
        return self.missed + self.handed_over

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.right + other.right,
            self.wrong + other.wrong,
            self.helped + other.helped,
            self.missed + other.missed,
            self.handed_over + other.handed_over,
        )


def outcome(cases: Sequence[Case], costs: Costs) -> Outcome:
    """What happens to these messages when things cost this much."""
    return sum((_outcome_of(case, costs) for case in cases), Outcome())


def curve(cases: Sequence[Case], costs: Costs) -> list[tuple[float, Outcome]]:
    """The outcome for each value of ``caution`` from nothing to five times today's."""
    cautions = [step * (costs.caution or 1.0) for step in STEPS]
    return [(c, outcome(cases, replace(costs, caution=c))) for c in cautions]


def _outcome_of(case: Case, costs: Costs) -> Outcome:
    message = weigh(case.ranking, costs)
    kind = decide(message, costs, case.against).kind
    if kind is Kind.HAND_OVER:
        return Outcome(handed_over=1.0)
    if kind is Kind.ASK:
        helped = _chance(case, message.offered)
        return Outcome(helped=helped, missed=1.0 - helped)
    right = _chance(case, [message.best] if message.best else [])
    return Outcome(right=right, wrong=1.0 - right)


def _chance(case: Case, guesses: Sequence[Guess]) -> float:
    """How probably one of these is what was meant."""
    if case.meant is None:
        return min(1.0, sum(probability for _, probability in guesses))
    return float(any(name == case.meant for name, _ in guesses))

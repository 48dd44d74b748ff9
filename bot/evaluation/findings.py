"""What a designer can mend: intents that are mixed up, labels that look wrong, texts that clash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.evaluation.assistant import Asked, Labelled, plain
from bot.evaluation.neighbours import Neighbours
from bot.evaluation.predictions import OUT_OF_SCOPE

# From here on, an example that is taken for another intent probably belongs there.
SURE = 0.8
# Texts this near say the same; measured on pairs like "wrong item" and "missing item" (0.9).
NEAR = 0.95
_PAIRS, _CLASHES = 12, 50
_SHOWN = 6
_CLOSEST = 3


@dataclass(frozen=True, slots=True)
class Confusion:
    """A message that was taken for another intent.

    Attributes:
        text, intent: As it is labelled.
        taken_for: The first choice.
        confidence: In it.
        cause: The nearest example of the intent that it was taken for.
    """

    text: str
    intent: str
    taken_for: str
    confidence: float
    cause: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two examples of different intents, and their cosine."""

    first: Labelled
    second: Labelled
    cosine: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two intents that are mixed up.

    Attributes:
        first, second: Their names; more of the first are taken for the second than the other way.
        there, back: How often the first is taken for the second, and the other way.
        messages: Some of the messages, the surest mistakes first.
        nearest: The examples of both that are nearest to each other.
    """

    first: str
    second: str
    there: int
    back: int
    messages: list[Confusion]
    nearest: list[Likeness]

    @property
    def count(self) -> int:
        """How many messages are mixed up, in both directions."""
        return self.there + self.back


@dataclass(frozen=True, slots=True)
class Repetition:
    """A text that stands in the training data more than once, and the intents it stands in."""

    texts: list[str]
    intents: list[str]


@dataclass(frozen=True, slots=True)
class Findings:
    """All of them, the most urgent of each kind first.

    Attributes:
        pairs: Intents that are mixed up most.
        mistakes: All examples that were taken for another intent, the surest first.
        mislabelled: Those of them that a model is sure of.
        conflicts: The same text in several intents.
        near: Nearly the same text in two intents.
        duplicates: The same text several times in one intent.
    """

    pairs: list[Pair]
    mistakes: list[Confusion]
    mislabelled: list[Confusion]
    conflicts: list[Repetition]
    near: list[Likeness]
    duplicates: list[Repetition]


def find(examples: Sequence[Labelled], folds: Sequence[Asked], near: Neighbours) -> Findings:
    """Looks through the training data and what models that had not learned an example said of it.

    Args:
        examples: The training data.
        folds: The same, asked out of fold.
        near: Tells which examples are alike; made of `examples`.
    """
    missed = [a for a in folds if a.prediction.intent not in (a.message.intent, None)]
    mistakes = [_confusion(asked, near) for asked in missed]
    mistakes.sort(key=lambda c: -c.confidence)
    sure = [c for c in mistakes if c.confidence >= SURE]
    repeated = _repeated(examples)
    return Findings(
        pairs=_pairs(mistakes, near),
        mistakes=mistakes,
        # What is foreign has no topic of its own: there, being taken for another says little.
        mislabelled=[c for c in sure if c.intent != OUT_OF_SCOPE],
        conflicts=[r for r in repeated if len(r.intents) > 1],
        near=_near(examples, near),
        duplicates=[r for r in repeated if len(r.intents) == 1],
    )


def _confusion(asked: Asked, near: Neighbours) -> Confusion:
    taken_for = str(asked.prediction.intent)
    cause = near.nearest(asked.message.text, taken_for)
    return Confusion(
        asked.message.text, asked.message.intent, taken_for, asked.prediction.confidence, cause
    )


def _pairs(mistakes: Sequence[Confusion], near: Neighbours) -> list[Pair]:
    counts = Counter((c.intent, c.taken_for) for c in mistakes)
    totals = Counter(tuple(sorted(pair)) for pair in counts.elements())
    found = []
    for (one, other), _ in totals.most_common(_PAIRS):
        first, second = max([(one, other), (other, one)], key=lambda pair: counts[pair])
        found.append(
            Pair(
                first,
                second,
                counts[first, second],
                counts[second, first],
                [c for c in mistakes if {c.intent, c.taken_for} == {first, second}][:_SHOWN],
                [Likeness(a, b, cosine) for a, b, cosine in near.across(first, second, _CLOSEST)],
            )
        )
    return found


def _repeated(examples: Sequence[Labelled]) -> list[Repetition]:
    same: dict[str, list[Labelled]] = {}
    for example in examples:
        same.setdefault(plain(example.text), []).append(example)
    return [
        Repetition([e.text for e in group], sorted({e.intent for e in group}))
        for group in same.values()
        if len(group) > 1
    ]


def _near(examples: Sequence[Labelled], near: Neighbours) -> list[Likeness]:
    """Pairs of different intents above `NEAR`, without those that are equal."""
    found = [
        Likeness(examples[i], examples[j], cosine)
        for i, j, cosine in near.above(NEAR)
        if plain(examples[i].text) != plain(examples[j].text)
    ]
    order = np.argsort([-each.cosine for each in found], kind="stable")
    return [found[i] for i in order[:_CLASHES]]

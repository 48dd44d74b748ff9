"""The figures by which understanding is judged, each defined once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BINS = 15
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Score:
    """How well one class is recognised.

    Attributes:
        precision: Of what was taken for it, the share that is it; 0 where nothing was.
        recall: Of what is it, the share that was taken for it; 0 where nothing is.
        f1: Their harmonic mean.
        support: How many there are.
    """

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def of(cls, right: int, taken: int, there: int) -> Score:
        """From counts: taken for it and right, taken for it, and how many there are."""
        both = taken + there
        return cls(
            right / taken if taken else 0.0,
            right / there if there else 0.0,
            2 * right / both if both else 0.0,
            there,
        )


def accuracy(truth: Sequence[str], predicted: Sequence[str | None]) -> float:
    """The share of messages whose first choice is right, 0 to 1."""
    return sum(t == p for t, p in zip(truth, predicted, strict=True)) / len(truth)


def by_intent(truth: Sequence[str], predicted: Sequence[str | None]) -> dict[str, Score]:
    """The scores of each intent that is in the data or was predicted, by name."""
    there, taken = Counter(truth), Counter(p for p in predicted if p is not None)
    right = Counter(t for t, p in zip(truth, predicted, strict=True) if t == p)
    return {name: Score.of(right[name], taken[name], there[name]) for name in sorted(there | taken)}


def macro_f1(truth: Sequence[str], predicted: Sequence[str | None]) -> float:
    """The mean F1 of all intents that are in the data or were predicted, as in scikit-learn."""
    return float(np.mean([score.f1 for score in by_intent(truth, predicted).values()]))


@dataclass(frozen=True, slots=True)
class Bin:
    """Messages of about the same confidence.

    Attributes:
        low, high: The bin's bounds.
        count: How many messages.
        confidence: Their mean confidence.
        accuracy: The share of them that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def calibration(confidence: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Bins of equal width that hold at least one message."""
    sure, hit = np.asarray(confidence, float), np.asarray(right, bool)
    number = np.minimum((sure * bins).astype(int), bins - 1)
    return [
        Bin(
            i / bins,
            (i + 1) / bins,
            int(own.sum()),
            float(sure[own].mean()),
            float(hit[own].mean()),
        )
        for i in range(bins)
        if (own := number == i).any()
    ]


def ece(confidence: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error, 0 to 1: how far confidence is from the share that is right.

    Of the first choice, in bins of equal width (https://arxiv.org/abs/1706.04599).
    """
    found = calibration(confidence, right, bins)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in found) / len(confidence)


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float:
    """How probably a message in scope scores higher than one out of scope; 0.5 is chance."""
    ordered = np.sort(np.asarray(outside, float))
    # How many of those outside are below each one inside; equal ones count half.
    below = [np.searchsorted(ordered, np.asarray(inside, float), side) for side in _SIDES]
    return float(np.mean(below) / len(ordered))


def caught_at(inside: Sequence[float], outside: Sequence[float], accepted: float = 0.95) -> float:
    """The share of messages out of scope that is refused while `accepted` of the others is not."""
    threshold = np.quantile(np.asarray(inside, float), 1 - accepted, method="lower")
    return float(np.mean(np.asarray(outside, float) < threshold))


def percent(share: float, digits: int = 1) -> str:
    """A share of 0 to 1 as people read it."""
    return f"{share * 100:.{digits}f} %"

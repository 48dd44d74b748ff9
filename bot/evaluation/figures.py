"""What was asked, as figures: for the folds, for messages kept aside, for messages out of scope."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.evaluation import metrics
from bot.evaluation.assistant import Answers, Asked
from bot.evaluation.metrics import Bin, Score
from bot.evaluation.predictions import OUT_OF_SCOPE, is_answered, outcome


@dataclass(frozen=True, slots=True)
class Understanding:
    """How well a set of messages in known intents is understood.

    Attributes:
        messages: How many.
        accuracy, macro_f1, ece: Of the first choice, 0 to 1.
        right, asked, wrong: The share that is answered right, asked back and answered wrong.
        intents: The scores of each intent.
        bins: Confidence against the share that is right.
        entities: The scores of each entity type that is annotated, and of all as ``""``.
    """

    messages: int
    accuracy: float
    macro_f1: float
    ece: float
    right: float
    asked: float
    wrong: float
    intents: dict[str, Score]
    bins: list[Bin]
    entities: dict[str, Score]

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> Understanding:
        """From at least one message."""
        truth = [a.message.intent for a in asked]
        first = [a.prediction.intent for a in asked]
        sure = [a.prediction.confidence for a in asked]
        hit = [t == p for t, p in zip(truth, first, strict=True)]
        ends = Counter(outcome(a.prediction, a.message.intent) for a in asked)
        return cls(
            messages=len(asked),
            accuracy=metrics.accuracy(truth, first),
            macro_f1=metrics.macro_f1(truth, first),
            ece=metrics.ece(sure, hit),
            right=ends["right"] / len(asked),
            asked=ends["asked"] / len(asked),
            wrong=ends["wrong"] / len(asked),
            intents=metrics.by_intent(truth, first),
            bins=metrics.calibration(sure, hit, bins=10),
            entities=entity_scores(asked),
        )


def entity_scores(asked: Sequence[Asked]) -> dict[str, Score]:
    """F1 of each annotated type: right are those with the same type, start and end.

    Types that no message annotates (those that rules find, often) are left out: nothing says which
    of them are right. The key ``""`` is all types together; empty where none is annotated.
    """
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for each in asked:
        truth = {_place(e) for e in each.message.entities}
        taken = {_place(e) for e in each.prediction.entities}
        there.update(name for name, *_ in truth)
        found.update(name for name, *_ in taken)
        right.update(name for name, *_ in truth & taken)
    if not there:
        return {}
    scores = {name: Score.of(right[name], found[name], there[name]) for name in sorted(there)}
    known = sum(found[name] for name in there)
    return {**scores, "": Score.of(right.total(), known, there.total())}


def _place(entity: Mapping[str, Any]) -> tuple[str, int, int]:
    return str(entity["entity"]), int(entity["start"]), int(entity["end"])


@dataclass(frozen=True, slots=True)
class Scope:
    """How messages out of scope are told from the others.

    The threshold is put on the confidence in the surest intent that is not out_of_scope.

    Attributes:
        messages: How many are out of scope.
        not_answered: The share of them that the bot does not answer, as it decides today.
        accepted: The share of messages in scope that it does answer, as it decides today.
        auroc: How probably a message in scope scores higher; 0.5 is chance.
        caught_at_95: The share refused while 95 % of those in scope are accepted.
        curve: Share of in-scope accepted and share of out-of-scope answered, for every threshold.
    """

    messages: int
    not_answered: float
    accepted: float
    auroc: float
    caught_at_95: float
    curve: list[tuple[float, float]]

    @classmethod
    def of(cls, inside: Sequence[Asked], outside: Sequence[Asked]) -> Scope:
        """From at least one message of each kind."""
        mine = np.array([a.prediction.acceptance for a in inside])
        theirs = np.array([a.prediction.acceptance for a in outside])
        steps = np.unique(np.quantile(mine, np.linspace(0, 1, 101)))
        curve = [(float(np.mean(mine >= s)), float(np.mean(theirs >= s))) for s in steps]
        return cls(
            messages=len(outside),
            not_answered=float(np.mean([not is_answered(a.prediction) for a in outside])),
            accepted=float(np.mean([is_answered(a.prediction) for a in inside])),
            auroc=metrics.auroc(list(mine), list(theirs)),
            caught_at_95=metrics.caught_at(list(mine), list(theirs)),
            curve=[(1.0, 1.0), *curve, (0.0, 0.0)],
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of an assistant; None where there were no such messages.

    Attributes:
        examples: How many examples the training data has, and how many intents.
        unscored: How many examples are alone in their intent, so that none could teach them.
        median_ms: The time of one message, text to intent and entities.
    """

    examples: int
    intents: int
    unscored: int
    folds: Understanding
    held_out: Understanding | None
    scope: Scope | None
    median_ms: float

    @classmethod
    def of(cls, answers: Answers) -> Figures:
        """From all that was asked."""
        return cls(
            examples=len(answers.examples),
            intents=len({e.intent for e in answers.examples}),
            unscored=len(answers.examples) - len(answers.folds),
            folds=Understanding.of(answers.folds),
            held_out=Understanding.of(answers.held_out) if answers.held_out else None,
            scope=_scope(answers),
            median_ms=statistics.median(answers.milliseconds),
        )


def _scope(answers: Answers) -> Scope | None:
    """On messages kept aside where there are some, else on examples of out_of_scope."""
    known = answers.held_out or answers.folds
    inside = [a for a in known if a.message.intent != OUT_OF_SCOPE]
    outside = answers.strange or [a for a in known if a.message.intent == OUT_OF_SCOPE]
    return Scope.of(inside, outside) if inside and outside else None

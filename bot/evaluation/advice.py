"""The things that are worth mending first, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.evaluation.figures import Figures
from bot.evaluation.findings import Findings, Pair
from bot.evaluation.metrics import percent
from bot.evaluation.predictions import OUT_OF_SCOPE

_WEAK_RECALL, _WEAK_ENTITY, _WEAK_ECE = 0.75, 0.8, 0.1
_FEW = 10
_WANTED = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend.

    Attributes:
        title: What is wrong, in a few words.
        step: What to do about it.
        quotes: Messages that show it.
        weight: About how many of the messages asked it concerns; decides the order.
    """

    title: str
    step: str
    quotes: list[str]
    weight: float


def advise(figures: Figures, findings: Findings) -> list[Advice]:
    """The three that concern most messages, at most one of each kind while there are others."""
    first = [*_conflicts(findings), *_labels(findings), *_weak(figures, findings), *_scope(figures)]
    first += [*_entities(figures), *_few(figures), *_calibration(figures)]
    pairs = [_mixed(pair) for pair in findings.pairs if pair.count > 1]
    chosen = sorted([*first, *pairs[:1]], key=lambda advice: -advice.weight)
    return [*chosen, *pairs[1:]][:_WANTED]


def _conflicts(findings: Findings) -> Iterator[Advice]:
    if findings.conflicts:
        count = len(findings.conflicts)
        yield Advice(
            f"{_times(count, 'text')} in more than one intent",
            "Decide for one intent each: a model cannot learn both.",
            [f"{r.texts[0]} ({', '.join(r.intents)})" for r in findings.conflicts[:3]],
            # A contradiction is mended in a minute, and always worth it.
            weight=1000 + count,
        )


def _mixed(pair: Pair) -> Advice:
    quotes = [f"{c.text} ({c.intent}, taken for {c.taken_for})" for c in pair.messages[:3]]
    return Advice(
        f"{pair.first} and {pair.second} are mixed up {pair.count} times",
        "Move what stands in the wrong one, add examples of what tells them apart, or join them if "
        "the bot answers both in the same way.",
        quotes,
        weight=pair.count,
    )


def _labels(findings: Findings) -> Iterator[Advice]:
    if findings.mislabelled:
        count = len(findings.mislabelled)
        yield Advice(
            f"{count} example{'s look' if count > 1 else ' looks'} like another intent",
            "Read the list below. Move what belongs there; for the others, add examples like them.",
            [f"{c.text} ({c.intent}; rather {c.taken_for})" for c in findings.mislabelled[:3]],
            weight=count,
        )


def _weak(figures: Figures, findings: Findings) -> Iterator[Advice]:
    scores = figures.folds.intents.items()
    # What is foreign has no words of its own; how it fares is said of the scope.
    weak = [
        (n, s) for n, s in scores if s.support and s.recall < _WEAK_RECALL and n != OUT_OF_SCOPE
    ]
    if weak:
        name, score = max(weak, key=lambda item: (1 - item[1].recall) * item[1].support)
        missed = [c for c in findings.mistakes if c.intent == name]
        yield Advice(
            f"{name} is recognised in {percent(score.recall, 0)} of its messages only",
            "Add examples in other words than those it has, of what customers really write.",
            [f"{c.text} (taken for {c.taken_for})" for c in missed[:3]],
            weight=(1 - score.recall) * score.support,
        )


def _scope(figures: Figures) -> Iterator[Advice]:
    scope = figures.scope
    if scope and scope.not_answered < 1:
        answered = 1 - scope.not_answered
        yield Advice(
            f"{percent(answered, 0)} of the messages out of scope would be answered",
            "Add examples of what the bot should not answer to the intent out_of_scope, most of "
            "them near to what it does answer.",
            [],
            weight=answered * scope.messages,
        )


def _entities(figures: Figures) -> Iterator[Advice]:
    scores = [(n, s) for n, s in figures.folds.entities.items() if n and s.f1 < _WEAK_ENTITY]
    if scores:
        name, score = max(scores, key=lambda item: (1 - item[1].f1) * item[1].support)
        yield Advice(
            f"The entity {name} has an F1 of {percent(score.f1, 0)}",
            "Annotate it in every example where it stands, or name its words in a lookup table.",
            [],
            weight=(1 - score.f1) * score.support,
        )


def _few(figures: Figures) -> Iterator[Advice]:
    scores = figures.folds.intents.items()
    few = [(name, s.support) for name, s in scores if 0 < s.support < _FEW]
    if few or figures.unscored:
        count = len(few) + figures.unscored
        yield Advice(
            f"{_times(count, 'intent')} with fewer than {_FEW} examples",
            "Ten make a start, twenty and more work better.",
            [f"{name}: {number}" for name, number in sorted(few, key=lambda i: i[1])[:3]],
            weight=sum(_FEW - number for _, number in few) + _FEW * figures.unscored,
        )


def _calibration(figures: Figures) -> Iterator[Advice]:
    found = figures.folds
    if found.ece > _WEAK_ECE:
        yield Advice(
            f"Confidence is {percent(found.ece, 0)} away from how often the bot is right",
            "Thresholds on it mean little: use a classifier that is calibrated, such as "
            "bot.nlu.intent_classifier.IntentClassifier.",
            [],
            weight=found.ece * found.messages / 2,
        )


def _times(count: int, noun: str) -> str:
    return f"1 {noun} is" if count == 1 else f"{count} {noun}s are"

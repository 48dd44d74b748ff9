"""What a designer is told to look at, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.evaluation.advice import advise
from bot.evaluation.figures import Figures, Scope
from bot.evaluation.findings import Findings, find
from tests.unit.evaluation.asked import EXAMPLES, FOLDS, answers, asked, neighbours


@pytest.fixture(scope="module")
def findings() -> Findings:
    return find(EXAMPLES, FOLDS, neighbours())


def test_pairs_with_the_examples_that_cause_them(findings: Findings) -> None:
    pairs = {(pair.first, pair.second): pair for pair in findings.pairs}
    lost = pairs.get(("status", "lost")) or pairs["lost", "status"]
    assert (lost.there, lost.back, lost.count) == (1, 1, 2)
    assert findings.pairs[0] == lost
    surest = lost.messages[0]
    assert (surest.text, surest.taken_for) == ("parcel never came", "lost")
    assert surest.cause == "my parcel is lost"
    near = [(each.first.text, each.second.text) for each in lost.nearest]
    assert {"parcel never came", "my parcel is lost"} == set(near[0])
    assert len(near) == 2, "each example once"


def test_labels_that_look_wrong(findings: Findings) -> None:
    found = [(each.text, each.intent, each.taken_for) for each in findings.mislabelled]
    assert found == [("hi", "bye", "greet"), ("parcel never came", "status", "lost")]


def test_texts_that_clash_or_repeat(findings: Findings) -> None:
    assert [(each.texts, each.intents) for each in findings.conflicts] == [
        (["hi", "hi"], ["bye", "greet"])
    ]
    assert [each.texts for each in findings.duplicates] == [["hello", "Hello!"]]
    near = [{each.first.text, each.second.text} for each in findings.near]
    assert {"parcel never came", "my parcel is lost"} in near
    assert {"hi"} not in near, "that is a conflict"


def test_nothing_wrong_nothing_found() -> None:
    good = [FOLDS[0], FOLDS[2], FOLDS[4]]
    found = find(EXAMPLES, good, neighbours())
    assert (found.pairs, found.mislabelled) == ([], [])


def test_contradictions_come_first_and_then_what_concerns_most(findings: Findings) -> None:
    figures = Figures.of(answers())
    advice = advise(figures, findings)
    assert len(advice) == 3
    assert advice[0].title == "1 text is in more than one intent"
    assert advice[0].quotes == ["hi (bye, greet)"]
    strange = [asked(str(i), "out_of_scope", ("greet", 0.9)) for i in range(90)]
    scope = Scope.of(FOLDS, strange)
    second = advise(replace(figures, scope=scope), findings)[1]
    assert second.title == "100 % of the messages out of scope would be answered"


def test_a_good_assistant_gets_no_advice() -> None:
    good = [asked(f"{name} {i}", name, (name, 1.0)) for name in "ab" for i in range(20)]
    figures = Figures.of(replace(answers(), folds=good, examples=[a.message for a in good]))
    assert advise(figures, Findings([], [], [], [], [], [])) == []

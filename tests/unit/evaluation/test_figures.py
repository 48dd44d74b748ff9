"""What was asked becomes figures."""

from __future__ import annotations

import pytest

from bot.evaluation.figures import Figures, Scope, Understanding, entity_scores
from tests.unit.evaluation.asked import FOLDS, answers, asked


def test_first_choice_and_what_the_customer_sees() -> None:
    found = Understanding.of(FOLDS)
    assert found.messages == 8
    assert found.accuracy == 5 / 8
    assert (found.right, found.asked, found.wrong) == (5 / 8, 1 / 8, 2 / 8)
    assert found.intents["lost"].recall == 0.5
    assert found.intents["lost"].precision == 0.5
    assert sum(b.count for b in found.bins) == 8


def _entity(name: str, start: int, end: int) -> dict[str, object]:
    return {"entity": name, "start": start, "end": end, "value": "x"}


def test_entities_count_where_type_and_letters_are_right() -> None:
    size, shop = _entity("size", 0, 4), _entity("shop", 9, 12)
    scores = entity_scores(
        [
            asked(
                "a", "x", ("x", 1.0), entities=(size, shop), found=(size, _entity("shop", 9, 15))
            ),
            asked("b", "x", ("x", 1.0), entities=(size,), found=()),
            # Nobody annotates order numbers: that one is found cannot be called wrong.
            asked("c", "x", ("x", 1.0), found=(_entity("order", 0, 3),)),
        ]
    )
    assert set(scores) == {"size", "shop", ""}
    assert (scores["size"].precision, scores["size"].recall) == (1.0, 0.5)
    assert scores["shop"].f1 == 0
    assert scores[""].f1 == pytest.approx(2 * 1 / (2 + 3))
    assert entity_scores(FOLDS) == {}


def test_scope_by_decision_and_by_threshold() -> None:
    inside = [asked(str(i), "a", ("a", 0.5 + i / 20)) for i in range(10)]
    outside = [
        asked("x", "out_of_scope", ("out_of_scope", 0.8), ("a", 0.2)),
        asked("y", "out_of_scope", ("nlu_fallback", 0.7), ("a", 0.3)),
        asked("z", "out_of_scope", ("a", 0.9)),
    ]
    scope = Scope.of(inside, outside)
    assert scope.not_answered == pytest.approx(2 / 3)
    assert (scope.accepted, scope.messages) == (1.0, 3)
    assert scope.caught_at_95 == pytest.approx(2 / 3)
    assert scope.curve[0] == (1.0, 1.0)
    assert scope.curve[-1] == (0.0, 0.0)
    assert scope.curve == sorted(scope.curve, reverse=True)


def test_without_messages_kept_aside_the_folds_speak() -> None:
    found = Figures.of(answers())
    assert (found.held_out, found.scope, found.median_ms, found.unscored) == (None, None, 2.0, 0)
    strange = [asked("x", "out_of_scope", ("greet", 0.1))]
    both = Figures.of(answers(held_out=FOLDS[:2], strange=strange))
    assert both.held_out is not None
    assert both.held_out.messages == 2
    assert both.scope is not None
    assert both.scope.messages == 1

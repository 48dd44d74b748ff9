"""What Rasa returned is read the same way whatever the pipeline has."""

from __future__ import annotations

from typing import Any

import pytest

from bot.evaluation.predictions import Prediction


def _parsed(*ranking: tuple[str, float], **more: Any) -> dict[str, Any]:
    listed = [{"name": name, "confidence": sure} for name, sure in ranking]
    return {"intent": listed[0], "intent_ranking": listed, "entities": [], **more}


def test_the_fallback_is_a_decision_and_no_choice() -> None:
    found = Prediction.of(_parsed(("nlu_fallback", 0.7), ("greet", 0.3), ("bye", 0.1)))
    assert (found.decided, found.intent, found.confidence) == ("nlu_fallback", "greet", 0.3)


def test_out_of_scope_is_a_choice_but_accepts_nothing() -> None:
    found = Prediction.of(_parsed(("out_of_scope", 0.75), ("greet", 0.2)))
    assert (found.intent, found.acceptance) == ("out_of_scope", 0.2)
    assert found.in_scope == pytest.approx(0.25)


def test_what_a_component_says_of_scope_is_preferred() -> None:
    parsed = _parsed(("greet", 0.5), ("out_of_scope", 0.5))
    assert Prediction.of({**parsed, "in_scope": 0.9}).in_scope == 0.9
    assert Prediction.of(_parsed(("greet", 0.5))).in_scope is None


def test_nothing_understood() -> None:
    nothing = {"intent": {"name": None, "confidence": 0.0}, "intent_ranking": [], "entities": []}
    found = Prediction.of(nothing)
    assert (found.intent, found.confidence, found.acceptance, found.decided) == (None, 0, 0, None)


def test_a_classifier_without_a_ranking() -> None:
    found = Prediction.of({"intent": {"name": "greet", "confidence": 1.0}, "entities": []})
    assert found.ranking == (("greet", 1.0),)

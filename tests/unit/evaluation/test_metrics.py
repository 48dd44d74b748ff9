"""The figures, on cases that can be reckoned by hand, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from bot.evaluation import metrics

TRUTH = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "c", "d"]


def test_accuracy_and_f1() -> None:
    assert metrics.accuracy(TRUTH, PREDICTED) == pytest.approx(3 / 6)
    found = metrics.by_intent(TRUTH, PREDICTED)
    assert (found["a"].precision, found["a"].recall, found["a"].support) == (1.0, 2 / 3, 3)
    assert found["a"].f1 == pytest.approx(0.8)
    assert found["c"] == metrics.Score(0.0, 0.0, 0.0, 1)
    assert found["d"].support == 0


def test_macro_f1_is_scikit_learns() -> None:
    expected = f1_score(TRUTH, PREDICTED, average="macro", zero_division=0)
    assert metrics.macro_f1(TRUTH, PREDICTED) == pytest.approx(expected)


def test_no_prediction_is_wrong_and_no_intent() -> None:
    assert metrics.accuracy(["a", "b"], ["a", None]) == 0.5
    assert set(metrics.by_intent(["a", "b"], ["a", None])) == {"a", "b"}


def test_calibration_error_by_hand() -> None:
    # Ten at 0.9 of which six are right, ten at 0.2 of which two are: half of |0.9 - 0.6|.
    confidence = [0.9] * 10 + [0.2] * 10
    right = [True] * 6 + [False] * 4 + [True] * 2 + [False] * 8
    assert metrics.ece(confidence, right) == pytest.approx(0.15)
    low, high = metrics.calibration(confidence, right)
    assert (low.count, high.count) == (10, 10)
    assert low.accuracy == pytest.approx(0.2)
    assert low.low <= 0.2 < low.high


def test_confidence_of_one_is_in_the_last_bin() -> None:
    (only,) = metrics.calibration([1.0, 0.99], [True, True])
    assert (only.count, only.high) == (2, 1.0)
    assert metrics.ece([1.0, 1.0], [True, True]) == 0


def test_auroc_is_scikit_learns_also_with_equal_scores() -> None:
    chance = np.random.default_rng(1)
    inside, outside = (chance.integers(low, low + 9, 50) / 10 for low in (3, 0))
    expected = roc_auc_score([1] * 50 + [0] * 50, [*inside, *outside])
    assert metrics.auroc(list(inside), list(outside)) == pytest.approx(expected)


def test_scope() -> None:
    inside = list(np.linspace(0.5, 1.0, 101))
    assert metrics.auroc(inside, [0.1, 0.2]) == 1.0
    assert metrics.auroc([0.5, 0.5], [0.5]) == 0.5
    # 95 % of those inside have 0.525 or more.
    assert metrics.caught_at(inside, [0.1, 0.52, 0.53, 0.9]) == 0.5
    assert np.mean(np.array(inside) >= 0.525) >= 0.95
    assert metrics.caught_at(inside, [0.1, 0.52, 0.53, 0.9], accepted=0.5) == 0.75

"""Logistic regression: it finds the minimum that scikit-learn's finds."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.nlu.logistic import Logistic


def test_it_decides_as_scikit_learns() -> None:
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 60)
    # Some dimensions differ a thousand times more than others, and all of them lie far from zero.
    vectors = random.normal(size=(240, 12)) * np.geomspace(1, 1e-3, 12) + 3
    vectors += np.eye(4, 12)[y] * np.geomspace(1, 1e-3, 12)
    vectors = vectors.astype(np.float32)
    rows = np.arange(240) % 5 > 0
    weights, bias = Logistic(vectors, 2.0).fit(rows, y[rows], 4)
    scores = vectors @ weights + bias
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    right = LogisticRegression(C=2.0, max_iter=5000, tol=1e-8).fit(vectors[rows] - 3, y[rows])
    assert np.abs(found - right.predict_proba(vectors - 3)).max() < 0.02


def test_equal_vectors_are_no_trouble() -> None:
    vectors = np.ones((6, 3), np.float32)
    weights, bias = Logistic(vectors, 20.0).fit(np.ones(6, bool), np.array([0, 0, 0, 0, 1, 1]), 2)
    assert np.isfinite(weights).all()
    assert bias[0] > bias[1]

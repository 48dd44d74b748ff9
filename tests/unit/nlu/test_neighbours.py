"""The nearest examples: the same numbers as one by one, from storage too, and cheap directions."""

from __future__ import annotations

import numpy as np
import pytest

from bot.nlu.neighbours import DIMENSIONS, Neighbours, Space

SHARPNESS = 10.0


def test_scores_are_those_of_each_example_summed_by_intent() -> None:
    random = np.random.default_rng(1)
    space = Space.of(random.normal(size=(30, 8)))
    examples, points = space(random.normal(size=(12, 8))), space(random.normal(size=(3, 8)))
    intents = np.array([4, 0, 2, 2, 0, 4, 4, 0, 2, 0, 4, 2])  # 1 and 3 have none
    near = Neighbours.fit(examples, intents, 5, SHARPNESS)
    found = near.scores(near.cosines(points))
    for scores, point in zip(found, points, strict=True):
        for intent in (0, 2, 4):
            alone = [np.exp(SHARPNESS * (e @ point - 1)) for e in examples[intents == intent]]
            assert scores[intent] == pytest.approx(np.log(sum(alone)), abs=1e-5)
        assert max(scores[1], scores[3]) < scores[[0, 2, 4]].min()
    again = Neighbours.restore(near.arrays())
    assert again.scores(again.cosines(points)) == pytest.approx(found, abs=0.02)


def test_nearest_examples_in_scope_and_foreign() -> None:
    examples = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.8, 0.2], [-1, 0], [0.7, 0]], np.float32)
    near = Neighbours.fit(examples, np.array([0, 2, 1, 2, 1, 0]), 3, SHARPNESS)
    cosines = near.cosines(np.array([[1, 0]], np.float32))
    everything, nothing = near.nearest(cosines, None)
    assert everything == pytest.approx([(1 + 0.9 + 0.8) / 3])
    assert nothing is None
    inside, foreign = near.nearest(cosines, 1)
    assert inside == pytest.approx([(1 + 0.9 + 0.8) / 3])
    assert foreign == pytest.approx([(0 - 1) / 2])  # fewer than three: all that there are


def test_space_keeps_the_directions_in_which_examples_differ() -> None:
    random = np.random.default_rng(1)
    wide = (
        random.normal(size=(300, 2 * DIMENSIONS))
        * np.r_[np.ones(DIMENSIONS), np.full(DIMENSIONS, 1e-3)]
    )
    points = Space.of(wide)(wide)
    assert points.shape == (300, DIMENSIONS)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    assert points @ points.T == pytest.approx(unit @ unit.T, abs=1e-3)
    assert Space.of(np.zeros((2, 3)))(np.zeros((1, 3))) == pytest.approx(np.zeros((1, 3)))

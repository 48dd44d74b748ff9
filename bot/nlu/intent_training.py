"""Trains intent classification; the same examples give the same model.

Whatever says how far scores can be trusted (weights of the two views, familiarity) is fitted out of
fold: on scores of examples that the scoring model had not seen. An example that is alone in its
intent is always in training and never scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.nlu.intent_model import OUT_OF_SCOPE, IntentModel, LinearScores, Scores, familiarity
from bot.nlu.scope import ScopeScore, Surroundings
from bot.nlu.text_features import TextFeatures

Array = npt.NDArray[Any]

_FOLDS = 5
# With fewer scored examples nothing can be fitted out of fold, and default weights are used.
_ENOUGH_SCORED = 20
_ENOUGH_FOREIGN = 10
_ENOUGH_INTENTS = 6
_DEFAULT_FUSION = (1.0, 1.0)
_SPARSE_C = 0.3


@dataclass(frozen=True)
class Options:
    """What can be chosen.

    Attributes:
        regularisation: Values of C that cross-validation chooses from.
        out_of_scope_share: How many messages of real life belong to no intent.
        seed: For the folds.
    """

    regularisation: tuple[float, ...] = (3.0, 10.0, 30.0)
    out_of_scope_share: float = 0.2
    seed: int = 0


def fit(
    vectors: Array, texts: Sequence[str], labels: Sequence[str], options: Options
) -> IntentModel:
    """Trains a model.

    Args:
        vectors: Sentence vectors, float32, one a row.
        texts: The examples.
        labels: The intent of each.
        options: What can be chosen.
    """
    # The products are small: threads would mostly wait for each other (measured: 3 times as long).
    with threadpool_limits(1):
        return _Training(vectors, texts, labels, options).run()


class _Training:
    def __init__(
        self, vectors: Array, texts: Sequence[str], labels: Sequence[str], options: Options
    ) -> None:
        self._vectors, self._options = vectors, options
        self._intents = sorted(set(labels))
        numbers = {name: number for number, name in enumerate(self._intents)}
        self._y = np.array([numbers[label] for label in labels])
        self._folds = _folds(self._y, options.seed)
        self._scored = self._folds >= 0
        self._features = TextFeatures.fit(texts)
        self._counts = self._features.transform(texts)
        self._c = options.regularisation[len(options.regularisation) // 2]
        number = numbers.get(OUT_OF_SCOPE)
        enough = int(np.sum(self._y == number)) >= _ENOUGH_FOREIGN and len(numbers) > 1
        self._foreign = number if enough else None

    def run(self) -> IntentModel:
        fusion, scope = _DEFAULT_FUSION, None
        if int(self._scored.sum()) >= _ENOUGH_SCORED:
            self._c = min(self._options.regularisation, key=self._loss_with)
            dense, sparse = self._out_of_fold(self._dense), self._out_of_fold(self._sparse)
            fusion = self._fit_fusion(dense, sparse)
            scope = self._fit_scope(Scores(dense, sparse, fusion))
        everything = np.ones(len(self._y), bool)
        return IntentModel(
            intents=self._intents,
            dense=self._fit_dense(everything),
            sparse=self._fit_sparse(everything),
            features=self._features,
            fusion=fusion,
            surroundings=self._surroundings(everything),
            scope=scope,
        )

    # --- models of some of the examples ---

    def _fit_dense(self, rows: Array) -> LinearScores:
        mean = self._vectors[rows].mean(axis=0)  # with it, the solver takes many more steps
        model = LogisticRegression(C=self._c, max_iter=100, tol=1e-3)
        scores = self._linear(model, self._vectors[rows] - mean, self._y[rows])
        return LinearScores(scores.weights, scores.bias - mean @ scores.weights)

    def _fit_sparse(self, rows: Array) -> LinearScores:
        model = LinearSVC(C=_SPARSE_C, random_state=self._options.seed)
        return self._linear(model, self._counts[rows], self._y[rows])

    def _linear(self, model: Any, features: Any, y: Array) -> LinearScores:
        present = np.unique(y)
        weights = np.zeros((features.shape[1], len(self._intents)), np.float32)
        bias = np.zeros(len(self._intents), np.float32)
        if len(present) > 1:
            model.fit(features, y)
            # For two classes there is one line of weights: for the second against the first.
            columns = present if len(present) > 2 else present[1:]
            weights[:, columns], bias[columns] = model.coef_.T, model.intercept_
        return LinearScores(weights, bias)

    def _surroundings(self, rows: Array) -> Surroundings:
        outside = rows & (self._y == (-1 if self._foreign is None else self._foreign))
        inside = rows & ~outside
        return Surroundings.fit(self._vectors[inside], self._y[inside], self._vectors[outside])

    # --- what is fitted on examples that the model had not seen ---

    def _dense(self, train: Array, test: Array) -> Array:
        return self._fit_dense(train)(self._vectors[test])

    def _sparse(self, train: Array, test: Array) -> Array:
        return self._fit_sparse(train)(self._counts[test])

    def _out_of_fold(self, score: Callable[[Array, Array], Array]) -> Array:
        scores = np.zeros((len(self._y), len(self._intents)))
        for fold in range(_FOLDS):
            test = self._folds == fold
            if test.any():
                scores[test] = score(~test, test)
        return scores

    def _loss_with(self, c: float) -> float:
        """How wrong a value of C is on two folds, at its best temperature."""
        self._c, total = c, 0.0
        for fold in (0, 1):
            test = self._folds == fold
            scores, y = self._dense(~test, test), self._y[test]
            best = minimize_scalar(lambda t, s=scores, y=y: _loss(t * s, y), bounds=(0.05, 50))
            total += float(best.fun)
        return total

    def _fit_fusion(self, dense: Array, sparse: Array) -> tuple[float, float]:
        dense, sparse, y = dense[self._scored], sparse[self._scored], self._y[self._scored]

        def loss(weights: Array) -> float:
            return _loss(weights[0] * dense + weights[1] * sparse, y)

        best = minimize(loss, _DEFAULT_FUSION, method="L-BFGS-B", bounds=[(0.05, 50), (0, 50)])
        return float(best.x[0]), float(best.x[1])

    def _fit_scope(self, scores: Scores) -> ScopeScore | None:
        signs: list[Array] = []
        foreign: list[Array] = []
        for fold in range(_FOLDS):
            test = self._folds == fold
            if test.any():
                around, part = self._surroundings(~test), _rows(scores, test)
                signs.append(familiarity(around, self._vectors[test], part, self._foreign))
                foreign.append(self._y[test] == self._foreign)
        known, is_foreign = np.concatenate(signs), np.concatenate(foreign)
        if self._foreign is not None:
            inside, outside = known[~is_foreign], known[is_foreign]
        elif len(self._intents) >= _ENOUGH_INTENTS:
            inside, outside = known, self._signs_of_strangers(scores.weights)
        else:
            return None
        return ScopeScore.fit(inside, outside, self._options.out_of_scope_share)

    def _signs_of_strangers(self, fusion: tuple[float, float]) -> Array:
        """Signs of examples whose whole intent was left out: what unknown messages look like."""
        signs = []
        for group in range(_FOLDS):
            test = self._y % _FOLDS == group
            columns = np.unique(self._y[~test])
            dense = self._dense(~test, test)[:, columns]
            part = Scores(dense, np.zeros_like(dense), fusion)
            signs.append(familiarity(self._surroundings(~test), self._vectors[test], part, None))
        return np.concatenate(signs)


def _rows(scores: Scores, rows: Array) -> Scores:
    return Scores(scores.dense[rows], scores.sparse[rows], scores.weights)


def _folds(y: Array, seed: int) -> Array:
    """The fold of each example, every intent spread evenly; -1 for one that is alone."""
    random = np.random.default_rng(seed)
    folds = np.full(len(y), -1)
    for number in range(int(y.max()) + 1):
        rows = random.permutation(np.flatnonzero(y == number))
        if len(rows) > 1:
            folds[rows] = (np.arange(len(rows)) + random.integers(_FOLDS)) % _FOLDS
    return folds


def _loss(scores: Array, y: Array) -> float:
    """The mean negative log-likelihood."""
    return float(-log_softmax(scores, axis=1)[np.arange(len(y)), y].mean())

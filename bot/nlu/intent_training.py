"""Trains intent classification; the same examples give the same model.

Whatever says how far scores can be trusted (weights of the views, familiarity) is fitted out of
fold: on scores of examples that the scoring model had not seen. An example that is alone in its
intent is always in training and never scored. So is the intent's name, which counts as one example
more where its vector is given: with five examples an intent, that is worth two points of accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.sparse import vstack
from scipy.special import log_softmax
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.nlu.intent_model import (
    OUT_OF_SCOPE,
    IntentModel,
    LinearScores,
    Scores,
    Weights,
    familiarity,
)
from bot.nlu.logistic import Logistic
from bot.nlu.neighbours import Neighbours, Space
from bot.nlu.scope import ScopeScore, Surroundings
from bot.nlu.text_features import TextFeatures, readable_name

Array = npt.NDArray[Any]

# Many examples are still many without a third of them; of few, every one counts.
_FOLDS, _FOLDS_OF_FEW = 3, 5
# With fewer scored examples nothing can be fitted out of fold, and default weights are used.
_ENOUGH_SCORED = 20
_ENOUGH_FOREIGN = 10
_ENOUGH_INTENTS = 6
_DEFAULT_FUSION: Weights = (1.0, 1.0, 0.4)
_PRIOR_EXAMPLES = 20.0
# Where no examples say what is foreign, hardly any message is taken to be so beforehand.
_SHARE_WITHOUT_EXAMPLES = 0.01
_SPARSE_C = 0.3
# Among few texts, a word that stands in one of them may be all that tells two intents apart.
_FEW_TEXTS = 1500
# Few examples need wide kernels, many can have narrow ones; out of fold says which.
_SHARPNESS = (15.0, 30.0)


@dataclass(frozen=True)
class Options:
    """What can be chosen.

    Attributes:
        regularisation: Values of C that cross-validation chooses from, where there are several.
        out_of_scope_share: How many messages of real life belong to no intent.
        seed: For the folds.
    """

    regularisation: tuple[float, ...] = (20.0,)
    out_of_scope_share: float = 0.2
    seed: int = 0


def fit(
    vectors: Array,
    texts: Sequence[str],
    labels: Sequence[str],
    options: Options,
    names: Mapping[str, Array] | None = None,
) -> IntentModel:
    """Trains a model.

    Args:
        vectors: Sentence vectors, float32, one a row.
        texts: The examples.
        labels: The intent of each.
        options: What can be chosen.
        names: Sentence vectors of the intents' readable names, where these are to be examples.
    """
    # The products are small: threads would mostly wait for each other (measured: 3 times as long).
    with threadpool_limits(1):
        return _Training(vectors, texts, labels, options, names or {}).run()


class _Training:
    def __init__(
        self,
        vectors: Array,
        texts: Sequence[str],
        labels: Sequence[str],
        options: Options,
        names: Mapping[str, Array],
    ) -> None:
        self._options = options
        self._intents = sorted(set(labels))
        numbers = {name: number for number, name in enumerate(self._intents)}
        # No customer writes "out of scope".
        named = [name for name in self._intents if name in names and name != OUT_OF_SCOPE]
        self._vectors = np.array([*vectors, *(names[name] for name in named)], np.float32)
        self._y = np.array([numbers[label] for label in [*labels, *named]])
        self._is_name = np.arange(len(self._y)) >= len(labels)
        few = len(texts) < _FEW_TEXTS
        self._number_of_folds = _FOLDS_OF_FEW if few else _FOLDS
        self._folds = _folds(self._y, self._is_name, options.seed, self._number_of_folds)
        self._scored = self._folds >= 0
        self._features, counts = TextFeatures.fit(texts, min_texts=1 if few else 2)
        names_counts = self._features.transform(map(readable_name, named))
        self._counts = vstack([counts, names_counts], format="csr")
        self._space = Space.of(self._vectors)
        self._points = self._space(self._vectors)
        c = options.regularisation[len(options.regularisation) // 2]
        self._logistic = Logistic(self._vectors, c)
        self._sharpness = _SHARPNESS[0]
        number = numbers.get(OUT_OF_SCOPE)
        enough = int(np.sum(self._y == number)) >= _ENOUGH_FOREIGN and len(numbers) > 1
        self._foreign = number if enough else None

    def run(self) -> IntentModel:
        fusion, scope = _DEFAULT_FUSION, None
        enough = int(self._scored.sum()) >= _ENOUGH_SCORED
        if enough and len(self._options.regularisation) > 1:
            best = min(self._options.regularisation, key=self._loss_with)
            self._logistic = Logistic(self._vectors, best)
        everything = np.ones(len(self._y), bool)
        # The words are learned beside the meanings, on a second processor, but one fold after the
        # other: liblinear's random numbers are shared by all threads of a process.
        with ThreadPoolExecutor(1) as beside:
            words = beside.submit(self._fit_sparse, everything)
            if enough:
                words_unseen = beside.submit(self._out_of_fold, self._sparse)
                dense = self._out_of_fold(self._dense)
            meanings = self._fit_dense(everything)
            if enough:
                fusion, near = self._fit_fusion(dense, words_unseen.result())
                scope = self._fit_scope(Scores(dense, words_unseen.result(), near, fusion))
        return IntentModel(
            intents=self._intents,
            dense=meanings,
            sparse=words.result(),
            features=self._features,
            space=self._space,
            near=self._fit_near(everything),
            fusion=fusion,
            surroundings=self._surroundings(everything),
            scope=scope,
            foreign=self._foreign,
        )

    # --- models of some of the examples ---

    def _fit_dense(self, rows: Array) -> LinearScores:
        present, y = np.unique(self._y[rows], return_inverse=True)
        scores = self._no_scores(self._vectors.shape[1])
        if len(present) > 1:
            weights, bias = self._logistic.fit(rows, y, len(present))
            scores.weights[:, present], scores.bias[present] = weights, bias
        return scores

    def _fit_sparse(self, rows: Array) -> LinearScores:
        # With a finer tolerance it takes half as long again and decides the same (measured).
        model = LinearSVC(C=_SPARSE_C, tol=1e-2, random_state=self._options.seed)
        y = self._y[rows]
        present = np.unique(y)
        scores = self._no_scores(self._counts.shape[1])
        if len(present) > 1:
            model.fit(self._counts[rows], y)
            # For two classes there is one line of weights: for the second against the first.
            columns = present if len(present) > 2 else present[1:]
            scores.weights[:, columns], scores.bias[columns] = model.coef_.T, model.intercept_
        return scores

    def _fit_near(self, rows: Array) -> Neighbours:
        return Neighbours.fit(
            self._points[rows], self._y[rows], len(self._intents), self._sharpness
        )

    def _no_scores(self, width: int) -> LinearScores:
        number = len(self._intents)
        return LinearScores(np.zeros((width, number), np.float32), np.zeros(number, np.float32))

    def _surroundings(self, rows: Array) -> Surroundings:
        outside = rows & (self._y == (-1 if self._foreign is None else self._foreign))
        inside = rows & ~outside & ~self._is_name
        return Surroundings.fit(self._points[inside], self._y[inside])

    # --- what is fitted on examples that the model had not seen ---

    def _dense(self, train: Array, test: Array) -> Array:
        return self._fit_dense(train)(self._vectors[test])

    def _sparse(self, train: Array, test: Array) -> Array:
        return self._fit_sparse(train)(self._counts[test])

    def _near(self, train: Array, test: Array) -> Array:
        near = self._fit_near(train)
        return near.scores(near.cosines(self._points[test]))

    def _familiarity(self, train: Array, test: Array, part: Scores, foreign: int | None) -> Array:
        near, points = self._fit_near(train), self._points[test]
        nearest = near.nearest(near.cosines(points), foreign)
        return familiarity(self._surroundings(train), points, nearest, part, foreign)

    def _tests(self) -> list[Array]:
        folds = (self._folds == number for number in range(self._number_of_folds))
        return [test for test in folds if test.any()]

    def _out_of_fold(self, score: Callable[[Array, Array], Array]) -> Array:
        scores = np.zeros((len(self._y), len(self._intents)))
        for test in self._tests():
            scores[test] = score(~test, test)
        return scores

    def _loss_with(self, c: float) -> float:
        """How wrong a value of C is on two folds, at its best temperature."""
        self._logistic, total = Logistic(self._vectors, c), 0.0
        for fold in (0, 1):
            test = self._folds == fold
            scores, y = self._dense(~test, test), self._y[test]
            best = minimize_scalar(lambda t, s=scores, y=y: _loss(t * s, y), bounds=(0.05, 50))
            total += float(best.fun)
        return total

    def _fit_fusion(self, dense: Array, sparse: Array) -> tuple[Weights, Array]:
        """The weights of the views; and the nearest examples' scores, as sharp as is best."""
        best, scores, least = _DEFAULT_FUSION, np.zeros(0), np.inf
        chosen = self._sharpness
        for sharpness in _SHARPNESS:
            self._sharpness = sharpness
            near = self._out_of_fold(self._near)
            views = np.stack([view[self._scored] for view in (dense, sparse, near)])
            weights, loss = _fit_weights(views, self._y[self._scored])
            if loss < least:
                best, scores, least, chosen = weights, near, loss, sharpness
        self._sharpness = chosen
        return best, scores

    def _fit_scope(self, scores: Scores) -> ScopeScore | None:
        signs: list[Array] = []
        foreign: list[Array] = []
        for test in self._tests():
            part = _rows(scores, test)
            signs.append(self._familiarity(~test, test, part, self._foreign))
            foreign.append(self._y[test] == self._foreign)
        known, is_foreign = np.concatenate(signs), np.concatenate(foreign)
        if self._foreign is not None:
            inside, outside = known[~is_foreign], known[is_foreign]
            share = self._options.out_of_scope_share
        elif len(self._intents) >= _ENOUGH_INTENTS:
            inside, outside = known, self._signs_of_strangers(scores.weights)
            share = _SHARE_WITHOUT_EXAMPLES
        else:
            return None
        return ScopeScore.fit(inside, outside, share)

    def _signs_of_strangers(self, fusion: Weights) -> Array:
        """Signs of examples whose whole intent was left out: what unknown messages look like."""
        signs = []
        for group in range(self._number_of_folds):
            left_out = self._y % self._number_of_folds == group
            test = left_out & ~self._is_name
            columns = np.unique(self._y[~left_out])
            dense = self._dense(~left_out, test)[:, columns]
            nothing = np.zeros_like(dense)
            part = Scores(dense, nothing, nothing, fusion)
            signs.append(self._familiarity(~left_out, test, part, None))
        return np.concatenate(signs)


def _rows(scores: Scores, rows: Array) -> Scores:
    return Scores(scores.dense[rows], scores.sparse[rows], scores.near[rows], scores.weights)


def _folds(y: Array, always_trained: Array, seed: int, number_of_folds: int) -> Array:
    """The fold of each example, every intent spread evenly; -1 for what is never scored."""
    random = np.random.default_rng(seed)
    folds = np.full(len(y), -1)
    for number in range(int(y.max()) + 1):
        rows = random.permutation(np.flatnonzero((y == number) & ~always_trained))
        if len(rows) > 1:
            start = random.integers(number_of_folds)
            folds[rows] = (np.arange(len(rows)) + start) % number_of_folds
    return folds


def _loss(scores: Array, y: Array) -> float:
    """The mean negative log-likelihood."""
    return float(-log_softmax(scores, axis=1)[np.arange(len(y)), y].mean())


def _fit_weights(views: Array, y: Array) -> tuple[Weights, float]:
    """The weights, and the loss with them, at which the views' weighted sum is likeliest.

    Their proportions are held near those that suit most data, as if some examples had said so: a
    few dozen examples say little about them, thousands say all.

    Args:
        views: Scores, views x messages x intents.
        y: The number of each message's intent.
    """
    rows, usual = np.arange(len(y)), np.log(_DEFAULT_FUSION)
    strength = _PRIOR_EXAMPLES / len(y)

    def loss(logs: Array) -> tuple[float, Array]:
        weights = np.exp(logs)
        likelihood = log_softmax(np.tensordot(weights, views, 1), axis=1)
        error = np.exp(likelihood)
        error[rows, y] -= 1
        slope = np.tensordot(views, error, 2) / len(y) * weights
        # Only proportions are pulled: how sharp the sum is must stay free, for calibration.
        away = logs - usual
        away = away - away.mean()
        total = -likelihood[rows, y].mean() + strength * float(away @ away)
        return float(total), slope + 2 * strength * away

    best = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=[(-4.0, 4.0)] * len(usual))
    dense, sparse, near = np.exp(best.x)
    return (float(dense), float(sparse), float(near)), float(best.fun)

"""A trained intent classifier: three views of a message, one honest probability.

A multinomial logistic regression on sentence vectors knows what words mean, a linear model on
TF-IDF features knows the words, and the nearest examples know what the lines of both cut off. Their
scores are added with weights, and the familiarity of the message is weighed in, so that "0.8" means
right in 8 of 10 cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.nlu.neighbours import Neighbours, Space
from bot.nlu.scope import ScopeScore, Surroundings
from bot.nlu.text_features import TextFeatures

Array = npt.NDArray[Any]

# Examples of this intent teach what does not belong to any other.
OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True)
class LinearScores:
    """Scores for each class: ``features @ weights + bias``."""

    weights: Array
    bias: Array

    def __call__(self, features: Any) -> Array:
        """One row of scores for each row of features, dense or sparse."""
        return np.asarray(features @ self.weights + self.bias)


Weights = tuple[float, float, float]


@dataclass(frozen=True)
class Scores:
    """All views' scores, messages x intents, and how much each view counts."""

    dense: Array
    sparse: Array
    near: Array
    weights: Weights

    @property
    def fused(self) -> Array:
        """Their weighted sum: logarithms of probabilities, up to a constant."""
        dense, sparse, near = self.weights
        return np.asarray(dense * self.dense + sparse * self.sparse + near * self.near)


@dataclass(frozen=True)
class IntentModel:
    """A trained classifier.

    Attributes:
        intents: The names of the intents, sorted.
        dense: Scores from sentence vectors.
        sparse: Scores from TF-IDF features.
        features: What makes TF-IDF features of a text.
        space: Where examples are compared.
        near: Scores from the nearest examples.
        fusion: The weights of the three kinds of scores.
        surroundings: Where the training examples lie.
        scope: How familiar is familiar enough; None where the examples were too few to tell.
        foreign: The number of the intent out_of_scope, where it taught what is foreign.
    """

    intents: list[str]
    dense: LinearScores
    sparse: LinearScores
    features: TextFeatures
    space: Space
    near: Neighbours
    fusion: Weights
    surroundings: Surroundings
    scope: ScopeScore | None
    foreign: int | None

    @property
    def width(self) -> int:
        """The length of the sentence vectors that it was trained on."""
        return len(self.dense.weights)

    def predict(self, vectors: Array, texts: Sequence[str]) -> Array:
        """Probabilities, messages x intents.

        A row adds up to one where out_of_scope was learned; elsewhere to the probability that the
        message belongs to any of the intents.
        """
        points = self.space(vectors)
        cosines = self.near.cosines(points)
        near, sparse = self.near.scores(cosines), self._sparse(texts)
        scores = Scores(self.dense(vectors), sparse, near, self.fusion)
        fused = scores.fused
        if self.scope is None:
            return _softmax(fused)
        nearest = self.near.nearest(cosines, self.foreign)
        signs = familiarity(self.surroundings, points, nearest, scores, self.foreign)
        inside = self.scope.probability(signs)[:, np.newaxis]
        if self.foreign is None:
            return np.asarray(_softmax(fused) * inside)
        fused[:, self.foreign] = -np.inf
        probabilities = np.asarray(_softmax(fused) * inside)
        probabilities[:, self.foreign] = 1 - inside[:, 0]
        return probabilities

    def _sparse(self, texts: Sequence[str]) -> Array:
        # A few rows of the weights for each text: faster than a sparse matrix of one row.
        weights, bias = self.sparse.weights, self.sparse.bias
        return np.stack(
            [
                values @ weights[columns].astype(np.float32, copy=False) + bias
                for columns, values in map(self.features.found, texts)
            ]
        )

    def arrays(self) -> dict[str, Array]:
        """All numbers, for storage."""
        scope = {} if self.scope is None else {"scope": self.scope.weights}
        return {
            "dense": self.dense.weights,
            "dense_bias": self.dense.bias,
            "sparse": self.sparse.weights.astype(np.float16),
            "sparse_bias": self.sparse.bias,
            "feature_names": np.frombuffer(self.features.names, np.uint8),
            "feature_weights": self.features.weights,
            "basis": self.space.basis,
            **self.near.arrays(),
            **scope,
            **self.surroundings.arrays(),
        }

    def facts(self) -> dict[str, Any]:
        """All that is not an array, for storage as JSON."""
        return {
            "intents": self.intents,
            "fusion": list(self.fusion),
            "scope_bias": None if self.scope is None else self.scope.bias,
            "foreign": self.foreign,
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> IntentModel:
        """The model that `arrays` and `facts` came from.

        Raises:
            KeyError: Something is missing: another version wrote it.
        """
        names = arrays["feature_names"].tobytes()
        bias = facts["scope_bias"]
        return cls(
            intents=facts["intents"],
            dense=LinearScores(arrays["dense"], arrays["dense_bias"]),
            # Half the precision, as it is stored: it is the largest part of the model.
            sparse=LinearScores(arrays["sparse"], arrays["sparse_bias"]),
            features=TextFeatures(names, arrays["feature_weights"]),
            space=Space(arrays["basis"]),
            near=Neighbours.restore(arrays),
            fusion=(facts["fusion"][0], facts["fusion"][1], facts["fusion"][2]),
            surroundings=Surroundings.from_arrays(arrays),
            scope=None if bias is None else ScopeScore(arrays["scope"], bias),
            foreign=facts["foreign"],
        )


def familiarity(
    surroundings: Surroundings,
    points: Array,
    nearest: tuple[Array, Array | None],
    scores: Scores,
    foreign: int | None,
) -> Array:
    """The signs of familiarity of messages, a row for each; higher is more familiar.

    Args:
        surroundings: Of the examples that the scores' model was trained on.
        points: Where the messages are, one a row.
        nearest: From `Neighbours.nearest`, of the same examples and messages.
        scores: Of the same messages.
        foreign: The number of the intent out_of_scope, where it teaches what is foreign.
    """
    inside, outside = nearest
    if outside is None or foreign is None:
        energy = log_sum_exp(scores.dense)
        return np.stack([energy, inside, surroundings.distance(points)], axis=1)
    fused = scores.fused
    margin = log_sum_exp(np.delete(fused, foreign, axis=1)) - fused[:, foreign]
    energy = log_sum_exp(np.delete(scores.dense, foreign, axis=1))
    distance = surroundings.distance(points)
    return np.stack([energy, inside, distance, inside - outside, margin], axis=1)


def log_sum_exp(scores: Array) -> Array:
    """The logarithm of the sum of each row's exponentials; scipy's checks take longer than it."""
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(scores - highest).sum(axis=1)) + highest[:, 0])


def _softmax(scores: Array) -> Array:
    return np.asarray(np.exp(scores - log_sum_exp(scores)[:, np.newaxis]))

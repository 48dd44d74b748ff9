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
from scipy.special import logsumexp, softmax

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
        sparse = self.sparse(self.features.transform(texts))
        scores = Scores(self.dense(vectors), sparse, self.near(points), self.fusion)
        if self.scope is None:
            return np.asarray(softmax(scores.fused, axis=1))
        foreign = self.intents.index(OUT_OF_SCOPE) if len(self.surroundings.foreign) else None
        signs = familiarity(self.surroundings, points, scores, foreign)
        inside = self.scope.probability(signs)[:, np.newaxis]
        if foreign is None:
            return np.asarray(softmax(scores.fused, axis=1) * inside)
        others = scores.fused.copy()
        others[:, foreign] = -np.inf
        probabilities = np.asarray(softmax(others, axis=1) * inside)
        probabilities[:, foreign] = 1 - inside[:, 0]
        return probabilities

    def arrays(self) -> dict[str, Array]:
        """All numbers, for storage."""
        scope = {} if self.scope is None else {"scope": self.scope.weights}
        return {
            "dense": self.dense.weights,
            "dense_bias": self.dense.bias,
            "sparse": self.sparse.weights.astype(np.float16),
            "sparse_bias": self.sparse.bias,
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
            "features": list(self.features.columns),
            "fusion": list(self.fusion),
            "scope_bias": None if self.scope is None else self.scope.bias,
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> IntentModel:
        """The model that `arrays` and `facts` came from.

        Raises:
            KeyError: Something is missing: another version wrote it.
        """
        names = facts["features"]
        columns = {name: column for column, name in enumerate(names)}
        bias = facts["scope_bias"]
        return cls(
            intents=facts["intents"],
            dense=LinearScores(arrays["dense"], arrays["dense_bias"]),
            sparse=LinearScores(arrays["sparse"].astype(np.float32), arrays["sparse_bias"]),
            features=TextFeatures(columns, arrays["feature_weights"]),
            space=Space(arrays["basis"]),
            near=Neighbours.restore(arrays),
            fusion=(facts["fusion"][0], facts["fusion"][1], facts["fusion"][2]),
            surroundings=Surroundings.from_arrays(arrays),
            scope=None if bias is None else ScopeScore(arrays["scope"], bias),
        )


def familiarity(
    surroundings: Surroundings, points: Array, scores: Scores, foreign: int | None
) -> Array:
    """The signs of familiarity of messages at these points and with these scores.

    Args:
        surroundings: Of the examples that the scores' model was trained on.
        points: Where the messages are, one a row.
        scores: Of the same messages.
        foreign: The number of the intent out_of_scope, where it teaches what is foreign.
    """
    if foreign is None:
        return surroundings.signs(points, scores.dense, None)
    fused = scores.fused
    margin = logsumexp(np.delete(fused, foreign, axis=1), axis=1) - fused[:, foreign]
    return surroundings.signs(points, np.delete(scores.dense, foreign, axis=1), margin)

"""How familiar a message is: whether it is one of the shop's intents at all, as a probability.

Three signs that are known to complement each other: how strongly the classifier reacts (energy,
https://arxiv.org/abs/2010.03759), how much nearer the message is to one intent than to messages in
general (relative Mahalanobis distance, https://arxiv.org/abs/2106.09022), and how near to its
nearest examples (https://arxiv.org/abs/2204.06507).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp
from sklearn.linear_model import LogisticRegression

Array = npt.NDArray[Any]

_NEIGHBOURS = 3
# Part of a unit matrix mixed into covariances: there are fewer examples than dimensions.
_SHRINKAGE = 0.1


@dataclass(frozen=True)
class Surroundings:
    """Where the training examples lie.

    Attributes:
        examples: Vectors of the intents' examples, one a row, of length one.
        foreign: Vectors of messages that belong to no intent; may be none.
        means: The mean of each intent's vectors.
        within: Inverse covariance of the vectors around their intent's mean.
        around: Inverse covariance of the vectors around the mean of all.
    """

    examples: Array
    foreign: Array
    means: Array
    within: Array
    around: Array

    @classmethod
    def fit(cls, vectors: Array, intents: Array, foreign: Array) -> Surroundings:
        """Learns from vectors, the number of each one's intent, and foreign vectors."""
        present, own = np.unique(intents, return_inverse=True)
        means = np.array([vectors[own == i].mean(axis=0) for i in range(len(present))])
        return cls(
            examples=vectors,
            foreign=foreign,
            means=means,
            within=_inverse_covariance(vectors - means[own]),
            around=_inverse_covariance(vectors - vectors.mean(axis=0)),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Surroundings:
        """What `arrays` wrote."""
        return cls(**{name: np.asarray(arrays[name], np.float32) for name in cls.__annotations__})

    def arrays(self) -> dict[str, Array]:
        """For storage."""
        halved = {"examples", "foreign"}  # half the precision is enough for neighbours
        return {
            name: value.astype(np.float16 if name in halved else np.float32)
            for name, value in asdict(self).items()
        }

    def signs(self, vectors: Array, intent_scores: Array, margin: Array | None) -> Array:
        """The signs of familiarity, a row for each vector; higher is more familiar.

        Args:
            vectors: The messages' vectors.
            intent_scores: The classifier's scores for each intent, without out_of_scope.
            margin: How much more the classifier believes in some intent than in out_of_scope;
                None where that was not learned.
        """
        near = _nearest(vectors, self.examples)
        signs = [logsumexp(intent_scores, axis=1), near, self._relative_distance(vectors)]
        if margin is not None:
            signs += [near - _nearest(vectors, self.foreign), margin]
        return np.stack(signs, axis=1)

    # What does not depend on the message is computed once.

    @cached_property
    def _centre(self) -> Array:
        return np.asarray(self.examples.mean(axis=0))

    @cached_property
    def _pull(self) -> Array:
        return np.asarray(self.within @ self.means.T)

    @cached_property
    def _lengths(self) -> Array:
        return np.asarray(np.einsum("ij,ji->i", self.means, self._pull))

    def _relative_distance(self, vectors: Array) -> Array:
        offset = vectors - self._centre
        to_all = np.einsum("ij,ij->i", offset @ self.around, offset)
        own = np.einsum("ij,ij->i", vectors @ self.within, vectors)[:, np.newaxis]
        to_intent = (own - 2 * vectors @ self._pull + self._lengths).min(axis=1)
        return np.asarray(to_all - to_intent)


@dataclass(frozen=True)
class ScopeScore:
    """Turns signs of familiarity into the probability that a message is in scope."""

    weights: Array
    bias: float

    @classmethod
    def fit(cls, inside: Array, outside: Array, share_outside: float) -> ScopeScore:
        """Learns from signs of messages that the model did not see in training.

        Args:
            inside: Signs of messages that belong to an intent.
            outside: Signs of messages that do not.
            share_outside: How many of the messages in real life do not.
        """
        signs = np.concatenate([inside, outside])
        labels = np.repeat([1, 0], [len(inside), len(outside)])
        share = np.where(
            labels == 1, (1 - share_outside) / len(inside), share_outside / len(outside)
        )
        mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
        model = LogisticRegression(max_iter=1000)
        model.fit((signs - mean) / spread, labels, sample_weight=share * len(labels))
        weights = model.coef_[0] / spread
        return cls(weights, float(model.intercept_[0] - mean @ weights))

    def probability(self, signs: Array) -> Array:
        """The probability of being in scope for each row of signs."""
        return np.asarray(expit(signs @ self.weights + self.bias))


def _nearest(vectors: Array, examples: Array) -> Array:
    """The mean cosine to the nearest examples."""
    count = min(_NEIGHBOURS, len(examples))
    cosines = vectors @ examples.T
    return np.asarray(np.partition(cosines, -count, axis=1)[:, -count:].mean(axis=1))


def _inverse_covariance(offsets: Array) -> Array:
    covariance = offsets.T @ offsets / len(offsets)
    size = len(covariance)
    # The second term keeps a set of equal vectors invertible.
    ridge = _SHRINKAGE * float(np.trace(covariance)) / size + 1e-6
    return np.asarray(np.linalg.inv(covariance + ridge * np.eye(size, dtype=offsets.dtype)))

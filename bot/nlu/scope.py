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
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Array = npt.NDArray[Any]

# Part of a unit matrix mixed into covariances: there are fewer examples than dimensions.
_SHRINKAGE = 0.1


@dataclass(frozen=True)
class Surroundings:
    """Where the training examples lie.

    Attributes:
        means: The mean of each intent's vectors.
        centre: The mean of all.
        within: Inverse covariance of the vectors around their intent's mean.
        around: Inverse covariance of the vectors around the centre.
    """

    means: Array
    centre: Array
    within: Array
    around: Array

    @classmethod
    def fit(cls, vectors: Array, intents: Array) -> Surroundings:
        """Learns from vectors of messages in scope and the number of each one's intent."""
        present, own = np.unique(intents, return_inverse=True)
        means = np.array([vectors[own == i].mean(axis=0) for i in range(len(present))])
        centre = vectors.mean(axis=0)
        return cls(
            means=means,
            centre=centre,
            within=_inverse_covariance(vectors - means[own]),
            around=_inverse_covariance(vectors - centre),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Surroundings:
        """What `arrays` wrote."""
        return cls(**{name: np.asarray(arrays[name], np.float32) for name in cls.__annotations__})

    def arrays(self) -> dict[str, Array]:
        """For storage."""
        return {name: value.astype(np.float32) for name, value in asdict(self).items()}

    def distance(self, vectors: Array) -> Array:
        """How much nearer each vector is to one intent than to all messages, as a number."""
        offset = vectors - self.centre
        to_all = np.einsum("ij,ij->i", offset @ self.around, offset)
        own = np.einsum("ij,ij->i", vectors @ self.within, vectors)[:, np.newaxis]
        to_intent = (own - 2 * vectors @ self._pull + self._lengths).min(axis=1)
        return np.asarray(to_all - to_intent)

    # What does not depend on the message is computed once.

    @cached_property
    def _pull(self) -> Array:
        return np.asarray(self.within @ self.means.T)

    @cached_property
    def _lengths(self) -> Array:
        return np.asarray(np.einsum("ij,ji->i", self.means, self._pull))


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


def _inverse_covariance(offsets: Array) -> Array:
    covariance = offsets.T @ offsets / len(offsets)
    size = len(covariance)
    # The second term keeps a set of equal vectors invertible.
    ridge = _SHRINKAGE * float(np.trace(covariance)) / size + 1e-6
    return np.asarray(np.linalg.inv(covariance + ridge * np.eye(size, dtype=offsets.dtype)))

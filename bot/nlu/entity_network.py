"""The network of the entity recogniser: spaCy's tagger, and the same arithmetic without overhead.

spaCy and thinc build and train it. On one short message, most of thinc's time goes into passing
arrays from layer to layer; where the words come as vectors, the few products are done here.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import spacy
from spacy.ml.models.tagger import build_tagger_model
from spacy.ml.models.tok2vec import MaxoutWindowEncoder, MultiHashEmbed, build_Tok2Vec_model
from thinc.api import Adam, Maxout, Model, set_dropout_rate, with_array

Array = npt.NDArray[np.float32]

_WIDTH, _WINDOW, _PIECES, _DEPTH = 64, 2, 2, 1
_BATCH, _LEARN_RATE, _DROPOUT = 64, 0.007, 0.4
# Without word vectors: the words themselves, their last letters, and whether they have digits.
_HASHED, _HASH_ROWS = ("NORM", "SUFFIX", "SHAPE"), (2000, 500, 300)


def build(tags: int, vector_width: int | None) -> Model[Any, Any]:
    """A network that is not trained yet.

    Args:
        tags: How many tags it chooses from.
        vector_width: Of the words' vectors, one array for each text; None when it reads spaCy's
            documents instead and learns vectors of its own.
    """
    if vector_width is None:
        embed = MultiHashEmbed(_WIDTH, list(_HASHED), list(_HASH_ROWS), False)
    else:
        embed = with_array(Maxout(_WIDTH, vector_width, nP=_PIECES, dropout=0.0, normalize=True))
    encode = MaxoutWindowEncoder(_WIDTH, _WINDOW, _PIECES, _DEPTH)
    network: Model[Any, Any] = build_tagger_model(
        build_Tok2Vec_model(embed, encode), tags, normalize=True
    )
    return network


def train(
    network: Model[Any, Any], taught: Sequence[tuple[Any, Array]], epochs: int, seed: int
) -> None:
    """Trains a network; the same seed and examples give the same weights.

    Args:
        network: From `build`.
        taught: What the network reads of each text, and a row of tags for each word, one of them 1.
        epochs: How often all are gone through.
        seed: For the first weights, the order and the dropout.
    """
    spacy.util.fix_random_seed(seed)
    shuffler, order = random.Random(seed), list(taught)
    network.initialize(X=[order[0][0]], Y=[order[0][1]])
    set_dropout_rate(network, _DROPOUT)
    optimizer = Adam(_LEARN_RATE, L2=0.01, grad_clip=1.0, use_averages=True)
    for _ in range(epochs):
        shuffler.shuffle(order)
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            scores, backpropagate = network.begin_update([read for read, _ in batch])
            # The gradient of the cross-entropy.
            backpropagate([s - tags for s, (_, tags) in zip(scores, batch, strict=True)])
            network.finish_update(optimizer)
    # The mean over the last steps is steadier than the last step.
    with network.use_params(optimizer.averages):
        averaged = network.to_bytes()
    network.from_bytes(averaged)


class Plain:
    """What a trained network on word vectors answers, for one text at a time."""

    def __init__(self, network: Model[Any, Any]) -> None:
        """Takes over the weights."""
        layers = [layer for layer in network.walk(order="dfs_pre") if layer.param_names]
        values = [
            {n: np.asarray(layer.get_param(n)) for n in layer.param_names} for layer in layers
        ]
        embed, embed_norm, window, window_norm, softmax = values
        self._embed = _Maxout(embed, embed_norm)
        self._window = _Maxout(window, window_norm)
        self._weights, self._bias = np.ascontiguousarray(softmax["W"].T), softmax["b"]

    def predict(self, vectors: Array) -> Array:
        """The probability of each tag for each word."""
        words = self._embed(vectors)
        padded = np.zeros((len(words) + 2 * _WINDOW, _WIDTH), np.float32)
        padded[_WINDOW:-_WINDOW] = words
        beside = [padded[shift : shift + len(words)] for shift in range(2 * _WINDOW + 1)]
        words = words + self._window(np.concatenate(beside, axis=1))
        scores = words @ self._weights + self._bias
        scores = np.exp(scores - np.maximum.reduce(scores, axis=1, keepdims=True))
        return np.asarray(scores / np.add.reduce(scores, axis=1, keepdims=True))


class _Maxout:
    def __init__(self, weights: dict[str, Array], norm: dict[str, Array]) -> None:
        outputs = weights["W"].shape[0]
        pieces = weights["W"].transpose(1, 0, 2).reshape(_PIECES * outputs, -1)
        self._weights = np.ascontiguousarray(pieces.T)
        self._bias = weights["b"].T.reshape(-1)
        self._width = outputs
        self._scale, self._shift = norm["G"], norm["b"]

    def __call__(self, rows: Array) -> Array:
        both = rows @ self._weights
        both += self._bias
        # The larger of two arrays is faster than the largest along an axis.
        best = np.maximum(both[:, : self._width], both[:, self._width :])
        best -= np.add.reduce(best, axis=1, keepdims=True) / self._width
        spread = np.add.reduce(best * best, axis=1, keepdims=True) / self._width
        best /= np.sqrt(spread + 1e-8)
        best *= self._scale
        best += self._shift
        return np.asarray(best)

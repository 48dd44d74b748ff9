"""The network of the entity recogniser: spaCy's tagger, and the same arithmetic without overhead.

spaCy and thinc build it, and thinc's optimizer trains it. Most of thinc's time goes into passing
arrays from layer to layer; where the words come as vectors, the few products are done here, for
messages and for training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import spacy
from spacy.ml.models.tagger import build_tagger_model
from spacy.ml.models.tok2vec import MaxoutWindowEncoder, MultiHashEmbed, build_Tok2Vec_model
from thinc.api import Adam, Maxout, Model, set_dropout_rate, with_array
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

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
    on_vectors = isinstance(order[0][0], np.ndarray)
    learn = PlainGradients(network, _DROPOUT, seed).add if on_vectors else _learn(network)
    # The products are small: threads would mostly wait for each other.
    with threadpool_limits(1):
        for _ in range(epochs):
            shuffler.shuffle(order)
            for first in range(0, len(order), _BATCH):
                learn(order[first : first + _BATCH])
                network.finish_update(optimizer)
    # The mean over the last steps is steadier than the last step.
    with network.use_params(optimizer.averages):
        averaged = network.to_bytes()
    network.from_bytes(averaged)


def _learn(network: Model[Any, Any]) -> Callable[[Sequence[tuple[Any, Array]]], None]:
    def learn(batch: Sequence[tuple[Any, Array]]) -> None:
        scores, backpropagate = network.begin_update([read for read, _ in batch])
        # The gradient of the cross-entropy.
        backpropagate([s - tags for s, (_, tags) in zip(scores, batch, strict=True)])

    return learn


def _with_parameters(network: Model[Any, Any]) -> list[Any]:
    """Embedding, its norm, window, its norm, softmax."""
    return [layer for layer in network.walk(order="dfs_pre") if layer.param_names]


class PlainGradients:
    """The gradients of a network on word vectors, as thinc's, in half the time."""

    def __init__(self, network: Model[Any, Any], dropout: float, seed: int) -> None:
        """Takes the network whose gradients are wanted.

        Args:
            network: From `build`, initialised.
            dropout: How many of the words' numbers are left out each time, 0 to 1.
            seed: For which.
        """
        embed, embed_norm, window, window_norm, self._softmax = _with_parameters(network)
        self._embed = _Learning(embed, embed_norm)
        self._window = _Learning(window, window_norm)
        self._dropout, self._random = np.float32(dropout), np.random.default_rng(seed)

    def add(self, batch: Sequence[tuple[Array, Array]]) -> None:
        """Adds the gradients of the cross-entropy over a batch to the network's.

        Args:
            batch: The words' vectors of each text, and a row of tags for each word, one of them 1.
        """
        lengths = [len(vectors) for vectors, _ in batch]
        tags = np.concatenate([tags for _, tags in batch])
        # Room on both sides of each text: a window does not reach into its neighbour.
        texts = np.repeat(np.arange(len(batch)), lengths)
        places = np.arange(len(tags)) + _WINDOW * (texts + 1)
        size = len(tags) + _WINDOW * (len(batch) + 1)
        words, back_to_vectors = self._embed(np.concatenate([vectors for vectors, _ in batch]))
        kept = self._kept(words.shape)
        words *= kept
        padded = np.zeros((size, _WIDTH), np.float32)
        padded[places] = words
        shifts = range(-_WINDOW, _WINDOW + 1)
        beside = np.concatenate([padded[places + shift] for shift in shifts], axis=1)
        more, back_to_beside = self._window(beside)
        kept_more = self._kept(more.shape)
        words = words + more * kept_more
        weights = self._softmax.get_param("W")
        scores = words @ weights.T + self._softmax.get_param("b")
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = scores / scores.sum(axis=1, keepdims=True) - tags
        self._softmax.inc_grad("W", error.T @ words)
        self._softmax.inc_grad("b", error.sum(axis=0))
        slope = error @ weights
        of_beside = back_to_beside(slope * kept_more)
        of_padded = np.zeros_like(padded)
        for number, shift in enumerate(shifts):
            of_padded[places + shift] += of_beside[:, number * _WIDTH : (number + 1) * _WIDTH]
        back_to_vectors((slope + of_padded[places]) * kept)

    def _kept(self, shape: tuple[int, ...]) -> Array:
        kept = self._random.random(shape, np.float32) >= self._dropout
        return np.asarray(kept / (1 - self._dropout), np.float32)


class _Learning:
    """A maxout layer with its norm, there and back."""

    def __init__(self, layer: Any, norm: Any) -> None:
        self._layer, self._norm = layer, norm  # thinc's types know no plain arrays

    def __call__(self, rows: Array) -> tuple[Array, Callable[[Array], Array]]:
        """What comes out, and what makes of its slope the slope of the rows."""
        weights = self._layer.get_param("W")
        shape = weights.shape
        flat = weights.transpose(1, 0, 2).reshape(-1, shape[2])
        both = rows @ flat.T
        both += self._layer.get_param("b").T.reshape(-1)
        first, second = both[:, : shape[0]], both[:, shape[0] :]
        is_second = second > first
        best = np.where(is_second, second, first)
        best -= best.mean(axis=1, keepdims=True)
        steepness = 1 / np.sqrt((best * best).mean(axis=1, keepdims=True) + 1e-8)
        best *= steepness
        scale = self._norm.get_param("G")

        def back(slope: Array) -> Array:
            self._norm.inc_grad("G", (slope * best).sum(axis=0))
            self._norm.inc_grad("b", slope.sum(axis=0))
            inner = slope * scale
            along = (inner * best).mean(axis=1, keepdims=True)
            inner -= inner.mean(axis=1, keepdims=True)
            inner -= best * along
            inner *= steepness
            of_both = np.concatenate([inner * ~is_second, inner * is_second], axis=1)
            of_flat = (of_both.T @ rows).reshape(_PIECES, shape[0], shape[2])
            self._layer.inc_grad("W", np.ascontiguousarray(of_flat.transpose(1, 0, 2)))
            of_bias = of_both.sum(axis=0).reshape(_PIECES, shape[0])
            self._layer.inc_grad("b", np.ascontiguousarray(of_bias.T))
            return np.asarray(of_both @ flat)

        return best * scale + self._norm.get_param("b"), back


class Plain:
    """What a trained network on word vectors answers, for one text at a time."""

    def __init__(self, network: Model[Any, Any]) -> None:
        """Takes over the weights."""
        values = [
            {n: np.asarray(layer.get_param(n)) for n in layer.param_names}
            for layer in _with_parameters(network)
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

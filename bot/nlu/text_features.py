"""Weighted counts of words and letter sequences (TF-IDF): the spelling of a message as numbers.

A sentence encoder knows what words mean; these features know the words themselves: product names,
slang, emoji, misspellings. scikit-learn's vectorizers do the same and take some 2 ms a message.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

# A word, or a single sign: punctuation and emoji say something too.
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_DIGIT = re.compile(r"\d")
_LETTERS = range(2, 6)
# Longer texts are cut: the time for one message stays bounded.
MAX_CHARACTERS = 1000


@dataclass(frozen=True)
class TextFeatures:
    """A vocabulary of features and the weight of each.

    Attributes:
        columns: The column of each feature; words, then letter sequences (marked by a tab).
        weights: Inverse document frequency by column, float32.
    """

    columns: dict[str, int]
    weights: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str], min_texts: int = 2) -> TextFeatures:
        """Learns the features that stand in at least `min_texts` of the texts."""
        found: Counter[str] = Counter()
        for text in texts:
            words, letters = _features(text)
            found.update({*words, *letters})
        kept = sorted(name for name, count in found.items() if count >= min_texts)
        counts = np.array([found[name] for name in kept], np.float64)
        weights = np.log((1 + len(texts)) / (1 + counts)) + 1
        return cls({name: i for i, name in enumerate(kept)}, weights.astype(np.float32))

    def transform(self, texts: Iterable[str]) -> Any:
        """A scipy CSR matrix, texts x features, with what `found` says of each text."""
        rows = [self.found(text) for text in texts]
        columns, values = zip(*rows, strict=True)
        starts = np.cumsum([0, *map(len, columns)])
        return csr_matrix(
            (np.concatenate(values), np.concatenate(columns), starts),
            shape=(len(rows), len(self.weights)),
        )

    def found(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The columns of a text's features and their values; words and letters have length one."""
        known = [self._values(group) for group in _features(text)]
        return np.concatenate([c for c, _ in known]), np.concatenate([v for _, v in known])

    def _values(self, group: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        columns = [self.columns[name] for name in group if name in self.columns]
        index, counts = np.unique(np.array(columns, np.int64), return_counts=True)
        values = (1 + np.log(counts.astype(np.float32))) * self.weights[index]
        return index, values / max(float(np.sqrt(values @ values)), 1e-9)


def readable_name(intent: str) -> str:
    """An intent's name as words: ``order_status`` as "order status"."""
    return " ".join(intent.replace("_", " ").replace("/", " ").replace("+", " ").split())


def _features(text: str) -> tuple[list[str], list[str]]:
    """Words and pairs of words; sequences of letters. Each as often as it occurs."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower()
    # Which digits they are says nothing about what somebody wants; how many there are, does.
    words = _WORDS.findall(_DIGIT.sub("0", plain))
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    line = f" {' '.join(words)} "
    letters = [
        f"\t{line[start : start + size]}"
        for size in _LETTERS
        for start in range(len(line) - size + 1)
    ]
    return words + pairs, letters

"""Weighted counts of words and letter sequences (TF-IDF): the spelling of a message as numbers.

A sentence encoder knows what words mean; these features know the words themselves: product names,
slang, emoji, misspellings. scikit-learn's vectorizers do the same and take some 2 ms a message.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

# A word, or a single sign: punctuation and emoji say something too.
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_DIGIT = re.compile(r"\d")
_LINE = re.compile(r"[^\n]+")
_LARGEST = np.iinfo(np.int64).max
_LETTERS = range(2, 6)
# Longer texts are cut: the time for one message stays bounded.
MAX_CHARACTERS = 1000


@dataclass(frozen=True)
class TextFeatures:
    """A vocabulary of features and the weight of each.

    Attributes:
        names: The features in the order of their columns, a line each, in UTF-8: words and pairs of
            words, and letter sequences (marked by a tab).
        weights: Inverse document frequency by column, float32.
    """

    names: bytes
    weights: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str], min_texts: int = 2) -> tuple[TextFeatures, Any]:
        """Learns the features that stand in at least `min_texts` of the texts.

        Returns:
            The features, and what `transform` makes of the same texts.
        """
        numbers: dict[str, int] = {}
        groups = _groups(texts)
        cells = _Cells.of([[numbers.setdefault(n, len(numbers)) for n in g] for g in groups])
        found = np.bincount(cells.columns, minlength=len(numbers))
        counts = dict(zip(numbers, found.tolist(), strict=True))
        kept = sorted(name for name, count in counts.items() if count >= min_texts)
        often = np.array([counts[name] for name in kept], np.float64)
        weights = np.log((1 + len(texts)) / (1 + often)) + 1
        features = cls("\n".join(kept).encode(), weights.astype(np.float32))
        places = np.full(len(numbers), -1)
        places[[numbers[name] for name in kept]] = np.arange(len(kept))
        return features, features._matrix(cells.moved(places), len(groups))

    def transform(self, texts: Iterable[str]) -> Any:
        """A scipy CSR matrix, texts x features, with what `found` says of each text."""
        known = [self._columns(group) for group in _groups(texts)]
        columns = [found[found >= 0].tolist() for found in known]
        return self._matrix(_Cells.of(columns), len(columns))

    def _matrix(self, cells: _Cells, groups: int) -> Any:
        values = (1 + np.log(cells.counts.astype(np.float32))) * self.weights[cells.columns]
        lengths = np.sqrt(np.bincount(cells.groups, values * values, minlength=groups))
        values /= np.maximum(lengths, 1e-9)[cells.groups].astype(np.float32)
        places = cells.groups // 2, cells.columns
        return csr_matrix((values, places), shape=(groups // 2, len(self.weights)))

    def found(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The columns of a text's features and their values; words and letters have length one."""
        known = [self._values(group) for group in _features(text)]
        return np.concatenate([c for c, _ in known]), np.concatenate([v for _, v in known])

    def _values(self, group: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        # For one text, counting in Python is faster than numpy's sorting.
        counts = Counter(group)
        columns = self._columns(counts)
        known = columns >= 0
        index = columns[known]
        often = np.fromiter(counts.values(), np.float32, len(counts))[known]
        values = (1 + np.log(often)) * self.weights[index]
        return index, values / max(float(np.sqrt(values @ values)), 1e-9)

    def _columns(self, names: Collection[str]) -> npt.NDArray[np.int64]:
        """The column of each feature, -1 for those that are unknown."""
        hashes, columns = self._index
        wanted = np.fromiter(map(hash, names), np.int64, len(names))
        places = hashes.searchsorted(wanted)
        return np.where(hashes[places] == wanted, columns[places], -1)

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Hashes in their order, and the column of each; the last belongs to none.

        Fifty thousand names in a dictionary are ten times as large, and objects between which
        memory stays in pieces when a model goes. Of a million names, two have the same hash with a
        probability of 1 in 10,000,000.
        """
        lines = _LINE.finditer(self.names.decode())
        hashes = np.fromiter((hash(line[0]) for line in lines), np.int64, len(self.weights))
        order = np.argsort(hashes)
        return np.append(hashes[order], _LARGEST), np.append(order, -1)


@dataclass(frozen=True)
class _Cells:
    """How often which feature stands in which group; each pair once."""

    groups: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, columns: Sequence[Sequence[int]]) -> _Cells:
        """Counts the features of groups, each a list of columns in any order."""
        groups = np.repeat(np.arange(len(columns)), [len(some) for some in columns])
        flat = np.fromiter(chain.from_iterable(columns), np.int64, len(groups))
        width = int(flat.max(initial=0)) + 1
        cells, counts = np.unique(groups * width + flat, return_counts=True)
        return cls(*np.divmod(cells, width), counts)

    def moved(self, places: npt.NDArray[np.int64]) -> _Cells:
        """The same with other columns; those that have no place, -1, are left out."""
        columns = places[self.columns]
        kept = columns >= 0
        return _Cells(self.groups[kept], columns[kept], self.counts[kept])


def _groups(texts: Iterable[str]) -> list[list[str]]:
    """Two for each text: words, letter sequences."""
    return [group for text in texts for group in _features(text)]


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

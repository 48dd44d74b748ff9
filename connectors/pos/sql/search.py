"""Finds products by what customers call them: any order, plural or singular, misspelt."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# How near a misspelt word must be (difflib's ratio): one wrong letter of four is .75, as "jeen" for
# "jean"; "jaket" is .91 from "jacket", "laptop" .73 from "lapel".
_NEAR = 0.75
_SHORTEST_MISSPELT = 4
# The share of the query's weight that a product must explain to be called a match.
_ENOUGH = 0.5

_WORD = re.compile(r"[^\W_]+")
_STOPWORDS = frozenset(
    _WORD.findall(
        """
        a about an and any are available buy by can cheap colour cost costs could do does for
        from get got has have hello hey hi how i in is it kind like looking me much my need new
        of on one or please pls price r sell shop size some something stock that the there these
        this those to u ur want what which with ya you your
        """
    )
)

_SIZES = frozenset(("xs", "xl", "xxl", "small", "medium", "large"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What is searchable of a product: its texts by their weight."""

    product_id: str
    texts: tuple[tuple[float, str], ...]


class ProductIndex:
    """The words of all products; made once, asked many times.

    Args:
        entries: The products, in the order in which equals are listed.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._weights: dict[str, dict[str, float]] = defaultdict(dict)
        self._order: dict[str, int] = {}
        for entry in entries:
            self._order[entry.product_id] = len(self._order)
            for weight, text in entry.texts:
                for word in words(text):
                    known = self._weights[word]
                    known[entry.product_id] = max(weight, known.get(entry.product_id, 0))
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word in self._weights:
            self._by_length[len(word)].append(word)

    def find(self, query: str, limit: int) -> list[str]:
        """Ids of the matching products, best first; empty when nothing is near."""
        asked = self._join_compounds([w for w in words(query) if self._says_something(w)])
        scores: dict[str, float] = defaultdict(float)
        explained: dict[str, float] = defaultdict(float)
        total = 0.0
        for word in dict.fromkeys(asked):
            hits, rarity = self._hits(word)
            total += rarity
            for product_id, weight in hits.items():
                scores[product_id] += weight * rarity
                explained[product_id] += rarity
        enough = [p for p in scores if explained[p] >= _ENOUGH * total]
        enough.sort(key=lambda p: (-round(explained[p], 6), -round(scores[p], 6), self._order[p]))
        return enough[:limit]

    def _says_something(self, word: str) -> bool:
        # A size is no part of what a product is called: "jeans size 32".
        size = word.isdigit() or len(word) == 1 or word in _SIZES
        return word in self._weights if size else word not in _STOPWORDS

    def _hits(self, word: str) -> tuple[Mapping[str, float], float]:
        """Product → weight for one word, and how much the word says."""
        hits: dict[str, float] = {}
        for known, likeness in self._alike(word):
            for product_id, weight in self._weights[known].items():
                hits[product_id] = max(hits.get(product_id, 0.0), weight * likeness)
        count = len(self._order)
        # A word that nothing is like counts as much as the rarest: it must not be overlooked.
        return hits, math.log(1 + count / (len(hits) or 1))

    def _alike(self, word: str) -> list[tuple[str, float]]:
        if word in self._weights:
            return [(word, 1.0)]
        if len(word) < _SHORTEST_MISSPELT:
            return []
        longer = [known for known in self._weights if known.startswith(word)]
        if longer:
            return [(known, 0.9) for known in longer]
        reach = range(len(word) - 2, len(word) + 3)
        # People seldom miss the first letter, and without it "tights" would be "light".
        candidates = [w for n in reach for w in self._by_length.get(n, ()) if w[0] == word[0]]
        near = difflib.get_close_matches(word, candidates, 3, _NEAR)
        if not near:
            return []
        best = difflib.SequenceMatcher(None, near[0], word).ratio()
        likeness = [(known, difflib.SequenceMatcher(None, known, word).ratio()) for known in near]
        return [(known, ratio * 0.85) for known, ratio in likeness if ratio > best - 0.05]

    def _join_compounds(self, asked: list[str]) -> list[str]:
        """ "rain coat" is "raincoat" where the catalogue writes it in one word."""
        joined: list[str] = []
        for word in asked:
            if joined and joined[-1] + word in self._weights:
                joined[-1] += word
            else:
                joined.append(word)
        return joined


def words(text: str) -> list[str]:
    """The text's words, lower case, without accents and plural endings; "t-shirt" is one word."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['’]s?\b", "", plain)
    plain = re.sub(r"\bt[-\s]shirt", "tshirt", plain)
    return [singular(word) for word in _WORD.findall(plain)]


def singular(word: str) -> str:
    """The word without its plural ending, by English rules; both sides of a match go through it."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    for ending, instead in (("ies", "y"), ("ves", "f"), ("sses", "ss"), ("shes", "sh")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    if word.endswith(("ches", "xes", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word

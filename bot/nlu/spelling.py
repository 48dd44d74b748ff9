"""Spelling: mistyped words become the words that the assistant knows; real words stay."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import combinations, groupby, pairwise, product
from types import MappingProxyType

import regex
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.nlu.encoder_files import EncoderFiles

WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:'\p{L}[\p{L}\p{M}]*)*")
# In long words two mistakes still leave one candidate.
_SHORTEST, _TWO_MISTAKES, _LONGEST = 3, 8, 30
# Three letters have many neighbours: they become only what customers write all the time.
_SHORT, _USUAL = 3, 20
# How much more often the best candidate must stand in the examples than the next.
_CLEARLY = 2
_RUNS = 4
_REMEMBERED = 8192
# Typed without their apostrophe they would be near to words that say the opposite.
_CONTRACTIONS = (
    "arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mustnt neednt shouldnt wasnt "
    "werent wont wouldnt heres hes hows ive itll shes thatll thats theres theyll theyre theyve "
    "weve whats wheres whos youd youll youre youve"
)

_ROWS = "qwertyuiop", "asdfghjkl", "zxcvbnm"
_BESIDE = [pair for row in _ROWS for pair in pairwise(row)]
_BELOW = [
    pair
    for upper, lower in pairwise(_ROWS)
    for shifted in (upper, upper[1:])
    for pair in zip(shifted, lower, strict=False)
]
_ALIKE = [*combinations("aeiouy", 2), ("c", "s"), ("c", "k"), ("s", "z"), ("f", "v")]
# Letters that stand side by side on the keyboard or sound alike.
_CONFUSED = {frozenset(pair) for pair in (*_BESIDE, *_BELOW, *_ALIKE)}


class Vocabulary:
    """The words of an assistant, and the words of its language.

    Args:
        counts: In how many of the assistant's examples each word stands; in lower case.
        known: The language's words, which are right as they are, and the rank of each: the most
            usual have the lowest.
        spelling: Whether mistakes are corrected; otherwise only repeated letters go.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        known: Mapping[str, int] = MappingProxyType({}),
        spelling: bool = True,
    ) -> None:
        self._counts = counts
        self._ranks = known
        # A mistake changes a word's length by one at most: the others need not be compared.
        self._by_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in sorted(counts) if spelling else ():
            self._by_length[len(word)].append(word)
        self.corrected = lru_cache(maxsize=_REMEMBERED)(self._corrected)

    def without_repeats(self, word: str) -> str:
        """A word without letters repeated for emphasis: once or twice, as a known word has them.

        Where no known word is found, two of them stay.
        """
        runs = ["".join(run) for _, run in groupby(word, str.lower)]
        long = [i for i, run in enumerate(runs) if len(run) > 2]
        if not long or self._knows(plain(word)):
            return word
        for i in long:
            runs[i] = runs[i][:2]
        short = "".join(runs)
        if len(long) > _RUNS:
            return short
        choices = []
        for lengths in product((2, 1), repeat=len(long)):
            for i, length in zip(long, lengths, strict=True):
                runs[i] = runs[i][:1] * length
            choices.append(plain("".join(runs)))
        known = [choice for choice in choices if self._knows(choice)]
        return max(known, key=self._usual, default=short)

    def _knows(self, word: str) -> bool:
        return word in self._counts or word in self._ranks

    def _usual(self, word: str) -> tuple[int, int]:
        """The larger, the more usual: first in the assistant's examples, then in the language."""
        return self._counts.get(word, 0), -self._ranks.get(word, len(self._ranks))

    def _corrected(self, word: str) -> str:
        """The word that was meant, in lower case, or the same word where that is not clear."""
        typed = plain(word)
        if not _SHORTEST <= len(typed) <= _LONGEST or self._knows(typed) or "'" in typed:
            return word
        ranked = sorted(self._near(typed, 2 if len(typed) >= _TWO_MISTAKES else 1))
        if not ranked:
            return word
        distance, rarity, best = ranked[0]
        if len(typed) <= _SHORT and -rarity < _USUAL:
            return word
        if len(ranked) > 1 and ranked[1][0] == distance and rarity > _CLEARLY * ranked[1][1]:
            return word
        return best

    def _near(self, typed: str, mistakes: int) -> Iterator[tuple[int, int, str]]:
        """Words with few mistakes to the typed one: how many, minus how frequent, the word."""
        for length in range(len(typed) - mistakes, len(typed) + mistakes + 1):
            words = self._by_length.get(length, [])
            found = process.extract(
                typed, words, scorer=OSA.distance, score_cutoff=mistakes, limit=None
            )
            for word, distance, _ in found:
                # Two mistakes hardly meet the first letter; else "unhelpful" would be "helpful".
                likely = _is_slip(typed, word) if distance == 1 else typed[0] == word[0]
                if likely:
                    yield int(distance), -self._counts[word], word


def _is_slip(typed: str, word: str) -> bool:
    """Whether fingers or ears make this one mistake; other pairs are rather two real words."""
    if len(typed) != len(word):
        return typed[1:] != word or typed[0] == typed[1]
    wrong = [pair for pair in zip(typed, word, strict=True) if pair[0] != pair[1]]
    return len(wrong) == 2 or frozenset(wrong[0]) in _CONFUSED  # two: they changed places


def count_words(
    texts: Iterable[str], listed: Iterable[str] = (), known: Container[str] = ()
) -> dict[str, int]:
    """The words that an assistant uses, and in how many of its examples each stands.

    Args:
        texts: The examples; an unknown word of a single one may be a mistake and is left out.
        listed: Phrases whose words always count: those of lookup tables and synonyms.
        known: The language's words.
    """
    found = Counter(word for text in texts for word in set(_words(text)))
    sure = {word for phrase in listed for word in _words(phrase)}
    sure |= {word for word, count in found.items() if count > 1 or word in known}
    return {word: max(found[word], 1) for word in sorted(sure)}


def _words(text: str) -> list[str]:
    return [plain(word) for word in WORD.findall(text)]


def plain(word: str) -> str:
    """In lower case; the dot that stays of a Turkish capital I goes."""
    return word.lower().replace("\u0307", "")


@lru_cache(maxsize=1)
def english_words() -> Mapping[str, int]:
    """Some 20,000 English words and their ranks: the whole words of the encoder's tokenizer.

    Its pieces stand in the order of how usual they are: "the", "of", "and" come first.

    Raises:
        InvalidConfigException: The package that carries them is missing or altered.
    """
    files = EncoderFiles.find()
    files.check(files.tokenizer)
    pieces = json.loads(files.tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    words = {piece: rank for piece, rank in pieces.items() if WORD.fullmatch(piece)}
    return MappingProxyType(dict.fromkeys(_CONTRACTIONS.split(), len(pieces)) | words)

"""What the ways of finding entities have in common: one found place in a text, and who wins."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

# Who wins where results overlap; among equals the longest, then the first that was given.
LOOSE, STRICT = 0, 1
_DASHES = "‐‑‒–—−﹣－"
_PLAIN_SIGNS = dict.fromkeys(_DASHES, "-") | dict.fromkeys("‘’ʼ´`", "'") | {"＃": "#", "＠": "@"}


@dataclass(frozen=True)
class Found:
    """One entity in a text.

    Attributes:
        start: The first character.
        end: Behind the last character.
        entity: What it is.
        rank: `STRICT` for patterns that hardly anything else looks like, else `LOOSE`.
        role: What it is in its sentence, e.g. the old or the new size; None where not learned.
        group: Which other entities it belongs to; None where not learned.
        confidence: Of the recogniser, 0 to 1; None where a rule found it.
        extra: More keys for Rasa's entity, e.g. the date that words stand for.
    """

    start: int
    end: int
    entity: str
    rank: int = LOOSE
    role: str | None = None
    group: str | None = None
    confidence: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def overlaps(self, other: Found) -> bool:
        """Whether both share a character."""
        return self.start < other.end and other.start < self.end


def resolve(found: Iterable[Found]) -> list[Found]:
    """The entities that stay where some overlap, in the order of the text.

    A strict pattern wins over everything else, then the longest wins, then the one that was given
    first. The winner takes over the role and group of a loser that is the same entity: a rule
    knows what a size looks like, the recogniser which of two sizes is the new one.
    """
    kept: list[Found] = []
    ranked = sorted(found, key=lambda f: (-f.rank, f.start - f.end))
    for candidate in ranked:
        rivals = [number for number, other in enumerate(kept) if candidate.overlaps(other)]
        if not rivals:
            kept.append(candidate)
        elif candidate.role or candidate.group:
            for number in rivals:
                if kept[number].entity == candidate.entity and not kept[number].role:
                    role, group = candidate.role, kept[number].group or candidate.group
                    kept[number] = replace(kept[number], role=role, group=group)
    return sorted(kept, key=lambda f: f.start)


@dataclass(frozen=True)
class Readable:
    """A text as rules and recogniser read it, and where its characters stood.

    Invisible signs are gone, wide digits and letters are plain, and so are the dashes, quotes and
    spaces that phones make.
    """

    text: str
    places: tuple[int, ...] | None

    @classmethod
    def of(cls, original: str, most: int) -> Readable:
        """Reads at most `most` characters of a text."""
        original = original[:most]
        if original.isascii():
            return cls(original, None)
        signs, places = [], []
        for place, sign in enumerate(original):
            plain = _plain(sign)
            signs.append(plain)
            places += [place] * len(plain)
        return cls("".join(signs), (*places, len(original)))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of a place in this text that is not empty."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in _PLAIN_SIGNS:
        return _PLAIN_SIGNS[sign]
    category = unicodedata.category(sign)
    if category in ("Cf", "Cs", "Mn") and not unicodedata.combining(sign):
        return ""  # zero-width signs, variation selectors and halves of signs
    if category == "Zs":
        return " "
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 else sign

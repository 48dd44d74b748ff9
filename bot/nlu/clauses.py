"""Splitting a message into clauses: the places where one wish may end and another begin.

Nothing here knows what a clause means. It says where a message could be divided, and is meant to
find too many places rather than too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# More would cost more time than the question is worth; the last clause holds the rest.
MAX_CLAUSES = 8

# A sign ends a clause only before white space: "9.30", "maya@example.com" and "LS1,4DY" stay whole.
_SIGNS = r"[.!?;:,…]+(?=\s|$)|\n+|\s[-–—&+/]+\s"
# Words that may begin something new. "n" is "and" on a phone.
_WORDS = r"\b(?:and|n|but|also|plus|then|besides|additionally|btw|by the way|as well as)\b"
_BREAK = re.compile(rf"(?:{_SIGNS})|(?<!\S)(?:{_WORDS})(?=\s|,|$)", re.IGNORECASE)
# What may stand between a break and the clause that follows it, and says nothing itself.
_LEAD = re.compile(
    rf"(?:[\s\-–—&+/.,;:!?…)*•>]|{_WORDS}"
    r"|\b(?:so|if so|if yes|if not|firstly|secondly|another thing|one more thing|oh|ps)\b"
    r"|\b(?:first|second|third)(?=\s*(?:[:,]|$)))*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message.

    Attributes:
        text: As it stands in the message, without what joins it to its neighbours.
        start, end: Where it stands: ``message[start:end] == text``.
    """

    text: str
    start: int
    end: int


def split(message: str, most: int = MAX_CLAUSES) -> list[Clause]:
    """The clauses of a message, in order; each has a word in it.

    Args:
        message: Any text.
        most: How many clauses there may be; the last one holds the rest.
    """
    clauses: list[Clause] = []
    for start, end in _pieces(message):
        start = start + _lead(message[start:end])
        if not _WORD.search(message, start, end):
            continue
        if len(clauses) == most:
            clauses[-1] = _clause(message, clauses[-1].start, end)
        else:
            clauses.append(_clause(message, start, end))
    return clauses


def join(message: str, clauses: Sequence[Clause]) -> Clause:
    """Neighbouring clauses as one, with what stands between them."""
    return _clause(message, clauses[0].start, clauses[-1].end)


def _pieces(message: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _BREAK.finditer(message):
        # A question mark says something about the clause before it; a joining word does not.
        end = found.end() if "?" in found.group() or "!" in found.group() else found.start()
        yield start, end
        start = found.end()
    yield start, len(message)


def _lead(piece: str) -> int:
    found = _LEAD.match(piece)
    return found.end() if found else 0


def _clause(message: str, start: int, end: int) -> Clause:
    text = message[start:end]
    kept = text.rstrip()
    return Clause(kept, start, start + len(kept))

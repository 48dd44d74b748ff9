"""Cuts a long text into messages where a reader would pause."""

from __future__ import annotations

import re

# Best first; the empty group is where to cut. A border in the first half is passed over for a
# lesser one further on, so that no message is a stub; between words that is no matter.
_PAUSES = (
    re.compile(r"()\n\s*\n"),
    re.compile(r"()\n"),
    # ASCII and typographic sentence ends before white space; the full-width ones need none.
    re.compile(r"(?:[.!?\u2026][\"'\u201d\u2019)\]]*(?=\s)|[\u3002\uff01\uff1f]\u201d?)()"),
)
_SPACE = re.compile(r"()\s")


def width(text: str) -> int:
    """Characters as UTF-16 counts them (most emoji are two): the stricter way to read a limit."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def split(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters, none of them blank.

    Cuts between paragraphs, else lines, else sentences, else words, else anywhere. Only white space
    at the cuts is lost.
    """
    pieces = []
    rest = text.strip()
    while width(rest) > limit:
        cut = _border(rest, _fitting(rest, limit))
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces


def _fitting(text: str, limit: int) -> int:
    """How many characters of the text fit."""
    used = 0
    for index, character in enumerate(text):
        used += width(character)
        if used > limit:
            return index
    return len(text)


def _border(text: str, end: int) -> int:
    # White space that follows the last fitting character is a border too.
    window = text[: end + 1]
    for pause in _PAUSES:
        cut = _last(pause, window, end)
        if cut > end // 2:
            return cut
    return _last(_SPACE, window, end) or max(end, 1)


def _last(border: re.Pattern[str], window: str, end: int) -> int:
    return max((m.start(1) for m in border.finditer(window) if m.start(1) <= end), default=0)

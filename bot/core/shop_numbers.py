"""The shop's numbers in the one spelling that its systems use, from whatever customers type.

``fd 104233``, ``#104233`` and ``FD104233`` are all order ``FD-104233``. Each function takes one
candidate (not a sentence) and gives the number as it is stored, or None when the text is no such
number. Nothing is looked up: a number that reads well may still not exist.
"""

from __future__ import annotations

import re
import unicodedata

ORDER_PREFIX = "FD-"
RETURN_PREFIX = "RT-"
TICKET_PREFIX = "T-"
RESERVATION_PREFIX = "RS-"

# What people put between, before and after the parts of a number. A number sign, the word "no."
# and brackets carry no meaning; neither do the dashes that phones make of a hyphen.
_NOISE = re.compile(r"[\s\-‐‑‒–—−_./:,;#()\[\]\"'“”‘’!?*]+")
_INTRODUCTION = re.compile(
    r"^(?:order|return|ticket|reservation|receipt|number|no|nr|num)(?=[^a-z]|$)"
)
# Letters that are read for digits on paper and small screens.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_MIN_DIGITS, _MAX_DIGITS = 4, 9


def order_number(text: str, prefix: str = ORDER_PREFIX) -> str | None:
    """An order's number, e.g. ``FD-104233``. Without the letters it needs at least five digits."""
    return prefixed_number(text, prefix, bare_digits=5)


def return_number(text: str, prefix: str = RETURN_PREFIX) -> str | None:
    """A return's number, e.g. ``RT-20417``; the letters must be there."""
    return prefixed_number(text, prefix)


def ticket_number(text: str, prefix: str = TICKET_PREFIX) -> str | None:
    """A ticket's number, e.g. ``T-3012``; the letters must be there."""
    return prefixed_number(text, prefix)


def reservation_number(text: str, prefix: str = RESERVATION_PREFIX) -> str | None:
    """A reservation's number, e.g. ``RS-4410``; the letters must be there."""
    return prefixed_number(text, prefix)


def prefixed_number(text: str, prefix: str, bare_digits: int | None = None) -> str | None:
    """Letters and digits as ``prefix`` + digits.

    Args:
        text: What the customer typed for the number.
        prefix: The letters with their separator, as stored; empty where the shop has none.
        bare_digits: How many digits are enough without the letters; None when letters are needed.
    """
    letters = _compact(prefix)
    body = _compact(_without_introduction(text))
    if letters and body.startswith(letters):
        digits, fewest = body[len(letters) :], _MIN_DIGITS
    elif not letters or bare_digits is not None:
        digits, fewest = body, bare_digits or _MIN_DIGITS
    else:
        return None
    # A word of letters alone ("Lilo") must not become a number by its lookalikes.
    if sum(character.isdigit() for character in digits) < fewest - 1:
        return None
    digits = digits.translate(_LOOKALIKES)
    if not (digits.isascii() and digits.isdigit() and fewest <= len(digits) <= _MAX_DIGITS):
        return None
    return prefix + digits


def receipt_number(text: str) -> str | None:
    """A till receipt's number, e.g. ``B3-88214``: the branch's till code and five digits."""
    found = re.fullmatch(r"(B\d)(\d{5})", _compact(_without_introduction(text)))
    return f"{found[1]}-{found[2]}" if found else None


def gift_card_code(text: str) -> str | None:
    """A gift card's code, e.g. ``JGC-7F3K-92QD``."""
    found = re.fullmatch(r"(?:JGC)([0-9A-Z]{4})([0-9A-Z]{4})", _compact(text))
    return f"JGC-{found[1]}-{found[2]}" if found else None


def sku(text: str) -> str | None:
    """A variant's SKU, e.g. ``JNP-1042-BLU-M``: product, colour, size."""
    found = re.fullmatch(r"JNP(\d{4})([A-Z]{3})([0-9A-Z]{1,3})", _compact(text))
    return f"JNP-{found[1]}-{found[2]}-{found[3]}" if found else None


def _without_introduction(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip(" \t\n#").lower()
    while (shorter := _INTRODUCTION.sub("", plain).lstrip(" .:#-")) != plain:
        plain = shorter
    return plain


def _compact(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()

"""Entities by rule: numbers and words that look the same in every shop."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import regex
from rasa.shared.exceptions import InvalidConfigException

from bot.nlu.entity_spans import LOOSE, STRICT, Found

_logger = logging.getLogger(__name__)

COLOURS = (
    "black white grey gray navy blue red green olive khaki yellow mustard orange pink purple lilac "
    "burgundy brown tan camel beige cream ivory charcoal teal turquoise gold silver rust sage "
    "denim"
)
# A colour's word that means something else here.
_NO_COLOUR = r"(?!\s(?:fridays?|cards?|tape|members?|delivery)\b)"
# "The jeans are too small" names no size that somebody wants.
_JUDGED = (
    r"(?<!\b(?:too|so|very|really|bit|way|quite|runs?|running|fits?|comes?|come\sup|comes\sup|are|"
    r"was|were|looks?|pretty|super|bit\son\sthe)\s)"
)
# Between the digits of phone numbers.
_GAP = r"[\s().-]{0,2}"
# What may follow a size that is said without the word: "in a 12 please", but not "a 12 week wait".
_SIZE_ENDS = (
    r"(?=\s*(?:$|[^\w\s'/%&.:-]|[.:-](?!\d)|(?:please|pls|plz|plss*|thanks|thx|ta|in|at|from|for|"
    r"and|or|not|no|instead|left|then|but|to|than|too|before|when|with|on|any|anywhere|rather|now|"
    r"by|was|were|is|are|isn|if|size|sizes|ones?|the|an?|i|it|so|as|last|back|available|exchange|"
    r"need|want|got|u|you|can)\b))"
)
_NO_TIME = r"(?!\s?(?:mins?|minutes?|hours?|hrs?|days?|weeks?|times?)\b)"
_WORDED = r"(?:extra[\s-](?:small|large)|small|medium|large)"
_LETTERED = r"(?:xxs|xs|x{1,3}l|[2-5]xl)"
_NUMBER = r"[1-5]?\d(?:\.5|½)?"

PATTERNS: dict[str, str] = {
    "email": r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[a-z]{2,24}(?![\w-])",
    "sku": r"(?<![\w-])[A-Z]{3}-\d{4}-[A-Z]{3}-[A-Z0-9]{1,4}\b",
    "gift_card": r"(?<![\w-])(?:[A-Z]{3}-?(?=[A-Z-]{0,8}\d)[A-Z0-9]{4}-[A-Z0-9]{4}"
    r"|JGC\s?(?=[A-Z\s]{0,8}\d)[A-Z0-9]{4}\s?[A-Z0-9]{4})(?![\w-])",
    "order_number": r"(?:(?<![\w-])|(?<=order))fd\s?[-#.:_]?\s?#?"
    r"(?:(?=(?:[oil]*\d){4})[\doil]{6}(?![\doil])|\d{3}[\s-]\d{3}(?!\d))"
    r"|(?<![\w£$€+.,/-])(?<![£$€]\s)(?:\#\s?)?\d{6}(?![\w-]|[.,]\d)"
    r"(?!\s?(?:pounds?|quid|gbp|points?)\b)",
    "phone": rf"(?<![\w+])(?:\+44(?:{_GAP}\(0\))?(?:{_GAP}\d){{10}}"
    rf"|(?:\+|00)[1-9](?:{_GAP}\d){{8,13}}"
    rf"|\(?0(?!\d?[-.]\d\d?[-.]\d\d)(?:{_GAP}\d){{9,10}})(?![\w-]*\d)(?!\w)",
    "postcode": r"\b(?!uk)[A-Z]{1,2}\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}\b",
    "money": r"[£$€]\s?\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|[£$€]\s?\d+(?:[.,]\d{1,2})?"
    r"|(?<![\w.,-])\d+(?:[.,]\d{1,2})?(?:\s?(?:quid|pounds?|gbp|euros?|eur|dollars?|usd)|p)\b"
    r"|\b(?:an?|two|three|\d)\s(?:tenners?|fivers?|quid)\b",
    "size": rf"\bsizes?\s(?:uk\s?|eu\s?)?(?:{_NUMBER}|{_LETTERED}|{_WORDED}|[sml])(?![\w'&])"
    rf"{_NO_TIME}"
    rf"|\b(?:uk|eu)\s?{_NUMBER}(?![\w.-]*\w)|\b{_LETTERED}\b"
    rf"|\bextra[\s-](?:small|large)\b|(?<![\w-]){_JUDGED}(?:small|medium|large){_SIZE_ENDS}"
    rf"|(?<=\b(?:an?|in)\s){_NUMBER}{_SIZE_ENDS}|(?<=(?<!\b(?:by|on|for|since)\s)the\s){_NUMBER}(?=\s(?:instead|back)\b|[,;!?]|$)"
    r"|\b(?:super\s)?king[\s-]sized?\b"
    rf"|(?<=\b(?:an?|in|the)\s)(?:single|double){_SIZE_ENDS}|(?<=\b(?:a|in)\s)king{_SIZE_ENDS}"
    r"|(?-i:(?<![\w'&./-])[SML](?![\w'&./-]))"
    r"|(?<=\b(?:in|in an?|an?)\s)[ml](?![\w'’&])"
    r"|(?<=^\W*)[sml](?=\W*(?:(?:please|pls|plz|thanks)\W*)?$)",
    "colour": rf"\b(?:{'|'.join(COLOURS.split())})\b{_NO_COLOUR}",
}
# Little else looks like these: they win over the recogniser and over lookup tables.
STRICT_RULES = frozenset({"email", "sku", "gift_card", "order_number", "phone", "postcode"})
# Without one of these signs in a text, a pattern cannot match and is not tried.
_DIGIT = regex.compile(r"\d")
_NEEDED = {"email": regex.compile("@")} | dict.fromkeys(
    ("sku", "gift_card", "order_number", "phone", "postcode"), _DIGIT
)
_MOST_SECONDS = 0.1  # for one pattern on one message


class Rules:
    """Regular expressions by entity."""

    def __init__(self, patterns: Mapping[str, str], where: str, strict: frozenset[str]) -> None:
        """Compiles the patterns; case does not matter.

        Args:
            patterns: Regular expressions by entity; an empty one finds nothing.
            where: The place of the patterns in the project, for messages.
            strict: The entities whose patterns win over everything else.

        Raises:
            InvalidConfigException: A pattern is no regular expression.
        """
        self._strict, self._where = strict, where
        self._compiled = [
            (
                entity,
                _compile(entity, pattern, where),
                _NEEDED.get(entity) if pattern == PATTERNS.get(entity) else None,
            )
            for entity, pattern in patterns.items()
            if pattern
        ]

    def find(self, text: str) -> Iterator[Found]:
        """What the patterns match; results may overlap."""
        present: dict[regex.Pattern[str], bool] = {}
        for entity, pattern, needed in self._compiled:
            if needed is not None:
                if needed not in present:
                    present[needed] = needed.search(text) is not None
                if not present[needed]:
                    continue
            rank = STRICT if entity in self._strict else LOOSE
            try:
                for match in pattern.finditer(text, timeout=_MOST_SECONDS):
                    if match.end() > match.start():
                        yield Found(match.start(), match.end(), entity, rank)
            except TimeoutError:
                _logger.warning(
                    "The pattern of '%s' in %s took too long and was left out for one message. "
                    "Make it simpler.",
                    entity,
                    self._where,
                )


def _compile(entity: str, pattern: str, where: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise InvalidConfigException(
            f"EntityExtractor: the pattern of '{entity}' in {where} is not a regular expression: "
            f"{pattern!r} ({error}). Mend it there."
        ) from error

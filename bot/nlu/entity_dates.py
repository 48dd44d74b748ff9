"""Dates as customers say them: "next Tuesday", "the 4th", "12/03", "two weeks ago", "Boxing Day".

A pattern finds the words, python-dateutil says which day they mean. Days come first in numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import regex
from dateutil.easter import easter
from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

from bot.nlu.entity_spans import Found

ENTITY = "date"
RESOLVED, GRAIN = "resolved", "grain"

_DAYS = {"mon": MO, "tue": TU, "wed": WE, "thu": TH, "fri": FR, "sat": SA, "sun": SU}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_COUNTS = {
    word: number
    for number, words in enumerate(
        (
            "a an one",
            "two couple",
            "three few",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
        ),
        1,
    )
    for word in words.split()
}

_LONG_DAY = r"monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_SHORT_DAY = r"mon|tues?|weds?|thurs?|thur?|fri"
# "sat" and "sun" are also other words.
_ANY_DAY = rf"(?:{_LONG_DAY}|{_SHORT_DAY}|sat|sun)"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_LONG_MONTH = (
    r"(?:january|february|march|april|june|july|august|september|october|november|december)"
)
_NTH = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)"
_COUNT = rf"(?:{'|'.join(_COUNTS)}|a\s(?:couple|few)(?:\sof)?|couple\sof|\d{{1,3}})"
_UNIT = r"(?:days?|weeks?|wks?|fortnights?|months?|years?|yrs?)"
_NOT_A_DAY = (
    r"(?!\s(?:one|time|item|parcel|order|pair|floor|try|attempt|message|email|day|size)s?\b)"
)

_DATE = regex.compile(
    rf"""\b(?:
    (?P<overmorrow>(?:the\s)?day\safter\stomorrow)
    | (?P<ereyesterday>(?:the\s)?day\sbefore\syesterday)
    | (?P<tomorrow>tomm?orr?ow|tmrw?|tmo[rz]?|2mor?row|2moro)
    | (?P<today>today|tonight|yest[ea]rday|yesteday|yday|last\snight
        |this\s(?:morning|afternoon|evening))
    | (?P<iso>20\d\d-[01]\d-[0-3]\d)
    | (?P<numeric>(?<![\d/.£$€-]|size\s|uk\s)(?!24/7|10/10|1/2\b|3/4\b)
        [0-3]?\d(?:/[01]?\d(?:/(?:20)?\d\d)?
        |[.-][01]?\d[.-](?:20)?\d\d))(?![\d/%])
    | (?:{_ANY_DAY}\s(?:the\s)?)?(?P<day>{_NTH}|(?:[12]\d|3[01]|0?[1-9]))(?:\sof)?\s
        (?P<month>{_MONTH})(?:,?\s(?P<year>20\d\d))?
    | (?P<month2>{_MONTH})\s(?:the\s)?(?P<day2>{_NTH}|[12]\d|3[01]|0?[1-9])(?!\d)
        (?:,?\s(?P<year2>20\d\d))?
    | (?:{_ANY_DAY}\s(?:the\s)?|the\s)(?P<nth>{_NTH}){_NOT_A_DAY}
    | (?P<which>last|next|this(?:\scoming)?|coming)\s(?P<weekday>{_ANY_DAY})
    | (?P<after>{_LONG_DAY})\sweek
    | (?<=\b(?:on|by|til|till|until|for|since|before|after|from)\s)(?P<prompted>sat|sun)
    | (?<!black\s)(?P<bare>{_LONG_DAY}|{_SHORT_DAY})
    | in\s(?P<ahead>{_COUNT}\s{_UNIT})(?:'?\stime)? | (?P<awaited>{_COUNT}\s{_UNIT})'?\stime
    | (?P<gone>{_COUNT}\s{_UNIT})\sago
    | (?P<span>last|next|this)\s(?P<grain>week|weekend|month|year)
    | (?<=\b(?:by|on|over|at|for|until|before|after)\s)(?P<thisweekend>the\sweekend)
    | (?<=\b(?:in|since|from|until|til|till|before|by|of|last|next)\s)(?P<whole>{_LONG_MONTH}|may)
    | (?P<feast>boxing\sday|(?:christmas|xmas)\s(?:day|eve)|new\syear'?s?\s(?:day|eve)|good\sfriday
        |easter\s(?:sunday|monday)|(?<=\b(?:by|before|for|on|until|til|after|over|at|since)\s)
        (?:christmas|xmas|easter))
    )\b""",
    regex.IGNORECASE | regex.VERBOSE,
)
# Cheap: most messages have none of it.
_TRIGGER = regex.compile(
    r"\d|day|mon\b|tue|wed|thu|fri|sat\b|sun\b|tom|tm|yest|night|this|last|next|ago|time|christmas|"
    rf"xmas|easter|year|week|month|fortnight|may|{_LONG_MONTH}",
    regex.IGNORECASE,
)
# "it was due on Monday" means the last one, "will it be here by Monday" the next.
_PAST = regex.compile(
    r"\b(?:was|were|been|ordered|bought|paid|returned|posted|sent|arrived|came|delivered|collected|"
    r"received|since|placed|signed|moved|did|hasn'?t|haven'?t|didn'?t|should|supposed|meant|promised|cancelled|refunded|"
    r"expected|made|visit(?:ed)?|purchased?)\b",
    regex.IGNORECASE,
)
_AHEAD = regex.compile(
    r"\b(?:by|before|until|til|till|will|for|can|could|need|arrange)\s(?:\w+\s){0,2}$",
    regex.IGNORECASE,
)
_FEASTS = {
    "boxing": (12, 26),
    "day": (12, 25),
    "eve": (12, 24),
    "christmas": (12, 25),
    "xmas": (12, 25),
}


class _Meant(NamedTuple):
    day: date
    grain: str = "day"


class DateRule:
    """Finds dates and says which day they mean."""

    def __init__(self, today: Callable[[], date] = date.today) -> None:
        """Takes what tells the current day; on the shop's clock, not the customer's."""
        self._today = today

    def find(self, text: str) -> Iterator[Found]:
        """The dates of a text, with ``resolved`` (ISO) and ``grain`` (day, week, month or year).

        A week, month or year is resolved to its first day. Words without a day in the calendar
        (the 31st of February) are no date.
        """
        if not _TRIGGER.search(text):
            return
        for match in _DATE.finditer(text):
            before = text[: match.start()]
            past = _PAST.search(before[-80:]) is not None and not _AHEAD.search(before[-40:])
            try:
                meant = _meant(match, self._today(), past)
            except (ValueError, OverflowError):
                continue
            extra = {RESOLVED: meant.day.isoformat(), GRAIN: meant.grain}
            yield Found(match.start(), match.end(), ENTITY, extra=extra)


def _meant(match: regex.Match[str], today: date, past: bool) -> _Meant:
    said = {name: text.casefold() for name, text in match.groupdict().items() if text}
    for name, reading in _READINGS.items():
        if name in said:
            return reading(said, today, past)
    raise ValueError("no reading")


def _numeric(said: dict[str, str], today: date, past: bool) -> _Meant:
    day, month, *year = (int(part) for part in regex.split(r"[/.-]", said["numeric"]))
    return _Meant(_on(day, month, year[0] % 100 + 2000 if year else None, today, past))


def _calendar(said: dict[str, str], today: date, past: bool) -> _Meant:
    day, month = said.get("day") or said["day2"], said.get("month") or said["month2"]
    year = said.get("year") or said.get("year2")
    number = _MONTHS[month[:3]]
    return _Meant(_on(_digits(day), number, int(year) if year else None, today, past))


def _on(day: int, month: int, year: int | None, today: date, past: bool) -> date:
    if year is not None:
        return date(year, month, day)
    # Without a year it is the nearest one in the direction that the sentence points to.
    years = range(today.year, today.year - 5, -1) if past else range(today.year, today.year + 5)
    for candidate in (_valid(y, month, day) for y in years):
        if candidate and (candidate <= today if past else candidate >= today):
            return candidate
    raise ValueError("no such day")


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nth(said: dict[str, str], today: date, past: bool) -> _Meant:
    day, first = _digits(said["nth"]), today.replace(day=1)
    for months in range(13):
        month = first + relativedelta(months=-months if past else months)
        candidate = _valid(month.year, month.month, day)
        if candidate and (candidate <= today if past else candidate >= today):
            return _Meant(candidate)
    raise ValueError("no such day")


def _weekday(said: dict[str, str], today: date, past: bool) -> _Meant:
    which = said.get("which", "")
    name = said.get("weekday") or said.get("bare") or said.get("prompted") or said["after"]
    weekday = _DAYS[name[:3]]
    if which == "last" or (past and which == ""):
        return _Meant(today + relativedelta(days=-1, weekday=weekday(-1)))
    # Who says the name of today's day, and not "today", means the one in a week.
    coming = today + relativedelta(days=1, weekday=weekday(+1))
    return _Meant(coming + timedelta(days=7 if "after" in said else 0))


def _shifted(said: dict[str, str], today: date, past: bool) -> _Meant:
    words = (said.get("ahead") or said.get("awaited") or said["gone"]).replace(" of", "").split()
    count, unit = words[-2], words[-1]
    number = int(count) if count.isdigit() else _COUNTS[count]
    if unit.startswith("fortnight"):
        number, unit = 2 * number, "weeks"
    amount = -number if "gone" in said else number
    key = {"d": "days", "w": "weeks", "m": "months", "y": "years"}[unit[0]]
    return _Meant(today + relativedelta(**{key: amount}))  # type: ignore[arg-type]


def _span(said: dict[str, str], today: date, past: bool) -> _Meant:
    step, grain = {"last": -1, "next": 1, "this": 0}[said["span"]], said["grain"]
    if grain == "month":
        return _Meant(today.replace(day=1) + relativedelta(months=step), grain)
    if grain == "year":
        return _Meant(today.replace(day=1, month=1) + relativedelta(years=step), grain)
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
    return _Meant(monday, "week") if grain == "week" else _Meant(monday + timedelta(days=5), grain)


def _weekend(said: dict[str, str], today: date, past: bool) -> _Meant:
    saturday = today - timedelta(days=today.weekday()) + timedelta(days=-2 if past else 5)
    return _Meant(saturday, "weekend")


def _whole_month(said: dict[str, str], today: date, past: bool) -> _Meant:
    first, number = today.replace(day=1), _MONTHS[said["whole"][:3]]
    return _Meant(_on(1, number, None, first, past), "month")


def _feast(said: dict[str, str], today: date, past: bool) -> _Meant:
    words = said["feast"].split()
    if words[0] in ("good", "easter"):
        shift = {"friday": -2, "monday": 1}.get(words[-1], 0)
        days = [easter(today.year + n) + timedelta(days=shift) for n in (-1, 0, 1)]
        if past:
            return _Meant(max(d for d in days if d <= today))
        return _Meant(min(d for d in days if d >= today))
    if words[0] == "new":
        month, day = (12, 31) if words[-1] == "eve" else (1, 1)
    else:
        month, day = _FEASTS.get(words[0] if words[0] == "boxing" else words[-1], (12, 25))
    return _Meant(_on(day, month, None, today, past))


def _near(said: dict[str, str], today: date, past: bool) -> _Meant:
    word = said["today"].split()[0]
    shift = 0 if word in ("today", "tonight", "this") else -1
    return _Meant(today + timedelta(days=shift))


def _digits(text: str) -> int:
    return int("".join(sign for sign in text if sign.isdigit()))


_Reading = Callable[[dict[str, str], date, bool], _Meant]
_READINGS: dict[str, _Reading] = {
    "overmorrow": lambda said, today, past: _Meant(today + timedelta(days=2)),
    "ereyesterday": lambda said, today, past: _Meant(today - timedelta(days=2)),
    "tomorrow": lambda said, today, past: _Meant(today + timedelta(days=1)),
    "today": _near,
    "iso": lambda said, today, past: _Meant(date.fromisoformat(said["iso"])),
    "numeric": _numeric,
    "month": _calendar,
    "month2": _calendar,
    "nth": _nth,
    "weekday": _weekday,
    "after": _weekday,
    "prompted": _weekday,
    "bare": _weekday,
    "ahead": _shifted,
    "awaited": _shifted,
    "gone": _shifted,
    "span": _span,
    "thisweekend": _weekend,
    "whole": _whole_month,
    "feast": _feast,
}

"""Dates: which words are one, and which day they mean."""

from __future__ import annotations

from datetime import date

import pytest

from bot.nlu.entity_dates import DateRule

WEDNESDAY = date(2026, 11, 25)
RULE = DateRule(lambda: WEDNESDAY)


def _dates(text: str) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.extra["resolved"]) for f in RULE.find(text)]


@pytest.mark.parametrize(
    ("text", "found", "day"),
    [
        ("will it come today?", "today", "2026-11-25"),
        ("TOMORROW pls", "TOMORROW", "2026-11-26"),
        ("by tommorow", "tommorow", "2026-11-26"),
        ("the day after tomorrow", "the day after tomorrow", "2026-11-27"),
        ("it came yesterday", "yesterday", "2026-11-24"),
        ("yesterday's price", "yesterday", "2026-11-24"),
        ("last night", "last night", "2026-11-24"),
        ("next tuesday", "next tuesday", "2026-12-01"),
        ("next wednesday", "next wednesday", "2026-12-02"),
        ("this fri", "this fri", "2026-11-27"),
        ("last sat", "last sat", "2026-11-21"),
        ("i need it by sat", "sat", "2026-11-28"),
        ("is it there on Friday", "Friday", "2026-11-27"),
        ("it was due on Friday", "Friday", "2026-11-20"),
        ("i ordered it, will it be here by friday", "friday", "2026-11-27"),
        ("monday week", "monday week", "2026-12-07"),
        ("on the 4th", "the 4th", "2026-12-04"),
        ("i sent it on the 4th", "the 4th", "2026-11-04"),
        ("friday the 4th", "friday the 4th", "2026-12-04"),
        ("the 31st", "the 31st", "2026-12-31"),
        ("12/03", "12/03", "2027-03-12"),
        ("bought on 12/03", "12/03", "2026-03-12"),
        ("12/3/26", "12/3/26", "2026-03-12"),
        ("12.03.2026", "12.03.2026", "2026-03-12"),
        ("2026-03-04", "2026-03-04", "2026-03-04"),
        ("3rd of march", "3rd of march", "2027-03-03"),
        ("3 March 2025", "3 March 2025", "2025-03-03"),
        ("march 3rd", "march 3rd", "2027-03-03"),
        ("29 feb", "29 feb", "2028-02-29"),
        ("in two weeks", "in two weeks", "2026-12-09"),
        ("in a fortnight", "in a fortnight", "2026-12-09"),
        ("in 3 days time", "in 3 days time", "2026-11-28"),
        ("10 days ago", "10 days ago", "2026-11-15"),
        ("a couple of weeks ago", "a couple of weeks ago", "2026-11-11"),
        ("a month ago", "a month ago", "2026-10-25"),
        ("open on boxing day", "boxing day", "2026-12-26"),
        ("good friday hours", "good friday", "2027-03-26"),
        ("before xmas", "xmas", "2026-12-25"),
        ("new year's eve", "new year's eve", "2026-12-31"),
    ],
)
def test_the_day_that_is_meant(text: str, found: str, day: str) -> None:
    assert _dates(text) == [(found, day)]


@pytest.mark.parametrize(
    ("text", "day", "grain"),
    [
        ("last week", "2026-11-16", "week"),
        ("this weekend", "2026-11-28", "weekend"),
        ("will it be here by the weekend", "2026-11-28", "weekend"),
        ("i bought it in february", "2026-02-01", "month"),
        ("do you open there in february", "2027-02-01", "month"),
        ("next month", "2026-12-01", "month"),
        ("last year", "2025-01-01", "year"),
        ("tomorrow", "2026-11-26", "day"),
    ],
)
def test_weeks_months_and_years_are_their_first_day(text: str, day: str, grain: str) -> None:
    (found,) = RULE.find(text)
    assert found.extra == {"resolved": day, "grain": grain}


@pytest.mark.parametrize(
    "text",
    [
        "open 24/7",
        "half price, 1/2",
        "31/02",
        "99/99",
        "FD-104233",
        "£3.95",
        "i sat here",
        "may i return it",
        "u open sundays?",
        "black friday code",
        "30 days",
        "the 2nd one",
        "10/10",
        "07700 900123",
        "2026-13-45",
        "in 999999999999 days",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert _dates(text) == []


def test_two_dates_in_one_message() -> None:
    assert _dates("ordered on friday, was promised for tomorrow") == [
        ("friday", "2026-11-20"),
        ("tomorrow", "2026-11-26"),
    ]


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1)])
def test_any_day_of_the_calendar_has_an_answer(today: date) -> None:
    rule = DateRule(lambda: today)
    text = "next month, last month, the 31st, 29 feb, next year, easter monday, christmas eve"
    assert len(list(rule.find(text))) == 7

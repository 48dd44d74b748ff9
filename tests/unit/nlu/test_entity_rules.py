"""Rules: what they find in any spelling, what they leave alone, and how long they may take."""

from __future__ import annotations

import time

import pytest
from rasa.shared.exceptions import InvalidConfigException

from bot.core import shop_numbers
from bot.nlu.entity_rules import PATTERNS, STRICT_RULES, Rules
from bot.nlu.entity_spans import LOOSE, STRICT, Found, Readable, resolve

RULES = Rules(PATTERNS, "the test", STRICT_RULES)


def _found(text: str) -> list[tuple[str, str]]:
    return [(f.entity, text[f.start : f.end]) for f in resolve(RULES.find(text))]


def _only(text: str, entity: str) -> list[str]:
    return [value for name, value in _found(text) if name == entity]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("oder fd-104233", "fd-104233"),
        ("wehre is my ordr FD 104233 plz", "FD 104233"),
        ("order no. 104233", "104233"),
        ("order number:104233", "104233"),
        ("#104233", "#104233"),
        ("its # 104233!", "# 104233"),
        ("fd104233.", "fd104233"),
        ("(FD-104233)", "FD-104233"),
        ("fd104233plz", "fd104233"),
        ("orderfd104233", "fd104233"),
        ("FD - 103655", "FD - 103655"),
        ("Fd.104366", "Fd.104366"),
        ("FD-1O4233", "FD-1O4233"),
        ("FD 104 233", "FD 104 233"),
        ("FD-104233?!", "FD-104233"),
        ("cancel\nFD-104233\nthanks", "FD-104233"),
    ],
)
def test_order_numbers_survive_spelling_and_what_stands_around_them(text: str, value: str) -> None:
    assert _only(text, "order_number") == [value]
    assert shop_numbers.order_number(value) is not None, "and the actions can read it"


@pytest.mark.parametrize(
    "text",
    [
        "07700 900123",
        "£104233",
        "RT-20417",
        "104233.50",
        "JNP-1042-BLU-M",
        "1042334",
        "A104233",
        "104233 points",
    ],
)
def test_other_numbers_are_no_order_numbers(text: str) -> None:
    assert _only(text, "order_number") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail me at maya.okafor@example.com.", [("email", "maya.okafor@example.com")]),
        ("MAYA+SHOP@EXAMPLE.CO.UK", [("email", "MAYA+SHOP@EXAMPLE.CO.UK")]),
        (
            "ring 07700 900123, order 104233",
            [("phone", "07700 900123"), ("order_number", "104233")],
        ),
        ("07700 900123 104233", [("phone", "07700 900123"), ("order_number", "104233")]),
        ("+44 (0)7700 900123", [("phone", "+44 (0)7700 900123")]),
        ("+447700900789", [("phone", "+447700900789")]),
        ("(0113) 496 0175", [("phone", "(0113) 496 0175")]),
        ("near ls1 4dy?", [("postcode", "ls1 4dy")]),
        ("EC1A1BB", [("postcode", "EC1A1BB")]),
        ("have you jnp-1042-blu-m", [("sku", "jnp-1042-blu-m")]),
        ("balance of JGC-7F3K-92QD", [("gift_card", "JGC-7F3K-92QD")]),
        ("jgc 3m8d 61wx", [("gift_card", "jgc 3m8d 61wx")]),
        ("was £12.50", [("money", "£12.50")]),
        (
            "£1,200.00 or 12 quid or 20 pounds",
            [("money", m) for m in ("£1,200.00", "12 quid", "20 pounds")],
        ),
        ("under a tenner", [("money", "a tenner")]),
        ("50p", [("money", "50p")]),
        ("is the navy one back", [("colour", "navy")]),
        ("GREY or gray", [("colour", "GREY"), ("colour", "gray")]),
    ],
)
def test_what_looks_the_same_everywhere_is_found(text: str, found: list[tuple[str, str]]) -> None:
    assert _found(text) == found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("got the boots in size 7?", ["size 7"]),
        ("a UK 9 please", ["UK 9"]),
        ("XL", ["XL"]),
        ("have it in a medium?", ["medium"]),
        ("any left in a 5?", ["5"]),
        ("change the gloves from S to M", ["S", "M"]),
        ("m pls", ["m"]),
        ("i ordered a large and you sent me a small", ["large", "small"]),
        ("the king size duvet, not a double", ["king size", "double"]),
        ("double points", []),
        ("the jeans are too small", []),
        ("postage for a small parcel", []),
        ("I'M at M&S", []),
        ("got the wrong size 5 mins after ordering", []),
        ("a 12 week wait", []),
        ("in 2 weeks", []),
    ],
)
def test_sizes_are_told_from_other_small_words(text: str, values: list[str]) -> None:
    assert _only(text, "size") == values


@pytest.mark.parametrize(
    "text", ["black friday code", "gold card", "p&p", "one-time-only", "24/7", "😀👍"]
)
def test_everyday_words_are_left_alone(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    "piece", ["a", "0", "a.", "1 ", "+4", "size ", "x-", "£", " ", "fd-", "the "]
)
def test_long_messages_take_little_time(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    began = time.process_time()
    list(RULES.find(text))
    assert time.process_time() - began < 1.0


def test_a_pattern_without_end_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    rules = Rules({"loop": r"(a+)+(b+)+(a+)+$c", "fine": "z"}, "data/nlu", frozenset())
    assert [f.entity for f in rules.find("ab" * 400 + "a" * 4000 + "z")] == ["fine"]
    assert "'loop' in data/nlu" in caplog.text


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(InvalidConfigException, match=r"'shoe' in the test .*'\('"):
        Rules({"shoe": "("}, "the test", frozenset())


def test_the_stricter_then_the_longer_then_the_first_stays() -> None:
    strict = Found(4, 8, "order_number", STRICT)
    long, short, same = Found(0, 12, "product"), Found(0, 5, "colour"), Found(0, 12, "branch")
    assert resolve([long, strict, short]) == [strict]
    assert resolve([short, long, same]) == [long]
    assert resolve([Found(6, 9, "b"), Found(0, 3, "a")]) == [Found(0, 3, "a"), Found(6, 9, "b")]


def test_a_rule_takes_over_role_and_group() -> None:
    learned = Found(5, 6, "size", role="new", group="1", confidence=0.9)
    assert resolve([Found(0, 6, "size", LOOSE), learned]) == [
        Found(0, 6, "size", LOOSE, role="new", group="1")
    ]


@pytest.mark.parametrize(
    ("original", "read", "value"),
    [
        ("FD\u201110\u200b4233 👍", "FD-104233 👍", "FD\u201110\u200b4233"),
        ("👍🏽 ＦＤ１０４２３３", "👍🏽 FD104233", "ＦＤ１０４２３３"),
        ("\ufeff\u2066FD-104233\u2069", "FD-104233", "FD-104233"),
        ("FD\u00a0104233", "FD 104233", "FD\u00a0104233"),
    ],
)
def test_invisible_and_wide_signs_do_not_hide_a_number(
    original: str, read: str, value: str
) -> None:
    readable = Readable.of(original, 100)
    assert readable.text == read
    (found,) = RULES.find(readable.text)
    start, end = readable.original(found.start, found.end)
    assert original[start:end] == value

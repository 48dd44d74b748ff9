"""One wish or several: what is decided from what is understood of the parts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.nlu.wishes import MOST_WISHES, Wish, share, wishes

# What the classifier of these tests knows: the first entry whose words stand in the text.
KNOWN: dict[str, dict[str, float]] = {
    "cancel": {"cancel_order": 0.98},
    "refund": {"refund_status": 0.95},
    "how do i pay": {"payment_methods": 0.97},
    "policy": {"return_policy": 0.9},
    "late": {"order_late": 0.9, "order_status": 0.09},
    "where is it": {"order_status": 0.9, "order_late": 0.08},
    "perhaps pay": {"payment_methods": 0.8},
    "hello": {"greet": 0.99},
    "thanks": {"thank": 0.99},
    "yes": {"affirm": 0.99},
    "FD-": {"inform": 0.99},
    "bought": {"list_orders": 0.4},
    "frobnicate": {"out_of_scope": 0.5, "warranty": 0.2},
}


async def parse(text: str) -> dict[str, Any]:
    guesses = next((known for words, known in KNOWN.items() if words in text), {"warranty": 0.1})
    ranking = [{"name": name, "confidence": sure} for name, sure in guesses.items()]
    return {"text": text, "intent": ranking[0], "intent_ranking": ranking, "entities": []}


def found(message: str, *, asked: bool = False) -> list[str]:
    """The intents; a question mark behind those that are not clear."""
    several = asyncio.run(wishes(message, parse, asked=asked))
    for wish in several:
        assert message[wish.start : wish.end] == wish.text
    return [wish.intent + ("" if wish.sure else "?") for wish in several]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("cancel it and where is my refund", ["cancel_order", "refund_status"]),
        ("where is my refund? cancel it", ["refund_status", "cancel_order"]),
        ("hello, cancel it and how do i pay, thanks", ["cancel_order", "payment_methods"]),
        ("cancel it, how do i pay, whats your policy",
         ["cancel_order", "payment_methods", "return_policy"]),
        # What is not understood belongs to what stands before it.
        ("cancel it, the blue one, and how do i pay", ["cancel_order", "payment_methods"]),
        ("i bought one, cancel it. how do i pay", ["cancel_order", "payment_methods"]),
        ("can you cancel it and can you frobnicate this", ["cancel_order", "out_of_scope?"]),
    ],
)  # fmt: skip
def test_several_wishes(message: str, expected: list[str]) -> None:
    assert found(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "cancel it",
        "hello, cancel it, thanks",
        "i bought a coat and it is late",
        "it is late, where is it",  # each is likely in the other's place
        "cancel it and cancel that",
        "yes, cancel it",
        "cancel it, FD-104233",
        "don't cancel it, just tell me about the refund",
        "the refund, perhaps pay",  # only the meaning speaks for two, and that is not sure
        "how do i pay, frobnicate",
        "cancel it, the refund, how do i pay and your policy",  # more than can be meant
    ],
)
def test_one_wish(message: str) -> None:
    assert found(message) == []


def test_words_that_ask_make_up_for_less_certainty() -> None:
    assert found("what about a refund, can i perhaps pay") == ["refund_status", "payment_methods"]
    assert found("the refund, also perhaps pay") == ["refund_status", "payment_methods"]


def test_an_answer_counts_first_and_only_when_something_was_asked() -> None:
    assert found("yes, and how do i pay", asked=True) == ["affirm", "payment_methods"]
    assert found("FD-104233, FD-1 and how do i pay", asked=True) == ["inform", "payment_methods"]
    assert found("how do i pay, yes", asked=True) == []


def test_a_message_without_a_break_is_not_even_parsed() -> None:
    async def never(text: str) -> dict[str, Any]:
        raise AssertionError(text)

    for message in ("", "cancel it", "👍"):
        assert asyncio.run(wishes(message, never)) == []


def test_many_clauses_cost_little() -> None:
    asked: list[str] = []

    async def counting(text: str) -> dict[str, Any]:
        asked.append(text)
        return await parse(text)

    asyncio.run(wishes("cancel it and refund me. " * 400, counting))
    assert len(asked) <= 8 + MOST_WISHES


def _wish(intent: str, *values: str) -> Wish:
    entities = [
        {"entity": "order_number", "value": value, "start": 3, "end": 9} for value in values
    ]
    ranking = [{"name": intent, "confidence": 1.0}]
    return Wish(intent, 0, 1, {"intent_ranking": ranking, "entities": entities})


def _numbers(found: list[Wish]) -> list[list[str]]:
    return [[entity["value"] for entity in wish.parse["entities"]] for wish in found]


@pytest.mark.parametrize(
    ("said", "shared"),
    [
        ([[], ["FD-1"]], [["FD-1"], ["FD-1"]]),
        ([["FD-1"], []], [["FD-1"], []]),  # the conversation remembers it
        ([[], ["FD-1"], ["FD-2"]], [[], ["FD-1"], ["FD-2"]]),
        ([[], ["fd-1"], ["FD-1"]], [["fd-1"], ["fd-1"], ["FD-1"]]),
    ],
)
def test_an_order_named_once_holds_for_the_wishes_before(
    said: list[list[str]], shared: list[list[str]]
) -> None:
    given = [_wish("cancel_order", *values) for values in said]
    assert _numbers(share(given, ["order_number"])) == shared


def test_yes_and_values_are_given_nothing() -> None:
    given = [_wish("affirm"), _wish("inform"), _wish("cancel_order", "FD-1")]
    assert _numbers(share(given, ["order_number"])) == [[], [], ["FD-1"]]

"""Answers from the customer's own data, and how things are written."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest

from actions.catalogue import plain_size
from actions.delivery import ActionOrderLate
from actions.formatting import clock, day, listing, money, phone
from actions.orders import ActionListOrders, ActionOrderStatus
from actions.payments import ActionFindReceipt
from actions.products import ActionLoyaltyPoints
from actions.returns import ActionRefundStatus
from connectors.demo import cast
from tests.unit.actions.talk import TOM, Talk

STATES = [
    (cast.IN_TRANSIT, "utter_order_shipped_expected"),
    (cast.CANCELLABLE, "utter_order_paid"),
    (cast.RETURNABLE, "utter_order_delivered_on"),
    (cast.LATE, "utter_order_overdue"),
    (cast.READY_FOR_COLLECTION, "utter_order_ready_for_collection"),
]


@pytest.mark.parametrize(("number", "response"), STATES)
async def test_where_an_order_is(maya: Talk, number: str, response: str) -> None:
    reply = await maya.say(ActionOrderStatus(), "order_status", order_number=number)
    assert reply.said == [response]
    assert reply.facts(response)["order"] == number


@pytest.mark.parametrize(
    ("number", "response"),
    [
        (cast.LOST, "utter_order_parcel_lost"),
        (cast.PACKED, "utter_order_packed"),
        (cast.CANCELLED, "utter_order_cancelled"),
    ],
)
async def test_where_another_order_is(stranger: Talk, number: str, response: str) -> None:
    stranger.slots |= TOM
    reply = await stranger.say(ActionOrderStatus(), "order_status", order_number=number)
    assert reply.said == [response]


async def test_a_parcel_on_its_way_can_be_tracked(maya: Talk) -> None:
    reply = await maya.say(ActionOrderStatus(), order_number=cast.IN_TRANSIT)
    facts = reply.facts("utter_order_shipped_expected")
    assert facts["expected"] == "tomorrow"
    assert facts["buttons"][0]["url"].startswith("https://")


async def test_several_orders_are_offered_to_choose_from(maya: Talk) -> None:
    reply = await maya.say(ActionOrderStatus(), "order_status")
    assert reply.said == ["utter_which_order"]
    assert reply.slots["pending_action"] == "action_order_status"
    payloads = [b["payload"] for b in reply.messages[0]["buttons"]]
    assert payloads[0] == '/inform{"order_number": "FD-104234"}'
    assert len(payloads) == 3


async def test_the_latest_orders_are_listed(maya: Talk) -> None:
    reply = await maya.say(ActionListOrders(), "list_orders")
    listed = reply.facts("utter_orders")["orders"]
    assert listed.count("•") == 5
    assert "FD-104233" in listed
    assert "£" in listed


async def test_an_order_in_time_is_not_called_late(maya: Talk) -> None:
    reply = await maya.say(ActionOrderLate(), "order_late", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_order_shipped_expected"]


async def test_where_a_refund_is(maya: Talk) -> None:
    reply = await maya.say(ActionRefundStatus(), "refund_status", order_number=cast.REFUNDED)
    facts = reply.facts("utter_return_refunded")
    assert facts["number"] == cast.REFUNDED_RETURN
    assert facts["paid"] == "Monday 9 March"


async def test_receipts_come_with_links(maya: Talk) -> None:
    reply = await maya.say(ActionFindReceipt(), "find_receipt")
    assert cast.RECEIPT in reply.facts("utter_receipts")["receipts"]
    assert cast.RECEIPT in reply.titles()


async def test_points(maya: Talk) -> None:
    reply = await maya.say(ActionLoyaltyPoints(), "loyalty_points")
    assert reply.facts("utter_loyalty_points")["points"] == "2,340"


def test_money_dates_and_lists() -> None:
    today = date(2026, 3, 18)
    assert money(Decimal("1249.5")) == "£1,249.50"
    assert day(today, today) == "today"
    assert day(date(2026, 3, 25), today) == "Wednesday 25 March"
    assert day(date(2027, 1, 2), today) == "2 January 2027"
    assert (clock(time(9)), clock(time(17, 30)), clock(time(12))) == ("9am", "5:30pm", "12pm")
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert phone("+441134960124") == "0113 496 0124"
    assert phone("ask inside") == "ask inside"


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("size M", "m"),
        ("medium", "m"),
        ("UK 9", "9"),
        ("size 9.5", "9.5"),
        ("XL", "xl"),
        ("king size", "king"),
        ("One size", "one"),
    ],
)
def test_sizes_in_any_spelling(said: str, size: str) -> None:
    assert plain_size(said) == size

"""Numbers as customers type them."""

from __future__ import annotations

import pytest

from bot.core import shop_numbers


@pytest.mark.parametrize(
    "text",
    [
        "FD-104233",
        "fd-104233",
        "fd 104233",
        "FD104233",
        "#104233",
        "104233",
        " 104 233 ",
        "FD–104233",
        "fd.104233",
        "FD_104233",
        "# FD-104233",
        "order 104233",
        "Order no. FD-104233",
        "order number: #fd104233",
        "FD-1O4233",
        "fd-lO4233",
        "ＦＤ－１０４２３３",
        "104233!",
        "(FD-104233)",
        "“FD-104233”",
    ],
)
def test_an_order_number_in_any_spelling(text: str) -> None:
    assert shop_numbers.order_number(text) == "FD-104233"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FD-",
        "hello",
        "fd",
        "42",
        "1042",
        "07700900123",
        "+447700900123",
        "RT-20417",
        "FD-10x233",
        "JGC-7F3K-92QD",
        "oil",
        "LILOO",
        "104233 and 104234",
        "FD-1042334455",
        "order",
        "٣٤٥٦٧٨",
    ],
)
def test_what_is_no_order_number(text: str) -> None:
    assert shop_numbers.order_number(text) is None


@pytest.mark.parametrize("number", ["FD-104233", "FD-10423", "FD-1042334"])
def test_a_normal_number_stays_as_it_is(number: str) -> None:
    assert shop_numbers.order_number(number) == number


def test_a_shop_may_have_another_prefix_or_none() -> None:
    assert shop_numbers.order_number("so 55512", prefix="SO/") == "SO/55512"
    assert shop_numbers.order_number("#55512", prefix="") == "55512"
    assert shop_numbers.order_number("FD-55512", prefix="") is None


def test_returns_tickets_and_reservations_need_their_letters() -> None:
    assert shop_numbers.return_number("rt 20417") == "RT-20417"
    assert shop_numbers.return_number("return RT20417") == "RT-20417"
    assert shop_numbers.return_number("20417") is None
    assert shop_numbers.ticket_number("t3012") == "T-3012"
    assert shop_numbers.ticket_number("ticket T-3012") == "T-3012"
    assert shop_numbers.ticket_number("3012") is None
    assert shop_numbers.reservation_number("rs4410") == "RS-4410"
    assert shop_numbers.reservation_number("RT-4410") is None


def test_receipts_gift_cards_and_skus() -> None:
    assert shop_numbers.receipt_number("b3 88214") == "B3-88214"
    assert shop_numbers.receipt_number("receipt B3-88214") == "B3-88214"
    assert shop_numbers.receipt_number("88214") is None
    assert shop_numbers.gift_card_code("jgc7f3k92qd") == "JGC-7F3K-92QD"
    assert shop_numbers.gift_card_code("JGC 7F3K 92QD") == "JGC-7F3K-92QD"
    assert shop_numbers.gift_card_code("JGC-7F3K") is None
    assert shop_numbers.sku("jnp 1042 blu m") == "JNP-1042-BLU-M"
    assert shop_numbers.sku("JNP-1042-BLK-10") == "JNP-1042-BLK-10"
    assert shop_numbers.sku("JNP-1042") is None

"""The demo shop: always the same, believable, and with the cast that its documentation names."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ElementTree
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import connectors.demo
from bot.core.shop import OrderState, ReturnState
from bot.core.shop_numbers import gift_card_code, order_number, receipt_number, return_number, sku
from connectors.demo import cast, seed, seeded_on
from connectors.demo.catalogue import CATEGORIES
from connectors.demo.generate import demo_rows
from connectors.sql.phones import e164

TODAY = date(2026, 3, 18)
ROWS = demo_rows(TODAY)
PICTURES = Path(connectors.demo.__file__).parent / "static" / "products"


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


@pytest.mark.asyncio
async def test_seeding_twice_leaves_the_same(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    url = f"sqlite+aiosqlite:///{path}"
    assert await seeded_on(url) is None
    first = await seed(url, TODAY)
    before = dump(path)
    assert await seed(url, TODAY) == first
    assert dump(path) == before
    assert await seeded_on(url) == TODAY
    assert first.orders == 2000
    assert first.products == 400
    assert first.customers >= 300


def test_another_day_moves_only_the_days() -> None:
    later = demo_rows(TODAY + timedelta(days=100))
    assert later.keys() == ROWS.keys()
    for entity, rows in ROWS.items():
        for row, moved in zip(rows, later[entity], strict=True):
            for name, value in row.items():
                other = moved[name]
                if isinstance(value, date):
                    assert isinstance(other, date)
                    assert other - value == timedelta(days=100)
                else:
                    assert other == value, (entity, name)


def test_every_state_is_there() -> None:
    assert {row["state"] for row in ROWS["order"]} == {state.value for state in OrderState}
    assert {row["state"] for row in ROWS["return"]} == {state.value for state in ReturnState}
    parcels = Counter(row["state"] for row in ROWS["shipment"])
    assert {"label_created", "in_transit", "out_for_delivery", "delivered", "lost"} == set(parcels)
    late = [
        row
        for row in ROWS["shipment"]
        if row["state"] == "in_transit" and str(row["expected_on"]) < str(TODAY)
    ]
    assert len(late) > 10


def test_records_belong_together() -> None:
    people = {row["id"] for row in ROWS["customer"]}
    orders = {row["number"]: row for row in ROWS["order"]}
    pieces = {row["sku"]: row for row in ROWS["variant"]}
    assert {row["customer_id"] for row in ROWS["order"]} <= people
    assert {row["order_number"] for row in ROWS["order_line"]} == set(orders)
    assert {row["order_number"] for row in ROWS["shipment"]} <= set(orders)
    assert all(row["unit_price"] == pieces[row["sku"]]["price"] for row in ROWS["order_line"])
    assert {row["product_id"] for row in ROWS["variant"]} == {row["id"] for row in ROWS["product"]}
    assert len(ROWS["stock"]) == 7 * len(pieces)
    for row in ROWS["return"]:
        assert orders[row["order_number"]]["state"] in ("delivered", "returned")


def test_nothing_happens_before_it_can_or_after_today() -> None:
    placed = {row["number"]: row["placed_at"] for row in ROWS["order"]}
    delivered = {row["order_number"]: row["delivered_at"] for row in ROWS["shipment"]}
    for moment in [*placed.values(), *delivered.values()]:
        assert moment is None or (isinstance(moment, datetime) and moment.date() < TODAY)
    for number, moment in delivered.items():
        if isinstance(moment, datetime):
            start = placed[number]
            assert isinstance(start, datetime)
            assert moment.date() > start.date()
    for row in ROWS["return"]:
        requested, arrived = row["requested_at"], delivered[row["order_number"]]
        assert isinstance(requested, datetime)
        assert isinstance(arrived, datetime)
        assert arrived.date() <= requested.date() < TODAY
        if row["refunded_at"] is not None:
            assert isinstance(row["refunded_at"], datetime)
            assert requested.date() <= row["refunded_at"].date() < TODAY


def test_numbers_are_spelt_as_the_shop_spells_them() -> None:
    for row in ROWS["order"]:
        assert order_number(str(row["number"])) == row["number"]
    for row in ROWS["return"]:
        assert return_number(str(row["number"])) == row["number"]
    for row in ROWS["receipt"]:
        assert receipt_number(str(row["number"])) == row["number"]
    for row in ROWS["gift_card"]:
        assert gift_card_code(str(row["code"])) == row["code"]
    for row in ROWS["variant"]:
        assert sku(str(row["sku"])) == row["sku"]
    for entity, key in (("order", "number"), ("return", "number"), ("receipt", "number"),
                        ("gift_card", "code"), ("variant", "sku"), ("customer", "id"),
                        ("shipment", "tracking_number"), ("customer", "email")):  # fmt: skip
        values = [row[key] for row in ROWS[entity]]
        assert len(values) == len(set(values)), (entity, key)


def test_nobody_real_can_be_reached() -> None:
    for row in ROWS["customer"]:
        assert re.fullmatch(r"[a-z.]+@example\.(com|org)", str(row["email"]))
        phone = str(row["phone"])
        # Ofcom keeps 07700 900000 to 900999 for drama.
        assert phone == "" or re.fullmatch(r"\+447700900\d{3}", phone)
        assert phone == "" or e164(phone, "GB") == phone
    for row in ROWS["branch"]:
        assert re.fullmatch(r"\+44(20794601|1\d{2}49601)\d{2}", str(row["phone"]))
    for row in [*ROWS["shipment"], *ROWS["product"], *ROWS["receipt"], *ROWS["return"]]:
        for name, value in row.items():
            if name.endswith("url") and str(value).startswith("http"):
                assert re.match(r"https://[a-z.]+\.example/", str(value))


def test_the_cast_is_as_it_is_described() -> None:
    orders = {row["number"]: row for row in ROWS["order"]}
    parcels = {row["order_number"]: row for row in ROWS["shipment"]}
    returns = {row["number"]: row for row in ROWS["return"]}
    cards = {row["code"]: row for row in ROWS["gift_card"]}

    def delivered_days_ago(number: str) -> int:
        moment = parcels[number]["delivered_at"]
        assert isinstance(moment, datetime)
        return (TODAY - moment.date()).days

    assert orders[cast.CANCELLABLE]["state"] == "paid"
    assert delivered_days_ago(cast.RETURNABLE) == 5
    assert delivered_days_ago(cast.TOO_OLD_TO_RETURN) == 60
    assert parcels[cast.LATE]["state"] == "in_transit"
    assert parcels[cast.LATE]["expected_on"] == TODAY - timedelta(days=3)
    assert orders[cast.READY_FOR_COLLECTION]["city"] == "Leeds"
    assert delivered_days_ago(cast.REFUNDED) == 40
    assert parcels[cast.LOST]["state"] == "lost"
    assert orders[cast.SOMEBODY_ELSES]["customer_id"] == cast.TOM.id
    assert returns[cast.REFUNDED_RETURN]["order_number"] == cast.REFUNDED
    assert returns[cast.REQUESTED_RETURN]["order_number"] == cast.RETURN_REQUESTED
    assert cards[cast.GIFT_CARD]["balance"] == Decimal("35.50")
    assert str(cards[cast.EXPIRED_GIFT_CARD]["expires_on"]) < str(TODAY)
    documented = set(re.findall(r"FD-\d{6}", cast.__doc__ or ""))
    assert documented == {
        number
        for number, row in orders.items()
        if row["customer_id"] in (cast.MAYA.id, cast.TOM.id)
    }


def test_every_category_has_a_picture_of_its_own() -> None:
    assert {path.stem for path in PICTURES.glob("*.svg")} == {c.name for c in CATEGORIES}
    for path in PICTURES.glob("*.svg"):
        picture = ElementTree.parse(path)
        assert picture.find("{http://www.w3.org/2000/svg}title") is not None
        assert "href" not in path.read_text()
        assert len(path.read_bytes()) < 4000
    images = {str(row["image_url"]) for row in ROWS["product"]}
    assert images == {f"/demo/products/{category.name}.svg" for category in CATEGORIES}

"""An existing database under names, types and values of its own, queried through the mapping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.core.errors import ConfigurationError, RefusedError, ShopUnavailableError
from bot.core.shop import OrderState, PostalAddress
from connectors.crm.sql import SqlCrm
from connectors.crm.sql import create as create_crm
from connectors.pos.sql import SqlPos
from connectors.pos.sql import create as create_pos
from tests.postgres import temporary_database

# Numbers as integers, states in other words, moments without a zone, no second address line,
# no branches, gift cards, receipts or promotions, and e-mails and phones as staff typed them.
SHOP = """
CREATE TABLE clients (client_no INTEGER PRIMARY KEY, full_name VARCHAR(80), mail VARCHAR(80),
    tel VARCHAR(30), street VARCHAR(80), town VARCHAR(40), zip CHAR(10), points SMALLINT,
    news SMALLINT);
INSERT INTO clients VALUES (7, 'Ada Byron', 'Ada@Example.org', '(07700) 900-451', '1 Mill Lane',
    'Bath', 'BA1 1AA', 12, 1);
INSERT INTO clients VALUES (8, 'Bo Li', 'bo@example.org', '0044 7700 900452', '2 Mill Lane', 'Bath',
    'BA1 1AB', NULL, 0);
INSERT INTO clients VALUES (9, 'Cy Li', 'cy@example.org', '+44 7700 900452', '2 Mill Lane', 'Bath',
    'BA1 1AB', 5, 0);
CREATE TABLE sales (sale_id INTEGER PRIMARY KEY, client INTEGER, status CHAR(12), at TIMESTAMP,
    sum_gbp DOUBLE PRECISION, street VARCHAR(80), town VARCHAR(40), zip CHAR(10));
INSERT INTO sales VALUES (55512, 7, 'CAPTURED', '2026-03-17 09:30:00', 80.1, '1 Mill Lane', 'Bath',
    'BA1 1AA');
INSERT INTO sales VALUES (55513, 7, 'DISPATCHED', '2026-03-12 10:00:00', 20.0, 'x', 'Bath', 'BA1');
INSERT INTO sales VALUES (55514, 7, 'GONE HOME', '2026-03-01 10:00:00', 31.5, 'x', 'Bath', 'BA1');
INSERT INTO sales VALUES (55515, 8, 'MYSTERY', '2026-03-01 10:00:00', 31.5, 'x', 'Bath', 'BA1');
CREATE TABLE sale_items (sale INTEGER, code VARCHAR(20), title VARCHAR(80), qty INTEGER,
    price NUMERIC(8, 2));
INSERT INTO sale_items VALUES (55512, 'S-1', 'Kettle', 2, 40.05);
INSERT INTO sale_items VALUES (55514, 'S-2', 'Teapot', 1, 31.5);
CREATE TABLE rma (rma_no INTEGER PRIMARY KEY, sale INTEGER, status VARCHAR(20), why VARCHAR(200),
    opened TIMESTAMP, amount NUMERIC(8, 2));
INSERT INTO rma VALUES (300, 55513, 'NO', 'scratched', '2026-03-02 10:00:00', 20);
CREATE TABLE items (item INTEGER PRIMARY KEY, title VARCHAR(80));
INSERT INTO items VALUES (1, 'Copper Kettle');
CREATE TABLE codes (code VARCHAR(20) PRIMARY KEY, item INTEGER, price NUMERIC(8, 2));
INSERT INTO codes VALUES ('S-1', 1, 40.05)
"""

CLIENT_COLUMNS: dict[str, object] = {
    "id": "client_no",
    "name": "full_name",
    "email": "mail",
    "phone": "tel",
    "line1": "street",
    "line2": None,
    "city": "town",
    "postcode": "zip",
    "country": None,
    "loyalty_number": None,
    "loyalty_points": "points",
    "loyalty_tier": None,
    "marketing_consent": "news",
    "since": None,
}
CRM: dict[str, object] = {"tables": {"customer": {"table": "clients", "columns": CLIENT_COLUMNS}}}
_ADDRESS = {"line1": "street", "line2": None, "city": "town", "postcode": "zip", "country": None}
POS: dict[str, object] = {
    "return_days": 20,
    "tables": {
        "order": {
            "table": "sales",
            "prefix": "",
            "columns": {
                "number": "sale_id",
                "customer_id": "client",
                "state": "status",
                "placed_at": "at",
                "total": "sum_gbp",
                "currency": None,
                "payment_method": None,
                "delivery": None,
                "collected_at": None,
                **_ADDRESS,
            },
            "values": {
                "state": {
                    "paid": ["PAID", "CAPTURED"],
                    "shipped": "DISPATCHED",
                    "delivered": "GONE HOME",
                    "cancelled": "VOID",
                }
            },
        },
        "order_line": {
            "table": "sale_items",
            "columns": {
                "order_number": "sale",
                "position": None,
                "sku": "code",
                "product": "title",
                "variant": None,
                "quantity": "qty",
                "unit_price": "price",
            },
        },
        "return": {
            "table": "rma",
            "prefix": "",
            "columns": {
                "number": "rma_no",
                "order_number": "sale",
                "state": "status",
                "reason": "why",
                "requested_at": "opened",
                "refund": "amount",
                "refunded_at": None,
                "label_url": None,
            },
            "values": {"state": {"requested": "NEW", "rejected": "NO"}},
        },
        "product": {
            "table": "items",
            "columns": {
                "id": "item",
                "name": "title",
                "category": None,
                "description": None,
                "image_url": None,
                "page_url": None,
                "warranty_months": None,
            },
        },
        "variant": {
            "table": "codes",
            "columns": {
                "sku": "code",
                "product_id": "item",
                "size": None,
                "colour": None,
                "position": None,
            },
        },
        "shipment": None,
        "stock": None,
        "branch": None,
        "opening": None,
        "gift_card": None,
        "receipt": None,
        "receipt_line": None,
        "promotion": None,
    },
}


@dataclass
class Foreign:
    url: str
    crm: SqlCrm
    pos: SqlPos

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        engine = create_async_engine(self.url)
        async with engine.connect() as connection:
            rows = [tuple(row) for row in await connection.execute(sa.text(statement))]
        await engine.dispose()
        return rows


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'foreign.db'}"
    else:
        with temporary_database() as address:
            yield address


async def create_shop(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in SHOP.split(";"):
            await connection.execute(sa.text(statement))
    await engine.dispose()


@pytest_asyncio.fixture
async def foreign(url: str) -> AsyncIterator[Foreign]:
    await create_shop(url)

    def now() -> datetime:
        return datetime(2026, 3, 18, 12, 0, tzinfo=UTC)

    shop = Foreign(url, create_crm(url, CRM, now=now), create_pos(url, POS, now=now))
    await asyncio.gather(shop.crm.prepare(), shop.pos.prepare())
    yield shop
    await shop.crm.close()
    await shop.pos.close()


@pytest.mark.asyncio
async def test_many_prepare_the_same_database_at_once(url: str) -> None:
    await create_shop(url)

    def now() -> datetime:
        return datetime(2026, 3, 18, 12, 0, tzinfo=UTC)

    ports: list[SqlCrm | SqlPos] = [create_crm(url, CRM, now=now) for _ in range(3)]
    ports += [create_pos(url, POS, now=now) for _ in range(3)]
    await asyncio.gather(*(port.prepare() for port in ports))
    for port in ports:
        await port.close()


@pytest.mark.asyncio
class TestForeignSchema:
    async def test_customers(self, foreign: Foreign) -> None:
        ada = await foreign.crm.customer("7")
        assert ada is not None
        assert (ada.id, ada.name, ada.phone) == ("7", "Ada Byron", "+447700900451")
        assert ada.address == PostalAddress("1 Mill Lane", "", "Bath", "BA1 1AA", "GB")
        assert (ada.loyalty_points, ada.loyalty_tier, ada.marketing_consent) == (12, "", True)
        assert ada.since == date(1970, 1, 1)
        assert await foreign.crm.customer_by_email("ada@example.ORG") == ada
        assert await foreign.crm.customer_by_phone("+447700900451") == ada
        # Two spellings of one number are still one number, which two people share.
        assert await foreign.crm.customer_by_phone("+447700900452") is None
        assert await foreign.crm.customer("C-7") is None

    async def test_customers_are_changed_in_their_own_columns(self, foreign: Foreign) -> None:
        await foreign.crm.change_contact("8", key="k", email="bo.li@example.org")
        await foreign.crm.set_marketing_consent("8", True, key="k")
        rows = await foreign.rows("SELECT mail, news FROM clients WHERE client_no = 8")
        assert rows == [("bo.li@example.org", 1)]

    async def test_orders(self, foreign: Foreign) -> None:
        order = await foreign.pos.order("#55512")
        assert order is not None
        assert (order.number, order.customer_id) == ("55512", "7")
        assert (order.state, order.total, order.currency) == (
            OrderState.PAID,
            Decimal("80.10"),
            "GBP",
        )
        assert order.placed_at == datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
        assert [(line.product, line.quantity) for line in order.lines] == [("Kettle", 2)]
        assert order.shipments == ()
        assert [o.number for o in await foreign.pos.orders_of("7")] == ["55512", "55513", "55514"]
        assert await foreign.pos.order("FD-55512") is None
        assert await foreign.pos.orders_of("nobody") == []

    async def test_a_state_that_the_mapping_does_not_name_is_no_answer(
        self, foreign: Foreign
    ) -> None:
        with pytest.raises(ShopUnavailableError, match=r"order\.state"):
            await foreign.pos.order("55515")

    async def test_any_of_the_shops_words_for_paid_can_be_cancelled(self, foreign: Foreign) -> None:
        order = await foreign.pos.cancel_order("55512", key="k")
        assert order.state is OrderState.CANCELLED
        rows = await foreign.rows("SELECT TRIM(status) FROM sales WHERE sale_id = 55512")
        assert rows == [("VOID",)]

    async def test_a_second_address_line_is_not_lost(self, foreign: Foreign) -> None:
        address = PostalAddress("5 Elm Grove", "Flat 9", "York", "YO31 7EX", "GB")
        order = await foreign.pos.change_order_address("55512", address, key="k")
        assert order.address.line1 == "5 Elm Grove, Flat 9"

    async def test_returns(self, foreign: Foreign) -> None:
        started = await foreign.pos.start_return("55514", reason="dull", key="k")
        assert (started.number, started.order_number) == ("301", "55514")
        assert started.refund == Decimal("31.50")
        rows = await foreign.rows("SELECT rma_no, sale, status FROM rma WHERE rma_no > 300")
        assert rows == [(301, 55514, "NEW")]
        with pytest.raises(RefusedError, match="not_delivered"):
            await foreign.pos.start_return("55513", reason="x", key="k2")

    async def test_goods(self, foreign: Foreign) -> None:
        (kettle,) = await foreign.pos.find_products("coper kettles")
        assert (kettle.id, kettle.variants[0].sku) == ("1", "S-1")
        assert await foreign.pos.product("1") == kettle
        assert await foreign.pos.product("JNP-1") is None

    async def test_what_the_shop_has_not_is_empty(self, foreign: Foreign) -> None:
        pos = foreign.pos
        assert await pos.branches() == []
        assert await pos.stock("1") == []
        assert await pos.gift_card("JGC-7F3K-92QD") is None
        assert await pos.receipts_of("7") == []
        assert await pos.promotion("X") is None
        with pytest.raises(RefusedError, match="out_of_stock"):
            await pos.reserve("S-1", "leeds", customer_id=None, name="x", key="k")

    async def test_only_our_own_tables_are_added(self, foreign: Foreign) -> None:
        engine = create_async_engine(foreign.url)
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda c: sa.inspect(c).get_table_names())
        await engine.dispose()
        assert sorted(set(names) - {"clients", "sales", "sale_items", "rma", "items", "codes"}) == [
            "frontdesk_counter",
            "frontdesk_erasure",
            "frontdesk_reservation",
            "frontdesk_ticket",
            "frontdesk_write",
        ]
        number = await foreign.crm.open_ticket(
            key="k", kind="complaint", summary="x", customer_id="7", order_number="55512"
        )
        assert number == "T-1001"


@pytest.mark.asyncio
async def test_a_column_that_is_not_there_is_named_at_start(url: str) -> None:
    await create_shop(url)
    columns = {**CLIENT_COLUMNS, "email": "e_mail"}
    crm = create_crm(url, {"tables": {"customer": {"table": "clients", "columns": columns}}})
    with pytest.raises(ConfigurationError) as wrong:
        await crm.prepare()
    assert wrong.value.key == "crm.tables.customer.columns.email"
    assert wrong.value.value == "e_mail"
    assert "mail" in wrong.value.next_step
    await crm.close()


@pytest.mark.asyncio
async def test_a_table_that_is_not_there_is_named_at_start(url: str) -> None:
    pos = create_pos(url, {"tables": {"order": "sales"}})
    with pytest.raises(ConfigurationError, match=r"pos\.tables\.order\.table.*'sales'"):
        await pos.prepare()
    await pos.close()


URL = "sqlite+aiosqlite:///:memory:"


@pytest.mark.parametrize(
    ("mapping", "key", "hint"),
    [
        ({"tables": {"custommer": {}}}, "crm.tables.custommer", "customer"),
        ({"table": {}}, "crm.table", "tables"),
        ({"tables": []}, "crm.tables", "Correct"),
        ({"tables": {"customer": None}}, "crm.tables.customer", "Correct"),
        ({"tables": {"customer": {"column": {}}}}, "crm.tables.customer.column", "columns"),
        (
            {"tables": {"customer": {"columns": {"mail": "mail"}}}},
            "crm.tables.customer.columns.mail",
            "email",
        ),
        (
            {"tables": {"customer": {"columns": {"id": None}}}},
            "crm.tables.customer.columns.id",
            "Correct",
        ),
        (
            {"tables": {"customer": {"columns": {"id": 3}}}},
            "crm.tables.customer.columns.id",
            "Correct",
        ),
        ({"phones": "any"}, "crm.phones", "mixed"),
    ],
)
def test_a_mapping_that_cannot_be(mapping: dict[str, object], key: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        create_crm(URL, mapping)
    assert wrong.value.key == key
    assert hint in wrong.value.next_step


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"return_days": "thirty"}, "pos.return_days"),
        (
            {"tables": {"order": {"values": {"state": {"payed": "X"}}}}},
            "pos.tables.order.values.state.payed",
        ),
        (
            {"tables": {"order": {"values": {"state": {"paid": []}}}}},
            "pos.tables.order.values.state.paid",
        ),
    ],
)
def test_a_pos_mapping_that_cannot_be(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        create_pos(URL, mapping)
    assert wrong.value.key == key


@pytest.mark.parametrize("url", ["", "shop.db", "mysql://root:secret@localhost/shop", "a://b"])
def test_a_url_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"pos\.url") as wrong:
        create_pos(url, {})
    assert "secret" not in str(wrong.value)

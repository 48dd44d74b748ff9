"""The contract of `Crm` and `Pos` over their SQL implementations, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.core.errors import RefusedError, ShopUnavailableError
from bot.core.shop import Crm, OrderState, Pos, PostalAddress, ReturnState
from connectors.crm.sql import create as create_crm
from connectors.demo import cast
from connectors.pos.sql import create as create_pos
from tests.contract.shop import TODAY, Clock, PostgresShops, SqliteShops
from tests.postgres import temporary_database

Shops = SqliteShops | PostgresShops
ELSEWHERE = PostalAddress("5 Mill Lane", "Flat 9", "York", "YO31 7EX", "GB")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shops(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shops]:
    if request.param == "sqlite":
        yield SqliteShops(tmp_path_factory.mktemp("shops"))
    else:
        with temporary_database() as url:
            yield PostgresShops(url)


@dataclass
class Shop:
    crm: Crm
    pos: Pos
    clock: Clock


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Shop]:
    clock = Clock()
    crm, pos = create_crm(url, {}, now=clock), create_pos(url, {}, now=clock)
    await crm.prepare()
    await pos.prepare()
    try:
        yield Shop(crm, pos, clock)
    finally:
        await crm.close()
        await pos.close()


@pytest_asyncio.fixture
async def shop(shops: Shops) -> AsyncIterator[Shop]:
    """For tests that change nothing: they look, or are refused."""
    async with opened(shops.original) as shop:
        yield shop


@pytest_asyncio.fixture
async def own_shop(shops: Shops) -> AsyncIterator[Shop]:
    """For tests that write: a copy that nobody else sees."""
    with shops.copy() as url:
        async with opened(url) as shop:
            yield shop


async def refusal(work: object) -> str:
    assert asyncio.iscoroutine(work)
    with pytest.raises(RefusedError) as refused:
        await work
    return refused.value.code


async def left_in_leeds(shop: Shop) -> int:
    stock = await shop.pos.stock(cast.WINTER_COAT)
    (here,) = (s for s in stock if (s.sku, s.branch_id) == (cast.IN_STOCK_SKU, "leeds"))
    return here.quantity


@pytest.mark.asyncio
class TestOrders:
    @pytest.mark.parametrize("text", ["FD-104233", "fd 104233", "#104233", "FD104233"])
    async def test_found_in_any_spelling(self, shop: Shop, text: str) -> None:
        order = await shop.pos.order(text)
        assert order is not None
        assert (order.number, order.customer_id) == (cast.IN_TRANSIT, cast.MAYA.id)
        assert order.state is OrderState.SHIPPED
        assert order.address == cast.MAYA.address
        assert order.placed_at.utcoffset() == timedelta(0)
        assert order.placed_at.date() == TODAY - timedelta(days=3)
        (line,), (parcel,) = order.lines, order.shipments
        assert line.product == "Rowan Winter Coat"
        assert line.variant == "Navy, M"
        assert order.total == line.unit_price * line.quantity
        assert (parcel.state, parcel.delivered_at) == ("in_transit", None)
        assert parcel.expected_on == TODAY + timedelta(days=1)

    @pytest.mark.parametrize("text", ["FD-999999", "", "my order", "' OR 1=1 --", "RT-20417"])
    async def test_unknown_is_none(self, shop: Shop, text: str) -> None:
        assert await shop.pos.order(text) is None

    async def test_of_a_customer_newest_first(self, shop: Shop) -> None:
        orders = await shop.pos.orders_of(cast.MAYA.id, limit=3)
        assert [order.number for order in orders] == [
            cast.CANCELLABLE,
            cast.IN_TRANSIT,
            cast.READY_FOR_COLLECTION,
        ]
        assert all(order.lines for order in orders)
        assert len(await shop.pos.orders_of(cast.MAYA.id, limit=50)) == 7
        assert await shop.pos.orders_of("nobody") == []

    async def test_cancelling_happens_once_a_key(self, own_shop: Shop) -> None:
        first = await own_shop.pos.cancel_order("fd104234", key="turn-1")
        again = await own_shop.pos.cancel_order("fd104234", key="turn-1")
        assert first.state is OrderState.CANCELLED
        assert again == first == await own_shop.pos.order(cast.CANCELLABLE)
        work = own_shop.pos.cancel_order(cast.CANCELLABLE, key="turn-2")
        assert await refusal(work) == "already_cancelled"

    async def test_cancelling_twice_at_once_with_one_key(self, own_shop: Shop) -> None:
        work = [own_shop.pos.cancel_order(cast.CANCELLABLE, key="turn") for _ in range(4)]
        states = {order.state for order in await asyncio.gather(*work)}
        assert states == {OrderState.CANCELLED}

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (cast.PACKED, "already_shipped"),
            (cast.IN_TRANSIT, "already_shipped"),
            (cast.RETURNABLE, "already_shipped"),
            (cast.READY_FOR_COLLECTION, "already_shipped"),
            (cast.CANCELLED, "already_cancelled"),
            ("FD-999999", "not_found"),
        ],
    )
    async def test_what_cannot_be_cancelled(self, shop: Shop, number: str, code: str) -> None:
        before = await shop.pos.order(number)
        assert await refusal(shop.pos.cancel_order(number, key="k")) == code
        assert await shop.pos.order(number) == before

    async def test_a_new_address(self, own_shop: Shop) -> None:
        changed = await own_shop.pos.change_order_address(cast.CANCELLABLE, ELSEWHERE, key="k")
        assert changed.address == ELSEWHERE
        other = PostalAddress("1 Other Road", "", "Leeds", "LS1 1AA", "GB")
        again = await own_shop.pos.change_order_address(cast.CANCELLABLE, other, key="k")
        assert again.address == ELSEWHERE

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (cast.IN_TRANSIT, "already_shipped"),
            (cast.CANCELLED, "already_cancelled"),
            (cast.READY_FOR_COLLECTION, "collect"),
            ("FD-999999", "not_found"),
        ],
    )
    async def test_no_new_address(self, shop: Shop, number: str, code: str) -> None:
        work = shop.pos.change_order_address(number, ELSEWHERE, key="k")
        assert await refusal(work) == code


@pytest.mark.asyncio
class TestReturns:
    async def test_read_with_the_order(self, shop: Shop) -> None:
        (refunded,) = await shop.pos.returns_of("fd 104239")
        assert (refunded.number, refunded.state) == (cast.REFUNDED_RETURN, ReturnState.REFUNDED)
        assert refunded.refunded_at is not None
        assert refunded.refunded_at.date() == TODAY - timedelta(days=9)
        assert await shop.pos.returns_of(cast.RETURNABLE) == []
        assert await shop.pos.returns_of("FD-999999") == []

    async def test_started_once_a_key(self, own_shop: Shop) -> None:
        work = [
            own_shop.pos.start_return(cast.RETURNABLE, reason="too small", key="turn")
            for _ in range(3)
        ]
        started = await asyncio.gather(*work)
        assert started[0] == started[1] == started[2]
        order = await own_shop.pos.order(cast.RETURNABLE)
        assert order is not None
        assert started[0].number == "RT-20419"
        assert started[0].refund == sum(n.unit_price * n.quantity for n in order.lines) > 0
        assert started[0].requested_at == own_shop.clock()
        assert "RT-20419" in started[0].label_url
        assert await own_shop.pos.returns_of(cast.RETURNABLE) == [started[0]]

    async def test_two_turns_at_once_start_one(self, own_shop: Shop) -> None:
        work = [
            own_shop.pos.start_return(cast.RETURNABLE, reason="x", key=f"turn-{i}")
            for i in range(3)
        ]
        results = await asyncio.gather(*work, return_exceptions=True)
        codes = sorted(r.code for r in results if isinstance(r, RefusedError))
        assert codes == ["already_returned", "already_returned"]
        assert len(await own_shop.pos.returns_of(cast.RETURNABLE)) == 1

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (cast.TOO_OLD_TO_RETURN, "window_over"),
            (cast.REFUNDED, "already_returned"),
            (cast.RETURN_REQUESTED, "already_returned"),
            (cast.IN_TRANSIT, "not_delivered"),
            (cast.CANCELLED, "not_delivered"),
            ("FD-999999", "not_found"),
        ],
    )
    async def test_refused(self, shop: Shop, number: str, code: str) -> None:
        assert await refusal(shop.pos.start_return(number, reason="x", key="k")) == code

    async def test_the_window_closes_after_30_days(self, own_shop: Shop) -> None:
        own_shop.clock.forward(days=26)  # delivered 5 days before
        work = own_shop.pos.start_return(cast.RETURNABLE, reason="x", key="k")
        assert await refusal(work) == "window_over"
        # A refusal leaves the key free: nothing was done with it.
        own_shop.clock.forward(days=-1)
        started = await own_shop.pos.start_return(cast.RETURNABLE, reason="x", key="k")
        assert started.state is ReturnState.REQUESTED


@pytest.mark.asyncio
class TestGoods:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("winter coat", "Winter Coat"),
            ("wintr coats", "Winter Coat"),
            ("do you have any winter coats in stock?", "Winter Coat"),
            ("rain coat", "Raincoat"),
            ("chelsea boot", "Chelsea Boots"),
            ("tshirts", "T-Shirt"),
            ("tee shirt", "T-Shirt"),
            ("Cashmere jumpr", "Cashmere Jumper"),
            ("sweater cashmere", "Cashmere Jumper"),
            ("WELLIES", "Wellington Boots"),
            ("umbrela", "Umbrella"),
            ("brolly", "Umbrella"),
            ("scarfs", "Wool Scarf"),
            ("scarves", "Wool Scarf"),
            ("duvet covers", "Duvet Cover"),
            ("bedding set", "Duvet Cover"),
            ("blue jeens size 32", "Jeans"),
            ("navy winter coat in a medium", "Winter Coat"),
        ],
    )
    async def test_found_as_people_write_it(self, shop: Shop, query: str, expected: str) -> None:
        found = await shop.pos.find_products(query)
        assert found, query
        assert expected in found[0].name
        assert len(found) <= 5
        assert found[0].variants

    @pytest.mark.parametrize(
        "query", ["", "?!", "xylophone", "do you sell it", "car insurance", "tights"]
    )
    async def test_nothing_near_is_empty(self, shop: Shop, query: str) -> None:
        assert await shop.pos.find_products(query) == []

    async def test_a_line_narrows_the_match(self, shop: Shop) -> None:
        found = await shop.pos.find_products("willow winter coat", limit=1)
        assert [product.name for product in found] == ["Willow Winter Coat"]

    async def test_a_product(self, shop: Shop) -> None:
        coat = await shop.pos.product(cast.WINTER_COAT)
        assert coat is not None
        assert (coat.name, coat.category) == ("Rowan Winter Coat", "coats")
        assert coat.image_url == "/demo/products/coats.svg"
        assert [v.size for v in coat.variants[:5]] == ["XS", "S", "M", "L", "XL"]
        assert coat.variants[0].price == Decimal("129.00")
        assert await shop.pos.product("JNP-0000") is None

    async def test_stock_of_all_variants_everywhere(self, shop: Shop) -> None:
        stock = await shop.pos.stock(cast.WINTER_COAT)
        coat = await shop.pos.product(cast.WINTER_COAT)
        assert coat is not None
        assert len(stock) == len(coat.variants) * 7
        medium = {s.branch_id: s.quantity for s in stock if s.sku == cast.IN_STOCK_SKU}
        assert (medium["leeds"], medium["london"], medium["online"]) == (3, 0, 12)
        assert not any(s.quantity for s in stock if s.sku == cast.OUT_OF_STOCK_SKU)
        assert await shop.pos.stock("JNP-0000") == []

    async def test_reserving_until_nothing_is_left(self, own_shop: Shop) -> None:
        work = [
            own_shop.pos.reserve(
                cast.IN_STOCK_SKU, "leeds", customer_id=None, name="Maya", key=f"k{i}"
            )
            for i in range(5)
        ]
        results = await asyncio.gather(*work, return_exceptions=True)
        numbers = sorted(result for result in results if isinstance(result, str))
        assert numbers == ["RS-4410", "RS-4411", "RS-4412"]
        assert [r.code for r in results if isinstance(r, RefusedError)] == ["out_of_stock"] * 2
        assert await left_in_leeds(own_shop) == 0
        own_shop.clock.forward(days=2)  # nobody came
        assert await left_in_leeds(own_shop) == 3

    async def test_one_key_reserves_one_piece(self, own_shop: Shop) -> None:
        for _ in range(2):
            number = await own_shop.pos.reserve(
                cast.IN_STOCK_SKU, "leeds", customer_id=cast.MAYA.id, name="Maya", key="k"
            )
            assert number == "RS-4410"
        assert await left_in_leeds(own_shop) == 2

    @pytest.mark.parametrize(
        ("sku", "branch"),
        [(cast.OUT_OF_STOCK_SKU, "leeds"), ("JNP-0000-XXX-M", "leeds"), (cast.IN_STOCK_SKU, "x")],
    )
    async def test_what_is_not_there_is_not_reserved(
        self, shop: Shop, sku: str, branch: str
    ) -> None:
        work = shop.pos.reserve(sku, branch, customer_id=None, name="Maya", key="k")
        assert await refusal(work) == "out_of_stock"

    async def test_branches_with_hours(self, shop: Shop) -> None:
        branches = {branch.city: branch for branch in await shop.pos.branches()}
        assert sorted(branches) == [
            "Birmingham", "Bristol", "Edinburgh", "Leeds", "London", "Manchester",
        ]  # fmt: skip
        hours = branches["Bristol"].hours
        assert len(hours) == 7
        assert hours[6] is None
        assert hours[0] is not None
        assert [clock.isoformat("minutes") for clock in hours[0]] == ["09:30", "18:00"]
        assert branches["Edinburgh"].latitude == pytest.approx(55.95, abs=0.01)

    async def test_gift_cards_receipts_and_promotions(self, shop: Shop) -> None:
        card = await shop.pos.gift_card("jgc7f3k92qd")
        assert card is not None
        assert (card.code, card.balance, card.currency) == (cast.GIFT_CARD, Decimal("35.50"), "GBP")
        assert await shop.pos.gift_card("JGC-0000-0000") is None
        (receipt,) = await shop.pos.receipts_of(cast.MAYA.id)
        assert (receipt.number, receipt.branch_id) == (cast.RECEIPT, "birmingham")
        assert receipt.total == sum(n.unit_price * n.quantity for n in receipt.lines) > 0
        promotion = await shop.pos.promotion(" autumn20 ")
        assert promotion is not None
        assert promotion.starts_on <= TODAY <= promotion.ends_on
        assert promotion.minimum == Decimal(60)
        assert await shop.pos.promotion("NOPE") is None


@pytest.mark.asyncio
class TestCustomers:
    async def test_all_that_is_known(self, shop: Shop) -> None:
        maya = await shop.crm.customer(cast.MAYA.id)
        assert maya is not None
        assert (maya.name, maya.email, maya.phone) == (
            cast.MAYA.name,
            cast.MAYA.email,
            cast.MAYA.phone,
        )
        assert (maya.loyalty_points, maya.loyalty_tier) == (2340, "Gold")
        assert maya.address == cast.MAYA.address
        assert maya.marketing_consent is True
        assert await shop.crm.customer("C-9999") is None

    @pytest.mark.parametrize("phone", ["+447700900123", "07700 900123", "+44 (0)7700 900-123"])
    async def test_by_phone(self, shop: Shop, phone: str) -> None:
        found = await shop.crm.customer_by_phone(phone)
        assert found is not None
        assert found.id == cast.MAYA.id

    @pytest.mark.parametrize("phone", ["", "hello", "+447700900999", "900123", "+1 7700 900123"])
    async def test_by_a_phone_that_nobody_has(self, shop: Shop, phone: str) -> None:
        assert await shop.crm.customer_by_phone(phone) is None

    async def test_a_phone_that_two_share_identifies_nobody(self, shop: Shop) -> None:
        assert await shop.crm.customer_by_phone(cast.ANNA.phone) is None

    async def test_by_email(self, shop: Shop) -> None:
        found = await shop.crm.customer_by_email(" Maya.Okafor@EXAMPLE.com")
        assert found is not None
        assert found.id == cast.MAYA.id
        for unknown in ("nobody@example.com", "", "%@example.com", "maya.okafor@example.co_"):
            assert await shop.crm.customer_by_email(unknown) is None

    async def test_what_somebody_else_has_cannot_be_taken(self, own_shop: Shop) -> None:
        crm = own_shop.crm
        changed = await crm.change_contact(cast.TOM.id, key="a", email="Tom@Example.com")
        assert changed.email == "Tom@Example.com"
        work = crm.change_contact(cast.ANNA.id, key="b", email="tom@example.com")
        assert await refusal(work) == "taken"
        work = crm.change_contact(cast.TOM.id, key="c", phone=cast.MAYA.phone)
        assert await refusal(work) == "taken"

    async def test_changing_contact_details(self, own_shop: Shop) -> None:
        changed = await own_shop.crm.change_contact(cast.TOM.id, key="k", phone="07700 900001")
        assert (changed.phone, changed.email) == ("+447700900001", cast.TOM.email)
        again = await own_shop.crm.change_contact(cast.TOM.id, key="k", phone="07700 900002")
        assert again == changed
        assert await own_shop.crm.customer_by_phone("+447700900001") == changed

    async def test_contact_details_that_cannot_be(self, shop: Shop) -> None:
        crm = shop.crm
        assert await refusal(crm.change_contact("C-9", key="k", phone="07700900001")) == "not_found"
        assert await refusal(crm.change_contact(cast.TOM.id, key="k", phone="1")) == "invalid_phone"
        work = crm.change_contact(cast.TOM.id, key="k", email="tom at home")
        assert await refusal(work) == "invalid_email"

    async def test_marketing_consent(self, own_shop: Shop) -> None:
        await own_shop.crm.set_marketing_consent(cast.MAYA.id, False, key="k")
        maya = await own_shop.crm.customer(cast.MAYA.id)
        assert maya is not None
        assert maya.marketing_consent is False
        # The first call's key changes nothing any more.
        await own_shop.crm.set_marketing_consent(cast.MAYA.id, True, key="k")
        assert await own_shop.crm.customer(cast.MAYA.id) == maya
        assert (
            await refusal(own_shop.crm.set_marketing_consent("C-9", True, key="x")) == "not_found"
        )

    async def test_erasure_is_filed_once(self, own_shop: Shop) -> None:
        work = [own_shop.crm.request_erasure(cast.MAYA.id, key=f"k{i}") for i in range(3)]
        assert await asyncio.gather(*work) == ["ER-1001"] * 3
        assert await own_shop.crm.request_erasure(cast.TOM.id, key="t") != "ER-1001"
        assert await refusal(own_shop.crm.request_erasure("C-9", key="x")) == "not_found"

    async def test_tickets_have_numbers_of_their_own(self, own_shop: Shop) -> None:
        async def open_one(key: str) -> str:
            return await own_shop.crm.open_ticket(
                key=key,
                kind="damaged_item",
                summary="A button came off",
                customer_id=cast.MAYA.id,
                order_number="fd 104235",
            )

        keys = ["a", "b", "c", "a", "b", "c"]
        numbers = await asyncio.gather(*(open_one(key) for key in keys))
        assert numbers[:3] == numbers[3:]
        assert sorted(numbers[:3]) == ["T-3012", "T-3013", "T-3014"]
        without_order = await own_shop.crm.open_ticket(
            key="d", kind="complaint", summary="Slow", customer_id=None, order_number=None
        )
        assert without_order == "T-3015"


@pytest.mark.asyncio
async def test_a_database_that_is_down_is_unavailable() -> None:
    url = "postgresql+asyncpg://nobody@127.0.0.1:9/none"  # nobody listens there
    crm, pos = create_crm(url, {}), create_pos(url, {})
    for work in (
        crm.ping(),
        crm.customer("C-1"),
        crm.set_marketing_consent("C-1", True, key="k"),
        pos.ping(),
        pos.order("FD-104233"),
        pos.cancel_order("FD-104233", key="k"),
    ):
        with pytest.raises(ShopUnavailableError):
            await work
    await crm.close()
    await pos.close()


@pytest.mark.asyncio
async def test_a_lookup_that_fails_is_unavailable(shops: Shops) -> None:
    with shops.copy() as url:
        async with opened(url) as shop:
            engine = create_async_engine(url)
            async with engine.begin() as connection:
                await connection.execute(sa.text("DROP TABLE shop_shipment"))
            await engine.dispose()
            with pytest.raises(ShopUnavailableError) as failed:
                await shop.pos.order(cast.IN_TRANSIT)
            assert cast.IN_TRANSIT not in str(failed.value)
            with pytest.raises(ShopUnavailableError):
                await shop.pos.start_return(cast.RETURNABLE, reason="x", key="k")
            assert await shop.crm.customer(cast.MAYA.id) is not None


@pytest.mark.asyncio
async def test_ping(shop: Shop) -> None:
    await shop.crm.ping()
    await shop.pos.ping()

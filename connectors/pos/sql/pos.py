"""The port `Pos` on SQL tables that a mapping names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.core.shop import (
    Branch,
    GiftCard,
    Order,
    PostalAddress,
    Product,
    Promotion,
    Receipt,
    Return,
    Stock,
)
from connectors.pos.sql.catalogue import Catalogue
from connectors.pos.sql.orders import Orders
from connectors.pos.sql.receipts import Receipts
from connectors.sql.database import Database
from connectors.sql.entities import POS_ENTITIES
from connectors.sql.mapping import read_mapping
from connectors.sql.writes import Writer

_SETTINGS = ("return_days", "label_url")
_LABEL_URL = "https://www.juniper.example/returns/{number}/label"


def _now() -> datetime:
    return datetime.now(UTC)


def create(
    url: str, mapping: Mapping[str, object], *, now: Callable[[], datetime] = _now
) -> SqlPos:
    """The POS at a database.

    Args:
        url: An SQLAlchemy URL, ``sqlite+aiosqlite:///…`` or ``postgresql+asyncpg://…``.
        mapping: The ``pos`` section of the configuration: ``tables`` (`connectors.sql.mapping`),
            ``return_days`` (how long after delivery a return may start, default 30) and
            ``label_url`` (where a return's label is, with ``{number}``).
        now: The clock.

    Raises:
        ConfigurationError: The URL or the mapping cannot be used.
    """
    return SqlPos(url, mapping, now)


class SqlPos:
    """Orders, goods and branches. Call `prepare` at start and `close` at the end.

    Each method does what the port says; `stock` and `reserve` count what is held for customers as
    gone.
    """

    def __init__(
        self, url: str, mapping: Mapping[str, object], now: Callable[[], datetime]
    ) -> None:
        read = read_mapping("pos", mapping, POS_ENTITIES, _SETTINGS)
        return_days = read.integer("return_days", 30)
        label_url = read.text("label_url", _LABEL_URL)
        self._database = Database(url, read)
        writer = Writer(self._database)
        self._orders = Orders(self._database, writer, now, return_days, label_url)
        self._catalogue = Catalogue(self._database, writer, now)
        self._receipts = Receipts(self._database)

    async def prepare(self) -> None:
        """Checks the mapping and creates what only Frontdesk needs; see `Database.prepare`."""
        await self._database.prepare()

    async def close(self) -> None:
        await self._database.close()

    async def ping(self) -> None:
        await self._database.ping()

    async def order(self, number: str) -> Order | None:
        return await self._orders.order(number)

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        return await self._orders.orders_of(customer_id, limit)

    async def cancel_order(self, number: str, *, key: str) -> Order:
        return await self._orders.cancel(number, key)

    async def change_order_address(self, number: str, address: PostalAddress, *, key: str) -> Order:
        return await self._orders.change_address(number, address, key)

    async def returns_of(self, order_number: str) -> list[Return]:
        return await self._orders.returns_of(order_number)

    async def start_return(self, order_number: str, *, reason: str, key: str) -> Return:
        return await self._orders.start_return(order_number, reason, key)

    async def find_products(self, query: str, limit: int = 5) -> list[Product]:
        return await self._catalogue.find(query, limit)

    async def product(self, product_id: str) -> Product | None:
        return await self._catalogue.product(product_id)

    async def stock(self, product_id: str) -> list[Stock]:
        return await self._catalogue.stock(product_id)

    async def branches(self) -> list[Branch]:
        return await self._catalogue.branches()

    async def reserve(
        self, sku: str, branch_id: str, *, customer_id: str | None, name: str, key: str
    ) -> str:
        return await self._catalogue.reserve(
            sku, branch_id, customer_id=customer_id, name=name, key=key
        )

    async def gift_card(self, code: str) -> GiftCard | None:
        return await self._receipts.gift_card(code)

    async def receipts_of(self, customer_id: str, limit: int = 5) -> list[Receipt]:
        return await self._receipts.receipts_of(customer_id, limit)

    async def promotion(self, code: str) -> Promotion | None:
        return await self._catalogue.promotion(code)

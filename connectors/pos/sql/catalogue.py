"""Products, stock, branches, promotions: what the shop sells and where."""

from __future__ import annotations

import time as clock
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta

import sqlalchemy as sa

from bot.core.errors import RefusedError
from bot.core.shop import Branch, Product, Promotion, Stock, Variant
from connectors.pos.sql.search import Entry, ProductIndex
from connectors.sql.database import Database, Session
from connectors.sql.tables import Record, address_of
from connectors.sql.writes import Writer

# Names and colours change seldom; what is told of a product is always read afresh.
_INDEX_SECONDS = 300.0
_HELD = timedelta(days=2)


class Catalogue:
    """The POS's goods.

    Args:
        database: Where they lie.
        writer: Makes reservations once a key.
        now: The clock.
    """

    def __init__(self, database: Database, writer: Writer, now: Callable[[], datetime]) -> None:
        self._database, self._writer, self._now = database, writer, now
        self._index: ProductIndex | None = None
        self._index_until = 0.0

    async def find(self, query: str, limit: int) -> list[Product]:
        async with self._database.session() as session:
            index = await self._fresh_index(session)
            ids = index.find(query, limit)
            products = {product.id: product for product in await self._products(session, ids)}
        return [products[product_id] for product_id in ids if product_id in products]

    async def product(self, product_id: str) -> Product | None:
        async with self._database.session() as session:
            found = await self._products(session, [product_id])
        return found[0] if found else None

    async def stock(self, product_id: str) -> list[Stock]:
        async with self._database.session() as session:
            variants = session.table("variant")
            of_product = variants["product_id"] == product_id
            skus = [v.text("sku") for v in await session.records("variant", of_product)]
            return await self._available(session, skus)

    async def reserve(
        self, sku: str, branch_id: str, *, customer_id: str | None, name: str, key: str
    ) -> str:
        async def work(session: Session) -> str:
            number = await self._writer.next_number(session, "reservation")
            here = [s for s in await self._available(session, [sku]) if s.branch_id == branch_id]
            if not here or here[0].quantity < 1:
                raise RefusedError("out_of_stock")
            now = self._now()
            values = {
                "number": number,
                "sku": sku,
                "branch_id": branch_id,
                "customer_id": customer_id,
                "name": name,
                "reserved_at": now,
                "expires_at": now + _HELD,
            }
            await session.insert("reservation", values)
            return number

        return await self._writer.once("pos.reserve", key, work)

    async def branches(self) -> list[Branch]:
        async with self._database.session() as session:
            hours: dict[str, dict[int, tuple[time, time]]] = defaultdict(dict)
            for opening in await session.records("opening"):
                day = opening.integer("weekday")
                span = (opening.clock("opens"), opening.clock("closes"))
                hours[opening.text("branch_id")][day] = span
            table = session.table("branch")
            order = (table["name"],) if table.exists else ()
            records = await session.records("branch", order_by=order)
        return [_branch(record, hours[record.text("id")]) for record in records]

    async def promotion(self, code: str) -> Promotion | None:
        async with self._database.session() as session:
            table = session.table("promotion")
            if not table.exists:
                return None
            wanted = code.strip().upper()
            found = await session.record("promotion", sa.func.upper(table["code"]) == wanted)
        if found is None:
            return None
        return Promotion(
            code=found.text("code"),
            description=found.text("description"),
            starts_on=found.day("starts_on"),
            ends_on=found.day("ends_on"),
            minimum=found.money("minimum"),
        )

    async def _available(self, session: Session, skus: list[str]) -> list[Stock]:
        """What lies where, less what is held for customers."""
        table = session.table("stock")
        if not table.exists or not skus:
            return []
        held: dict[tuple[str, str], int] = defaultdict(int)
        reserved = session.table("reservation")
        now = self._now()
        for record in await session.records("reservation", reserved["sku"].in_(skus)):
            if record.moment("expires_at") > now:
                held[record.text("sku"), record.text("branch_id")] += 1
        found = await session.records(
            "stock", table["sku"].in_(skus), order_by=(table["sku"], table["branch_id"])
        )
        return [_stock(record, held) for record in found]

    async def _fresh_index(self, session: Session) -> ProductIndex:
        if self._index is None or clock.monotonic() >= self._index_until:
            products = await session.records("product", order_by=(session.table("product")["id"],))
            colours: dict[str, set[str]] = defaultdict(set)
            for variant in await session.records("variant"):
                colours[variant.text("product_id")].add(variant.text("colour"))
            self._index = ProductIndex(_entry(p, colours[p.text("id")]) for p in products)
            self._index_until = clock.monotonic() + _INDEX_SECONDS
        return self._index

    async def _products(self, session: Session, ids: list[str]) -> list[Product]:
        if not ids:
            return []
        products, variants = session.table("product"), session.table("variant")
        by_product: dict[str, list[Variant]] = defaultdict(list)
        order = [variants["position"]] if variants.has("position") else []
        for record in await session.records(
            "variant", variants["product_id"].in_(ids), order_by=(*order, variants["sku"])
        ):
            by_product[record.text("product_id")].append(
                Variant(
                    sku=record.text("sku"),
                    size=record.text("size"),
                    colour=record.text("colour"),
                    price=record.money("price"),
                )
            )
        found = await session.records("product", products["id"].in_(ids))
        return [_product(record, by_product[record.text("id")]) for record in found]


def _entry(product: Record, colours: Iterable[str]) -> Entry:
    texts = (
        (3.0, product.text("name")),
        (2.0, product.text("category")),
        (1.5, " ".join(sorted(colours))),
        (1.0, product.text("description")),
    )
    return Entry(product.text("id"), texts)


def _product(record: Record, variants: list[Variant]) -> Product:
    return Product(
        id=record.text("id"),
        name=record.text("name"),
        category=record.text("category"),
        description=record.text("description"),
        image_url=record.text("image_url"),
        page_url=record.text("page_url"),
        warranty_months=record.integer("warranty_months"),
        variants=tuple(variants),
    )


def _stock(record: Record, held: dict[tuple[str, str], int]) -> Stock:
    sku, branch_id = record.text("sku"), record.text("branch_id")
    left = record.integer("quantity") - held.get((sku, branch_id), 0)
    return Stock(sku=sku, branch_id=branch_id, quantity=max(0, left))


def _branch(record: Record, hours: dict[int, tuple[time, time]]) -> Branch:
    return Branch(
        id=record.text("id"),
        name=record.text("name"),
        city=record.text("city"),
        address=address_of(record),
        phone=record.text("phone"),
        latitude=record.number("latitude"),
        longitude=record.number("longitude"),
        hours=tuple(hours.get(day) for day in range(7)),
    )

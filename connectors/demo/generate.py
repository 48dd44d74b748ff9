"""Fills a database with the demo shop: always the same, but for the days, which follow today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.demo import cast
from connectors.demo.goods import SHOPS, branches, goods, promotions
from connectors.demo.people import customers, gift_cards
from connectors.demo.plans import plans
from connectors.demo.purchases import Purchases
from connectors.demo.schema import DemoSchema, demo_schema
from connectors.sql.database import transaction_on

Row = dict[str, object]

_SEED = 104233
_TICKETS, _FIRST_TICKET = 12, 3000
_RESERVATIONS, _FIRST_RESERVATION = 10, 4400


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """How much of what was put into the database."""

    customers: int
    products: int
    variants: int
    branches: int
    orders: int
    shipments: int
    returns: int
    receipts: int
    gift_cards: int
    promotions: int


async def seed(url: str, today: date) -> SeedSummary:
    """Creates the demo shop's tables and fills them, in one transaction.

    What the tables held before is removed, the requests of earlier demo customers included.

    Args:
        url: An SQLAlchemy URL of SQLite or PostgreSQL.
        today: The day that all dates are relative to.

    Raises:
        ConfigurationError: The URL cannot be used.
        ShopUnavailableError: The database cannot be reached or written.
    """
    rows, schema = demo_rows(today), demo_schema()
    async with transaction_on(url, "seed") as connection:
        await connection.run_sync(schema.metadata.create_all)
        for table in reversed(schema.metadata.sorted_tables):
            await connection.execute(table.delete())
        await _insert(connection, schema, rows)
        await connection.execute(schema.seeded.insert().values(day=today))
    return SeedSummary(
        customers=len(rows["customer"]),
        products=len(rows["product"]),
        variants=len(rows["variant"]),
        branches=len(rows["branch"]),
        orders=len(rows["order"]),
        shipments=len(rows["shipment"]),
        returns=len(rows["return"]),
        receipts=len(rows["receipt"]),
        gift_cards=len(rows["gift_card"]),
        promotions=len(rows["promotion"]),
    )


async def seeded_on(url: str) -> date | None:
    """The day that the demo data is relative to; None when the database holds none.

    Raises:
        ConfigurationError: The URL cannot be used.
        ShopUnavailableError: The database cannot be reached.
    """
    seeded = demo_schema().seeded
    async with transaction_on(url, "seed") as connection:
        if not await connection.run_sync(lambda c: sa.inspect(c).has_table(seeded.name)):
            return None
        day: date | None = (await connection.execute(sa.select(seeded.c.day))).scalar()
        return day


def demo_rows(today: date) -> dict[str, list[Row]]:
    """All rows by entity. But for the days they are the same whatever ``today`` is."""
    rng = Random(_SEED)
    rows, pieces = goods(rng)
    rows |= branches()
    rows["customer"] = customers(rng, today)
    rows["gift_card"] = gift_cards(rng, today)
    rows["promotion"] = promotions(today)
    by_id = {str(row["id"]): row for row in rows["customer"]}
    buyers = [customer for customer in by_id if customer not in (cast.MAYA.id, cast.TOM.id)]
    purchases = Purchases(rng, today, pieces, by_id)
    purchases.add_orders(plans(rng, buyers, [shop.id for shop in SHOPS]))
    purchases.add_receipts()
    rows |= purchases.rows
    rows["ticket"] = _tickets(rng, today, rows["order"])
    rows["reservation"] = _reservations(rng, today, rows["variant"], rows["customer"])
    return rows


async def _insert(
    connection: AsyncConnection, schema: DemoSchema, rows: dict[str, list[Row]]
) -> None:
    for entity, values in rows.items():
        table = schema.tables[entity]
        await connection.execute(table.real.insert(), [table.columns_of(row) for row in values])


def _tickets(rng: Random, today: date, orders: list[Row]) -> list[Row]:
    kinds = ("damaged_item", "missing_item", "wrong_item", "complaint")
    rows: list[Row] = []
    for number in range(_FIRST_TICKET, _FIRST_TICKET + _TICKETS):
        order = rng.choice(orders)
        kind = rng.choice(kinds)
        rows.append(
            {
                "number": f"T-{number}",
                "kind": kind,
                "summary": f"{kind.replace('_', ' ').capitalize()} reported by the customer",
                "customer_id": order["customer_id"],
                "order_number": order["number"],
                "state": rng.choice(("open", "closed")),
                "opened_at": _noon(today, rng.randint(1, 40)),
            }
        )
    return rows


def _reservations(rng: Random, today: date, variants: list[Row], people: list[Row]) -> list[Row]:
    """Old ones only, so that the cast's stock is as the cast says."""
    rows: list[Row] = []
    for number in range(_FIRST_RESERVATION, _FIRST_RESERVATION + _RESERVATIONS):
        person, age = rng.choice(people), rng.randint(3, 20)
        rows.append(
            {
                "number": f"RS-{number}",
                "sku": rng.choice(variants)["sku"],
                "branch_id": rng.choice(SHOPS).id,
                "customer_id": person["id"],
                "name": person["name"],
                "reserved_at": _noon(today, age),
                "expires_at": _noon(today, age - 2),
            }
        )
    return rows


def _noon(today: date, days_ago: int) -> datetime:
    return datetime.combine(today - timedelta(days=days_ago), time(12, tzinfo=UTC))

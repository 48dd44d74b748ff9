"""Rows of orders, returns and receipts as the values of the port."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from bot.core.shop import Order, OrderLine, OrderState, Receipt, Return, ReturnState, Shipment
from connectors.sql.database import Session
from connectors.sql.tables import Record, address_of


async def orders_from(session: Session, records: list[Record]) -> list[Order]:
    """The orders of these rows with their lines and shipments, in the same order."""
    numbers = [record.text("number") for record in records]
    lines = await lines_of(session, "order_line", "order_number", numbers)
    shipments = await shipments_of(session, numbers)
    return [_order(r, lines[r.text("number")], shipments[r.text("number")]) for r in records]


async def lines_of(
    session: Session, entity: str, reference: str, numbers: list[str]
) -> dict[str, list[OrderLine]]:
    """Lines by the number of what they belong to, which the field ``reference`` holds."""
    result: dict[str, list[OrderLine]] = defaultdict(list)
    table = session.table(entity)
    if not table.exists or not numbers:
        return result
    order: tuple[sa.ColumnElement[Any], ...] = ()
    if table.has("position"):
        order = (table["position"],)
    for record in await session.records(entity, table[reference].in_(numbers), order_by=order):
        result[record.text(reference)].append(
            OrderLine(
                sku=record.text("sku"),
                product=record.text("product"),
                variant=record.text("variant"),
                quantity=record.integer("quantity"),
                unit_price=record.money("unit_price"),
            )
        )
    return result


async def shipments_of(session: Session, numbers: list[str]) -> dict[str, list[Shipment]]:
    """Shipments by order number; none where the shop has no such table."""
    result: dict[str, list[Shipment]] = defaultdict(list)
    table = session.table("shipment")
    if not table.exists or not numbers:
        return result
    for record in await session.records(
        "shipment", table["order_number"].in_(numbers), order_by=(table["tracking_number"],)
    ):
        result[record.text("order_number")].append(
            Shipment(
                carrier=record.text("carrier"),
                tracking_number=record.text("tracking_number"),
                tracking_url=record.text("tracking_url"),
                state=record.text("state"),
                shipped_at=record.optional_moment("shipped_at"),
                expected_on=record.optional_day("expected_on"),
                delivered_at=record.optional_moment("delivered_at"),
            )
        )
    return result


def return_from(record: Record) -> Return:
    """One return."""
    return Return(
        number=record.text("number"),
        order_number=record.text("order_number"),
        state=record.choice("state", ReturnState),
        reason=record.text("reason"),
        requested_at=record.moment("requested_at"),
        refund=record.money("refund"),
        refunded_at=record.optional_moment("refunded_at"),
        label_url=record.text("label_url"),
    )


def receipt_from(record: Record, lines: list[OrderLine]) -> Receipt:
    """One till receipt with its lines."""
    return Receipt(
        number=record.text("number"),
        branch_id=record.text("branch_id"),
        customer_id=record.optional_text("customer_id"),
        bought_at=record.moment("bought_at"),
        total=record.money("total"),
        lines=tuple(lines),
        url=record.text("url"),
    )


def _order(record: Record, lines: list[OrderLine], shipments: list[Shipment]) -> Order:
    return Order(
        number=record.text("number"),
        customer_id=record.text("customer_id"),
        state=record.choice("state", OrderState),
        placed_at=record.moment("placed_at"),
        total=record.money("total"),
        currency=record.text("currency"),
        payment_method=record.text("payment_method"),
        delivery=record.text("delivery"),
        address=address_of(record),
        lines=tuple(lines),
        shipments=tuple(shipments),
    )

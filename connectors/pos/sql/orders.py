"""Orders and returns: what customers bought, and what they may still do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal

from bot.core.errors import RefusedError
from bot.core.shop import Order, OrderState, PostalAddress, Return, ReturnState
from bot.core.shop_numbers import order_number
from connectors.pos.sql.reading import lines_of, orders_from, return_from, shipments_of
from connectors.sql.database import Database, Session
from connectors.sql.tables import Record
from connectors.sql.writes import Writer

# Until somebody packs it, an order is only a record: it can be cancelled and sent elsewhere.
_UNPACKED = (OrderState.PLACED.value, OrderState.PAID.value)
_WITH_CUSTOMER = (OrderState.DELIVERED, OrderState.COLLECTED)


class Orders:
    """The POS's orders.

    Args:
        database: Where they lie.
        writer: Does writes once a key.
        now: The clock.
        return_days: How many days after delivery a return may start.
        label_url: Where a return's label is, with ``{number}`` for the return's number.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        now: Callable[[], datetime],
        return_days: int,
        label_url: str,
    ) -> None:
        self._database, self._writer, self._now = database, writer, now
        self._return_days, self._label_url = return_days, label_url

    async def order(self, number: str) -> Order | None:
        async with self._database.session() as session:
            found = await self._record(session, number)
            return (await orders_from(session, [found]))[0] if found else None

    async def orders_of(self, customer_id: str, limit: int) -> list[Order]:
        async with self._database.session() as session:
            table = session.table("order")
            found = await session.records(
                "order",
                table["customer_id"] == customer_id,
                order_by=(table["placed_at"].desc(), table["number"].desc()),
                limit=limit,
            )
            return await orders_from(session, found)

    async def cancel(self, number: str, key: str) -> Order:
        async def work(session: Session) -> str:
            record = await self._existing(session, number)
            await self._change_unpacked(session, record, {"state": OrderState.CANCELLED.value})
            return record.text("number")

        return await self._again(await self._writer.once("pos.cancel_order", key, work))

    async def change_address(self, number: str, address: PostalAddress, key: str) -> Order:
        async def work(session: Session) -> str:
            record = await self._existing(session, number)
            values = asdict(address)
            if address.line2 and not session.table("order").has("line2"):
                values["line1"] = f"{address.line1}, {address.line2}"
            await self._change_unpacked(session, record, values, sent=True)
            return record.text("number")

        return await self._again(await self._writer.once("pos.change_order_address", key, work))

    async def returns_of(self, number: str) -> list[Return]:
        async with self._database.session() as session:
            found = await self._record(session, number)
            if found is None:
                return []
            return [return_from(r) for r in await _return_records(session, found.text("number"))]

    async def start_return(self, number: str, reason: str, key: str) -> Return:
        async def work(session: Session) -> str:
            # The number comes first: from here on no other return can start before we are through.
            new = await self._writer.next_number(session, "return")
            record = await self._existing(session, number)
            await self._refuse_return(session, record)
            bought = record.text("number")
            lines = (await lines_of(session, "order_line", "order_number", [bought]))[bought]
            values = {
                "number": new,
                "order_number": bought,
                "state": ReturnState.REQUESTED.value,
                "reason": reason,
                "requested_at": self._now(),
                "refund": sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
                "label_url": self._label_url.replace("{number}", new),
            }
            await session.insert("return", values)
            return new

        started = await self._writer.once("pos.start_return", key, work)
        async with self._database.session() as session:
            found = await session.record("return", session.table("return")["number"] == started)
        if found is None:
            raise RefusedError("not_found")
        return return_from(found)

    async def _record(self, session: Session, number: str) -> Record | None:
        table = session.table("order")
        wanted = order_number(number, table.prefix) or number.strip()
        return await session.record("order", table["number"] == wanted)

    async def _existing(self, session: Session, number: str) -> Record:
        found = await self._record(session, number)
        if found is None:
            raise RefusedError("not_found")
        return found

    async def _again(self, number: str) -> Order:
        order = await self.order(number)
        if order is None:
            raise RefusedError("not_found")
        return order

    async def _change_unpacked(
        self, session: Session, record: Record, values: dict[str, object], *, sent: bool = False
    ) -> None:
        table = session.table("order")
        if sent and record.text("delivery") == "collect" and not _is(record, OrderState.CANCELLED):
            raise RefusedError("collect")
        # The state is part of the condition: the warehouse may pack it while we look.
        changed = await session.update(
            "order",
            values,
            table["number"] == record.text("number"),
            table.any_of("state", _UNPACKED),
        )
        if not changed:
            cancelled = _is(record, OrderState.CANCELLED)
            raise RefusedError("already_cancelled" if cancelled else "already_shipped")

    async def _refuse_return(self, session: Session, record: Record) -> None:
        number = record.text("number")
        open_or_done = [
            r
            for r in await _return_records(session, number)
            if r.choice("state", ReturnState) is not ReturnState.REJECTED
        ]
        if open_or_done or _is(record, OrderState.RETURNED):
            raise RefusedError("already_returned")
        if record.choice("state", OrderState) not in _WITH_CUSTOMER:
            raise RefusedError("not_delivered")
        if (self._now().date() - await _received_on(session, record)).days > self._return_days:
            raise RefusedError("window_over")


def _is(record: Record, state: OrderState) -> bool:
    return record.choice("state", OrderState) is state


async def _received_on(session: Session, record: Record) -> date:
    """When the customer got the last of it; when it was placed, where nothing else is known."""
    shipments = (await shipments_of(session, [record.text("number")]))[record.text("number")]
    moments = [s.delivered_at for s in shipments if s.delivered_at is not None]
    moments.append(record.optional_moment("collected_at") or record.moment("placed_at"))
    return max(moments).date()


async def _return_records(session: Session, number: str) -> list[Record]:
    table = session.table("return")
    return await session.records(
        "return", table["order_number"] == number, order_by=(table["requested_at"].desc(),)
    )

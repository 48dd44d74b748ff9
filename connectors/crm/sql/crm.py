"""The port `Crm` on SQL tables that a mapping names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import sqlalchemy as sa

from bot.core.errors import RefusedError
from bot.core.shop import Customer
from bot.core.shop_numbers import order_number as normal_order_number
from connectors.sql.database import Database, Session
from connectors.sql.entities import CRM_ENTITIES
from connectors.sql.mapping import read_mapping
from connectors.sql.phones import e164, matches
from connectors.sql.tables import Record, address_of
from connectors.sql.writes import Writer

_SETTINGS = ("phones", "region")


def _now() -> datetime:
    return datetime.now(UTC)


def create(
    url: str, mapping: Mapping[str, object], *, now: Callable[[], datetime] = _now
) -> SqlCrm:
    """The CRM at a database.

    Args:
        url: An SQLAlchemy URL, ``sqlite+aiosqlite:///…`` or ``postgresql+asyncpg://…``.
        mapping: The ``crm`` section of the configuration: ``tables`` (`connectors.sql.mapping`),
            ``phones`` (``mixed``: any spelling; ``e164``: one spelling, found by index) and
            ``region`` (country of phone numbers without a country code, default ``GB``).
        now: The clock.

    Raises:
        ConfigurationError: The URL or the mapping cannot be used.
    """
    return SqlCrm(url, mapping, now)


class SqlCrm:
    """Customers, tickets and erasure requests. Call `prepare` at start and `close` at the end.

    RefusedError codes beyond the port's: ``not_found`` (no such customer), ``invalid_email``,
    ``invalid_phone``, and ``taken`` (another customer has that e-mail or phone: with two, nobody
    could be recognised by it any more).
    """

    def __init__(
        self, url: str, mapping: Mapping[str, object], now: Callable[[], datetime]
    ) -> None:
        read = read_mapping("crm", mapping, CRM_ENTITIES, _SETTINGS)
        self._region = read.text("region", "GB")
        self._e164_only = read.text("phones", "mixed", ("mixed", "e164")) == "e164"
        self._database = Database(url, read)
        self._writer = Writer(self._database)
        self._now = now

    async def prepare(self) -> None:
        """Checks the mapping and creates what only Frontdesk needs; see `Database.prepare`."""
        await self._database.prepare()

    async def close(self) -> None:
        await self._database.close()

    async def ping(self) -> None:
        await self._database.ping()

    async def customer(self, customer_id: str) -> Customer | None:
        async with self._database.session() as session:
            return await self._customer(session, customer_id)

    async def customer_by_phone(self, phone: str) -> Customer | None:
        number = e164(phone, self._region)
        if number is None:
            return None
        async with self._database.session() as session:
            if not session.table("customer").has("phone"):
                return None
            found = await session.record("customer", self._has_phone(session, number))
        return self._read(found)

    async def customer_by_email(self, email: str) -> Customer | None:
        if not email.strip():
            return None
        async with self._database.session() as session:
            found = await session.record("customer", _has_email(session, email))
        return self._read(found)

    async def change_contact(
        self, customer_id: str, *, key: str, email: str | None = None, phone: str | None = None
    ) -> Customer:
        values = self._contact(email, phone)

        async def work(session: Session) -> str:
            same = session.table("customer")["id"] == customer_id
            if "email" in values:
                await _refuse_taken(session, ~same, _has_email(session, values["email"]))
            if "phone" in values:
                await _refuse_taken(session, ~same, self._has_phone(session, values["phone"]))
            await _change_customer(session, customer_id, values)
            return customer_id

        return await self._found(await self._writer.once("crm.change_contact", key, work))

    async def set_marketing_consent(self, customer_id: str, consent: bool, *, key: str) -> None:
        async def work(session: Session) -> str:
            await _change_customer(session, customer_id, {"marketing_consent": consent})
            return customer_id

        await self._writer.once("crm.set_marketing_consent", key, work)

    async def request_erasure(self, customer_id: str, *, key: str) -> str:
        """As the port says; a customer whose request is still open gets that one's reference."""

        async def work(session: Session) -> str:
            if await self._customer(session, customer_id) is None:
                raise RefusedError("not_found")
            number = await self._writer.next_number(session, "erasure")
            table = session.table("erasure")
            mine = table["customer_id"] == customer_id
            for earlier in await session.records("erasure", mine):
                if earlier.text("state") == "open":
                    return earlier.text("number")
            await session.insert(
                "erasure",
                {
                    "number": number,
                    "customer_id": customer_id,
                    "state": "open",
                    "requested_at": self._now(),
                },
            )
            return number

        return await self._writer.once("crm.request_erasure", key, work)

    async def open_ticket(
        self,
        *,
        key: str,
        kind: str,
        summary: str,
        customer_id: str | None,
        order_number: str | None,
    ) -> str:
        async def work(session: Session) -> str:
            number = await self._writer.next_number(session, "ticket")
            await session.insert(
                "ticket",
                {
                    "number": number,
                    "kind": kind,
                    "summary": summary,
                    "customer_id": customer_id,
                    "order_number": order_number
                    and (normal_order_number(order_number) or order_number),
                    "state": "open",
                    "opened_at": self._now(),
                },
            )
            return number

        return await self._writer.once("crm.open_ticket", key, work)

    def _contact(self, email: str | None, phone: str | None) -> dict[str, str]:
        values: dict[str, str] = {}
        if email is not None:
            local, at, domain = email.strip().rpartition("@")
            if not (local and at and "." in domain) or " " in email.strip():
                raise RefusedError("invalid_email")
            values["email"] = email.strip()
        if phone is not None:
            number = e164(phone, self._region)
            if number is None:
                raise RefusedError("invalid_phone")
            values["phone"] = number
        return values

    def _has_phone(self, session: Session, number: str) -> sa.ColumnElement[bool]:
        column = session.table("customer")["phone"]
        return column == number if self._e164_only else matches(column, number, self._region)

    async def _found(self, customer_id: str) -> Customer:
        found = await self.customer(customer_id)
        if found is None:
            raise RefusedError("not_found")
        return found

    async def _customer(self, session: Session, customer_id: str) -> Customer | None:
        table = session.table("customer")
        return self._read(await session.record("customer", table["id"] == customer_id))

    def _read(self, record: Record | None) -> Customer | None:
        if record is None:
            return None
        phone = record.text("phone")
        return Customer(
            id=record.text("id"),
            name=record.text("name"),
            email=record.text("email"),
            phone=e164(phone, self._region) or "",
            address=address_of(record),
            loyalty_number=record.text("loyalty_number"),
            loyalty_points=record.integer("loyalty_points"),
            loyalty_tier=record.text("loyalty_tier"),
            marketing_consent=record.flag("marketing_consent"),
            since=record.optional_day("since") or date(1970, 1, 1),
        )


def _has_email(session: Session, email: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(session.table("customer")["email"]) == email.strip().lower()


async def _refuse_taken(session: Session, *conditions: sa.ColumnElement[bool]) -> None:
    if await session.records("customer", *conditions, limit=1):
        raise RefusedError("taken")


async def _change_customer(
    session: Session, customer_id: str, values: Mapping[str, object]
) -> None:
    table = session.table("customer")
    if not await session.records("customer", table["id"] == customer_id, limit=1):
        raise RefusedError("not_found")
    await session.update("customer", values, table["id"] == customer_id)

"""Writes that happen once a key, and running numbers; both keep their state in our own tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.core.errors import ShopUnavailableError
from connectors.sql.database import Database, Session
from connectors.sql.fields import Kind
from connectors.sql.types import ShopType

_FIRST = 1000  # running numbers begin after it where a table is empty
_ATTEMPTS = 3


def bookkeeping(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Puts our two tables into the metadata: what was done by key, and the running numbers."""
    done = sa.Table(
        "frontdesk_write",
        metadata,
        sa.Column("operation", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        # The number or id of the record that came of it: no personal data.
        sa.Column("result", sa.String(100), nullable=False),
        sa.Column("done_at", ShopType(Kind.MOMENT), server_default=sa.func.current_timestamp()),
    )
    counter = sa.Table(
        "frontdesk_counter",
        metadata,
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    return done, counter


class Writer:
    """The writes of one port.

    Args:
        database: Where the shop's tables lie; our own two are put beside them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._done, self._counter = bookkeeping(database.bookkeeping)

    async def once(
        self, operation: str, key: str, work: Callable[[Session], Awaitable[str]]
    ) -> str:
        """Does the work in one transaction, unless this operation was done with this key.

        Args:
            operation: The port's method.
            key: The caller's idempotency key.
            work: Writes, and returns the number or id of what it wrote. What it raises undoes
                everything, so that the key is free again.

        Returns:
            What ``work`` returned, now or the first time.
        """
        await self._database.prepare()
        for _ in range(_ATTEMPTS):
            try:
                return await self._do(operation, key, work)
            except IntegrityError:
                done = await self._result(operation, key)
            if done is not None:
                return done
            # Not the key, then: two took the first number of a kind, and the other one has it now.
        raise ShopUnavailableError(f"{operation} conflicts with what is stored")

    async def next_number(self, session: Session, entity: str) -> str:
        """A number that no record of the entity has, e.g. ``RT-20418``.

        Transactions that take a number of one entity run one after the other from here on, so that
        what is checked after it stays true until the commit.
        """
        table = session.table(entity)
        ours = self._counter.c.name == entity
        raised = self._counter.update().where(ours).values(value=self._counter.c.value + 1)
        if not (await session.execute(raised)).rowcount:
            first = await self._highest(session, entity)
            await session.execute(self._counter.insert().values(name=entity, value=first + 1))
        while True:
            value = (
                await session.execute(sa.select(self._counter.c.value).where(ours))
            ).scalar_one()
            number = f"{table.prefix}{value}"
            if not await session.records(entity, table["number"] == number, limit=1):
                return number
            await session.execute(raised)  # the shop's own programs give numbers too

    async def _highest(self, session: Session, entity: str) -> int:
        table = session.table(entity)
        numbers = (await session.execute(sa.select(table["number"]))).scalars()
        digits = (str(number).removeprefix(table.prefix) for number in numbers)
        return max((int(text) for text in digits if text.isdecimal()), default=_FIRST)

    async def _do(self, operation: str, key: str, work: Callable[[Session], Awaitable[str]]) -> str:
        async with self._database.session() as session:
            # First the key: a second transaction with it waits here until we are through.
            await session.execute(
                self._done.insert().values(operation=operation, key=key, result="")
            )
            result = await work(session)
            await session.execute(
                self._done.update().where(*self._is(operation, key)).values(result=result)
            )
            return result

    async def _result(self, operation: str, key: str) -> str | None:
        async with self._database.session() as session:
            found = await session.execute(
                sa.select(self._done.c.result).where(*self._is(operation, key))
            )
            result: str | None = found.scalar_one_or_none()
            return result

    def _is(self, operation: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
        return (self._done.c.operation == operation, self._done.c.key == key)

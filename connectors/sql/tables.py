"""Entities bound to tables: the columns that queries name, and the records that rows become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from bot.core.errors import ShopUnavailableError
from bot.core.shop import PostalAddress
from connectors.sql.fields import Entity
from connectors.sql.mapping import TableMapping
from connectors.sql.types import ShopType, Stored

T = TypeVar("T")

# How columns of one table in the shop's database are found: name → the type it has.
Found = Mapping[str, TypeEngine[Any]]


class Record:
    """One row, by field. A field without column or value reads as its default.

    The getters raise ShopUnavailableError when the row holds something else than the field means:
    a broken row must not become an answer.
    """

    def __init__(self, entity: Entity, values: Mapping[str, object]) -> None:
        self._entity, self._values = entity, values

    def text(self, name: str) -> str:
        return self._required(name, str, "")

    def optional_text(self, name: str) -> str | None:
        return self._read(name, str) or None

    def integer(self, name: str) -> int:
        return self._required(name, int, 0)

    def number(self, name: str) -> float:
        return self._required(name, float, None)

    def money(self, name: str) -> Decimal:
        return self._required(name, Decimal, Decimal(0))

    def flag(self, name: str) -> bool:
        return self._required(name, bool, False)

    def moment(self, name: str) -> datetime:
        return self._required(name, datetime, None)

    def optional_moment(self, name: str) -> datetime | None:
        return self._read(name, datetime)

    def day(self, name: str) -> date:
        return self._required(name, date, None)

    def optional_day(self, name: str) -> date | None:
        return self._read(name, date)

    def clock(self, name: str) -> time:
        return self._required(name, time, None)

    def choice(self, name: str, of: Callable[[str], T]) -> T:
        """The value as a member of an enum; what the mapping does not translate raises."""
        try:
            return of(self.text(name))
        except ValueError:
            raise ShopUnavailableError(
                f"{self._entity.name}.{name} holds a value that the mapping does not name"
            ) from None

    def _required(self, name: str, of: type[T], otherwise: T | None) -> T:
        value = self._read(name, of)
        if value is not None:
            return value
        if otherwise is None:
            raise ShopUnavailableError(f"{self._entity.name}.{name} is empty")
        return otherwise

    def _read(self, name: str, of: type[T]) -> T | None:
        value = self._values.get(name)
        if value is None:
            value = self._entity.fields[name].default
        return value if isinstance(value, of) else None


def address_of(record: Record) -> PostalAddress:
    """The postal address of a customer, an order or a branch."""
    return PostalAddress(
        line1=record.text("line1"),
        line2=record.text("line2"),
        city=record.text("city"),
        postcode=record.text("postcode"),
        country=record.text("country"),
    )


class BoundTable:
    """An entity's table in this database. ``table["email"]`` is the column of that field."""

    def __init__(self, mapping: TableMapping, table: sa.Table | None) -> None:
        self._mapping, self.table, self.entity = mapping, table, mapping.entity
        self.prefix = mapping.prefix

    @property
    def exists(self) -> bool:
        """False where the shop has no such table."""
        return self.table is not None

    def has(self, field: str) -> bool:
        """Whether the shop has a column for the field."""
        return self.exists and self._mapping.columns[field] is not None

    def __getitem__(self, field: str) -> sa.ColumnElement[Any]:
        return self.real.c[self.column_name(field)]

    @property
    def real(self) -> sa.Table:
        """The table itself; only for those that exist."""
        if self.table is None:
            raise LookupError(f"the shop has no table for {self.entity.name}")
        return self.table

    def column_name(self, field: str) -> str:
        """The column's name; only for fields that the shop has."""
        name = self._mapping.columns[field]
        if name is None:
            raise LookupError(f"the shop has no column for {self.entity.name}.{field}")
        return name

    def any_of(self, field: str, values: tuple[str, ...]) -> sa.ColumnElement[bool]:
        """Whether the field holds one of our values, in any of the shop's spellings of it."""
        spelt = self._mapping.values.get(field, {})
        stored = [Stored(their) for ours in values for their in spelt.get(ours, (ours,))]
        return self[field].in_(stored)

    def select(self) -> sa.Select[Any]:
        """All fields that the shop has, each labelled with our name."""
        fields = [name for name in self.entity.fields if self.has(name)]
        return sa.select(*(self[name].label(name) for name in fields)).select_from(self.real)

    def record(self, row: Mapping[str, object]) -> Record:
        return Record(self.entity, row)

    def columns_of(self, values: Mapping[str, object]) -> dict[str, object]:
        """Our field names → the shop's columns; fields that the shop has not are left out."""
        return {self.column_name(k): v for k, v in values.items() if self.has(k)}


def bind(mapping: TableMapping, metadata: sa.MetaData, found: Found | None = None) -> BoundTable:
    """Makes the table that queries on an entity use.

    Args:
        mapping: Where the entity lies.
        metadata: The table joins it; ``create_all`` makes tables of our own from it.
        found: The columns of the shop's table; None to describe a table that we make.
    """
    if mapping.table is None:
        return BoundTable(mapping, None)
    columns: list[sa.Column[Any]] = []
    for name, field in mapping.entity.fields.items():
        column = mapping.columns[name]
        if column is None or any(known.name == column for known in columns):
            continue
        kind = ShopType(
            field.kind, found[column] if found is not None else None, mapping.values.get(name, {})
        )
        columns.append(
            sa.Column(
                column,
                kind,
                primary_key=field.key,
                index=field.index and not field.key,
                nullable=field.optional,
                autoincrement=False,
            )
        )
    return BoundTable(mapping, sa.Table(mapping.table, metadata, *columns, schema=mapping.schema))

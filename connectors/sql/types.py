"""Column types that mean the same to us whatever the shop's database keeps in the column.

A shop may hold a customer number as an integer, a moment as text and a price as a float. We read
all of them into one Python type a `Kind`, and bind our values in the column's own type, so that
its indexes are used.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from connectors.sql.fields import Kind

_CENT = Decimal("0.01")

_DEFAULTS: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: sa.String(),
    Kind.INTEGER: sa.BigInteger(),
    Kind.NUMBER: sa.Float(),
    Kind.MONEY: sa.Numeric(12, 2),
    Kind.MOMENT: sa.DateTime(timezone=True),
    Kind.DAY: sa.Date(),
    Kind.CLOCK: sa.Time(),
    Kind.FLAG: sa.Boolean(),
}
# SQLite keeps what it is given; text is exact for money and sorts rightly for moments.
_SQLITE: dict[Kind, TypeEngine[Any]] = {
    Kind.INTEGER: sa.Integer(),
    Kind.NUMBER: sa.Float(),
    Kind.FLAG: sa.Integer(),
}


class Stored(str):
    """A text that is already the shop's own value and is bound as it is."""

    __slots__ = ()


class ShopType(TypeDecorator[object]):
    """One field's values: ours on this side, the column's on the other.

    Args:
        kind: What the field means.
        found: The column's own type as the database tells it; None for tables of our own.
        values: Our value → the shop's values for it, the first of which is written.

    Raises ValueError on reading what cannot mean the field's kind.
    """

    impl = sa.String
    cache_ok = False

    def __init__(
        self,
        kind: Kind,
        found: TypeEngine[Any] | None = None,
        values: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self._kind, self._found = kind, found
        self._written = {ours: theirs[0] for ours, theirs in values.items()}
        self._read = {their: ours for ours, theirs in values.items() for their in theirs}

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_SQLITE.get(self._kind, sa.String()))
        return dialect.type_descriptor(_bound_as(self._kind, self._found))

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        if value is None:
            return None
        if isinstance(value, str) and not isinstance(value, Stored):
            value = self._written.get(value, value)
        if dialect.name == "sqlite":
            return _for_sqlite(value)
        return _for_column(value, _bound_as(self._kind, self._found))

    def process_result_value(self, value: object, dialect: Dialect) -> object:
        if value is None:
            return None
        read = _READERS[self._kind](value)
        return self._read.get(read, read) if isinstance(read, str) else read


def _bound_as(kind: Kind, found: TypeEngine[Any] | None) -> TypeEngine[Any]:
    """The type in which values are sent: the column's own where a conversion is ours to make."""
    default = _DEFAULTS[kind]
    if found is None:
        return default
    own = {
        Kind.TEXT: (sa.Integer, sa.Uuid, sa.Enum),
        Kind.FLAG: (sa.Integer, sa.String),
        Kind.MOMENT: (sa.DateTime, sa.Date, sa.String),
        Kind.DAY: (sa.DateTime, sa.String),
        Kind.CLOCK: (sa.String,),
        Kind.MONEY: (sa.Float, sa.Integer, sa.String),
        Kind.NUMBER: (sa.String,),
        Kind.INTEGER: (sa.String,),
    }[kind]
    return found if isinstance(found, own) else default


def _for_sqlite(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case date() | time():
            return value.isoformat()
        case Decimal() | Stored():
            return str(value)
        case bool():
            return int(value)
    return value


def _for_column(value: object, column: TypeEngine[Any]) -> object:
    """Converts where PostgreSQL, which never converts by itself, would refuse the value."""
    match column, value:
        case sa.Integer(), str():
            # None equals nothing: a text that is no number is nobody's number.
            return int(value) if value.isascii() and value.isdigit() else None
        case sa.Integer(), _:
            return int(value) if isinstance(value, bool) else value
        case sa.Uuid(), str():
            return _uuid(value)
        case sa.DateTime(timezone=False), datetime():
            return value.astimezone(UTC).replace(tzinfo=None)
        case sa.Enum(), _:
            return str(value)
        case sa.String(), datetime():
            return value.astimezone(UTC).isoformat()
        case sa.String(), date() | time():
            return value.isoformat()
        case sa.String(), _:
            return str(value)
        case sa.DateTime(), date() if not isinstance(value, datetime):
            return datetime.combine(value, time(), UTC)
        case sa.Date(), datetime():
            return value.astimezone(UTC).date()
    return value


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return str(value).rstrip()  # CHAR(n) is padded


def _integer(value: object) -> int:
    return int(str(value)) if isinstance(value, int | str) else int(_money(value))


def _number(value: object) -> float:
    return float(str(value))


def _money(value: object) -> Decimal:
    try:
        return Decimal(str(value)).quantize(_CENT)
    except InvalidOperation:
        raise ValueError("no amount of money") from None


def _moment(value: object) -> datetime:
    match value:
        case datetime():
            moment = value
        case date():
            moment = datetime.combine(value, time())
        case int() | float():
            return datetime.fromtimestamp(value, UTC)
        case _:
            moment = datetime.fromisoformat(str(value).strip())
    # A shop's database that keeps no zone is taken to keep UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return _moment(value).date()


def _clock(value: object) -> time:
    return value if isinstance(value, time) else time.fromisoformat(str(value).strip())


def _flag(value: object) -> bool:
    return str(value).strip().lower() in {"1", "true", "t", "yes", "y"}


_READERS = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.MOMENT: _moment,
    Kind.DAY: _day,
    Kind.CLOCK: _clock,
    Kind.FLAG: _flag,
}

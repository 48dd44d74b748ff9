"""How an entity of the shop is described before it is bound to anybody's tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a field means to us; the column that holds it may be of another type."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"  # a float: coordinates
    MONEY = "money"  # Decimal with two places
    MOMENT = "moment"  # aware datetime, UTC
    DAY = "day"
    CLOCK = "clock"  # time of day
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of an entity.

    Attributes:
        kind: Its meaning.
        optional: The shop may have no column for it (``null`` in the mapping).
        default: What is read where there is no column or no value; None means "unknown".
        choices: The values that Frontdesk knows; the mapping may name the shop's own for them.
        key: Part of the primary key of our own tables.
        index: Indexed in our own tables.
    """

    kind: Kind = Kind.TEXT
    optional: bool = False
    default: object = None
    choices: tuple[str, ...] = ()
    key: bool = False
    index: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of record.

    Attributes:
        name: As the mapping names it.
        table: The demo schema's table, used where the mapping names none.
        fields: By name, which is also the demo schema's column name.
        optional: The shop may have no such table (``null`` in the mapping), so no such records.
        ours: Only Frontdesk needs it: unless the mapping names a table, we create our own.
        prefix: The letters before its running number, where it has one.
    """

    name: str
    table: str
    fields: dict[str, Field]
    optional: bool = False
    ours: bool = False
    prefix: str = ""

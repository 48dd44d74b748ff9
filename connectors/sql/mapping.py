"""Reads the part of the configuration that says where a shop keeps what.

    crm:
      tables:
        customer:
          table: clients          # schema.table works too
          columns: {id: client_no, email: mail, loyalty_tier: null}
        ticket: helpdesk_case     # short for {table: helpdesk_case}
    pos:
      tables:
        order:
          prefix: ""              # the shop's order numbers are digits alone
          values: {state: {paid: [PAID, CAPTURED], shipped: DISPATCHED}}
        gift_card: null           # the shop has none

What is not named keeps its name in the demo schema. ``null`` says that the shop has no such column
or table. What a mapping cannot say (a join, pence instead of pounds) a view in the database can.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from bot.core.errors import ConfigurationError
from connectors.sql.fields import Entity


@dataclass(frozen=True, slots=True)
class TableMapping:
    """Where one entity lies.

    Attributes:
        entity: What it is.
        table, schema: The database's names; ``table`` None where the shop has no such table.
        columns: Field → column, None where the shop has no such column.
        values: Field → our value → the shop's values, the first of which is written.
        prefix: The letters before its running number.
        named: Whether the configuration names a table, which is then the shop's and not ours.
        key: The configuration's key, for error messages.
    """

    entity: Entity
    table: str | None
    schema: str | None
    columns: Mapping[str, str | None]
    values: Mapping[str, Mapping[str, tuple[str, ...]]]
    prefix: str
    named: bool
    key: str


@dataclass(frozen=True, slots=True)
class ShopMapping:
    """The whole section: its tables by entity, and its settings."""

    section: str
    tables: Mapping[str, TableMapping]
    settings: Mapping[str, object] = field(default_factory=dict)

    def integer(self, name: str, default: int) -> int:
        """A whole number of 0 or more; ConfigurationError when it is something else."""
        value = self.settings.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            _wrong(f"{self.section}.{name}", "must be a whole number of 0 or more", value)
        return value

    def text(self, name: str, default: str, choices: tuple[str, ...] = ()) -> str:
        """A text, one of ``choices`` where there are any; ConfigurationError otherwise."""
        value = self.settings.get(name, default)
        if not isinstance(value, str):
            _wrong(f"{self.section}.{name}", "must be a text", value)
        if choices and value not in choices:
            _unknown(f"{self.section}.{name}", "is not a value of this setting", value, choices)
        return value


def read_mapping(
    section: str,
    mapping: Mapping[str, object],
    entities: Iterable[Entity],
    settings: tuple[str, ...] = (),
) -> ShopMapping:
    """Checks a section of the configuration against the entities of its port.

    Args:
        section: ``crm`` or ``pos``, as errors name it.
        mapping: What the configuration holds: ``tables`` and the settings.
        entities: What may be mapped.
        settings: Names of the section's other settings.

    Raises:
        ConfigurationError: An entity, field, value or setting is unknown or of the wrong type.
    """
    known = {entity.name: entity for entity in entities}
    for name in mapping:
        if name not in ("tables", *settings):
            _unknown(f"{section}.{name}", "is no setting", name, ("tables", *settings))
    tables = _section(f"{section}.tables", mapping.get("tables", {}))
    for name in tables:
        if name not in known:
            _unknown(f"{section}.tables.{name}", "Frontdesk has no such entity", name, known)
    read = {
        name: _read_table(f"{section}.tables.{name}", entity, tables.get(name, {}), name in tables)
        for name, entity in known.items()
    }
    return ShopMapping(section, read, {k: v for k, v in mapping.items() if k != "tables"})


def _read_table(key: str, entity: Entity, given: object, present: bool) -> TableMapping:
    if given is None:
        if not entity.optional:
            _wrong(key, "must have a table: the assistant cannot work without", "null")
        return TableMapping(entity, None, None, {}, {}, entity.prefix, True, key)
    parts = {"table": given} if isinstance(given, str) else _section(key, given)
    for name in parts:
        if name not in _PARTS:
            _unknown(f"{key}.{name}", "is no part of a table's mapping", name, _PARTS)
    table = _name(f"{key}.table", parts.get("table", entity.table))
    schema, _, plain = table.rpartition(".")
    prefix = parts.get("prefix", entity.prefix)
    if not isinstance(prefix, str):
        _wrong(f"{key}.prefix", 'must be a text, "" for none', prefix)
    return TableMapping(
        entity=entity,
        table=plain,
        schema=schema or None,
        columns=_read_columns(f"{key}.columns", entity, parts.get("columns", {})),
        values=_read_values(f"{key}.values", entity, parts.get("values", {})),
        prefix=prefix,
        named=present and "table" in parts,
        key=key,
    )


_PARTS = ("table", "columns", "values", "prefix")


def _read_columns(key: str, entity: Entity, given: object) -> dict[str, str | None]:
    columns: dict[str, str | None] = {name: name for name in entity.fields}
    for name, column in _section(key, given).items():
        if name not in entity.fields:
            _unknown(f"{key}.{name}", f"{entity.name} has no such field", name, entity.fields)
        if column is None and not entity.fields[name].optional:
            _wrong(f"{key}.{name}", "must have a column: the assistant needs it", "null")
        columns[name] = None if column is None else _name(f"{key}.{name}", column)
    return columns


def _read_values(key: str, entity: Entity, given: object) -> dict[str, dict[str, tuple[str, ...]]]:
    result: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, pairs in _section(key, given).items():
        if name not in entity.fields:
            _unknown(f"{key}.{name}", f"{entity.name} has no such field", name, entity.fields)
        choices = entity.fields[name].choices
        result[name] = {}
        for ours, theirs in _section(f"{key}.{name}", pairs).items():
            if choices and ours not in choices:
                _unknown(f"{key}.{name}.{ours}", "is not a value of this field", ours, choices)
            listed = theirs if isinstance(theirs, list | tuple) else [theirs]
            if not listed or any(isinstance(item, dict | list) or item is None for item in listed):
                _wrong(f"{key}.{name}.{ours}", "must be a value or a list of values", theirs)
            result[name][ours] = tuple(str(item) for item in listed)
    return result


def _section(key: str, given: object) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        _wrong(key, "must be a section of names and values", given)
    return {str(name): value for name, value in given.items()}


def _name(key: str, given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        _wrong(key, "must be the name that it has in the database", given)
    return given


def _wrong(key: str, problem: str, value: object) -> NoReturn:
    raise ConfigurationError(key, problem, "Correct it, or leave it out for the default", value)


def _unknown(key: str, problem: str, value: str, known: Iterable[str]) -> NoReturn:
    names = list(known)
    near = difflib.get_close_matches(value, names, 1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise ConfigurationError(key, problem, f"{hint}Known are: {', '.join(names)}", value)

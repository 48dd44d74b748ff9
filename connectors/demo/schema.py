"""The demo shop's tables: every entity under its default names, and when it was seeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.sql.entities import CRM_ENTITIES, POS_ENTITIES
from connectors.sql.mapping import read_mapping
from connectors.sql.tables import BoundTable, bind
from connectors.sql.writes import bookkeeping


@dataclass(frozen=True, slots=True)
class DemoSchema:
    """All tables.

    Attributes:
        metadata: Creates them.
        tables: By entity.
        seeded: One row with the day that the data is relative to.
    """

    metadata: sa.MetaData
    tables: Mapping[str, BoundTable]
    seeded: sa.Table


def demo_schema() -> DemoSchema:
    """Describes the schema; nothing is created."""
    metadata = sa.MetaData()
    tables: dict[str, BoundTable] = {}
    for section, entities in (("crm", CRM_ENTITIES), ("pos", POS_ENTITIES)):
        for name, mapping in read_mapping(section, {}, entities).tables.items():
            tables[name] = bind(mapping, metadata)
    bookkeeping(metadata)
    seeded = sa.Table("demo_seed", metadata, sa.Column("day", sa.Date(), primary_key=True))
    return DemoSchema(metadata, tables, seeded)

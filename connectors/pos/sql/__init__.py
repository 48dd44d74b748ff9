"""The POS in an SQL database of the shop's: SQLite or PostgreSQL."""

from connectors.pos.sql.pos import SqlPos, create

__all__ = ["SqlPos", "create"]

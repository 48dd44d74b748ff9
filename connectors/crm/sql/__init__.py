"""The CRM in an SQL database of the shop's: SQLite or PostgreSQL."""

from connectors.crm.sql.crm import SqlCrm, create

__all__ = ["SqlCrm", "create"]

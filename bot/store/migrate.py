"""Brings the database to the newest schema; safe when replicas start together."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from bot.core.errors import ConfigurationError
from bot.store.database import Database

# Any constant will do: it only has to be the same in every replica.
_MIGRATION_LOCK = 6_170_021


def config() -> Config:
    """Alembic's configuration, without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def _upgrade(connection: Connection) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


async def migrate(database: Database) -> None:
    """Applies the migrations that are missing, in one transaction.

    Raises:
        ConfigurationError: The database was made by a newer Frontdesk.
        StoreUnavailableError: The database does not answer.
    """
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
            )
        try:
            await connection.run_sync(_upgrade)
        except CommandError as error:
            raise ConfigurationError(
                "FRONTDESK_DATABASE_URL",
                f"the database's schema cannot be brought up to date ({error})",
                "It was probably made by a newer Frontdesk: install that version, or name another "
                "database.",
            ) from error

"""`frontdesk agent …`"""

from __future__ import annotations

import asyncio

from email_validator import EmailNotValidError, validate_email
from rich.console import Console

from bot.core.access import Role
from bot.core.errors import ConfigurationError
from bot.settings import Settings
from bot.store import accounts
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now

_SHORTEST_PASSWORD = 10


def add(
    settings: Settings, email: str, name: str, password: str, *, admin: bool, token: bool
) -> None:
    """Adds an agent.

    Raises:
        ConfigurationError: The address is taken or no address, or the password is short.
    """
    try:
        address = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ConfigurationError("email", str(error), "Write name@shop.example.", email) from error
    if len(password) < _SHORTEST_PASSWORD:
        raise ConfigurationError(
            "password", "is too short", f"Use at least {_SHORTEST_PASSWORD} characters."
        )
    role = Role.ADMIN if admin else Role.AGENT
    issued = asyncio.run(_add(settings, address.normalized, name, password, role, token))
    console = Console()
    console.print(f"{name} can log in as {address.normalized}.")
    if issued:
        console.print(f"API token, shown this once: {issued}", soft_wrap=True)


async def _add(
    settings: Settings, email: str, name: str, password: str, role: Role, token: bool
) -> str:
    database = Database(settings.database_url)
    try:
        await migrate(database)
        async with database.write() as connection:
            now = utc_now()
            agent = await accounts.add_agent(
                connection, email=email, name=name, password=password, role=role, now=now
            )
            if not token:
                return ""
            return await accounts.add_token(connection, agent.id, "frontdesk agent add", now)
    finally:
        await database.aclose()

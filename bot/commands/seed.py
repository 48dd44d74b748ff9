"""`frontdesk seed`"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from rich.console import Console

from bot.core.errors import ConfigurationError
from bot.settings import Settings
from bot.store.engine import async_url
from connectors.demo.generate import seed


async def seed_shop(settings: Settings) -> str:
    """Fills the demo shop's database.

    Returns:
        One line that says what is in it.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    summary = await seed(
        async_url(settings.shop_url, "FRONTDESK_SHOP_URL"), datetime.now(UTC).date()
    )
    return str(summary)


def run(settings: Settings) -> None:
    """Seeds and reports.

    Raises:
        ConfigurationError: The shop's database is not the demo's: it is never written over.
    """
    if not settings.is_demo_shop:
        raise ConfigurationError(
            "FRONTDESK_SHOP_URL",
            "names the shop's own database, which is never seeded",
            "Unset it to use the demo shop.",
        )
    Console(stderr=True).print(asyncio.run(seed_shop(settings)))

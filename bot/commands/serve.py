"""`frontdesk serve`"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import secrets
import socket
from pathlib import Path

import uvicorn
from rich.console import Console
from rich.panel import Panel

from bot.app import create_app
from bot.bootstrap import Frontdesk, build, own_sqlite_file
from bot.commands.model import project_of, settle_model, trained_model
from bot.commands.seed import seed_shop
from bot.core.access import Role
from bot.core.errors import ConfigurationError
from bot.dialogue.logs import quieten_rasa
from bot.settings import Settings
from bot.store import accounts
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now

console = Console(stderr=True)
_DEMO_EMAIL = "agent@juniper.example"
# Open live connections end after this, so that Ctrl-C is quick.
_GRACE_SECONDS = 3


def run(settings: Settings) -> None:
    """Prepares what is missing, then serves until it is told to stop."""
    _configure_logs()
    _check_port(settings)
    project_of(settings)
    frontdesk = build(settings)
    lock = own_sqlite_file(frontdesk.database)
    # A model that is named is used as it is, and stays; else the registry's is followed.
    model = trained_model(settings) if settings.model is not None else None
    login = asyncio.run(_prepare(settings))
    failures: list[BaseException] = []

    def give_up(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(frontdesk, model, give_up),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_SECONDS,
            # No forwarded header is trusted: the public URL is a setting.
            proxy_headers=False,
            server_header=False,
        )
    )
    console.print(_welcome(settings, frontdesk, login))
    server.run()
    del lock
    if failures:
        raise failures[0]
    console.print("Stopped.")


def _configure_logs() -> None:
    level = os.environ.get("FRONTDESK_LOG_LEVEL", "WARNING").upper()
    known = logging.getLevelNamesMapping()
    if level not in known:
        raise ConfigurationError(
            "FRONTDESK_LOG_LEVEL", "is no log level", "Use WARNING, INFO or ERROR.", level
        )
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    quieten_rasa(known[level])


def _check_port(settings: Settings) -> None:
    """Fails early: training first and failing then would waste a minute."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            used = error.errno == errno.EADDRINUSE
            raise ConfigurationError(
                "FRONTDESK_PORT" if used else "FRONTDESK_HOST",
                "is in use by another program" if used else f"cannot be used ({error.strerror})",
                f"Stop that program, or choose another: frontdesk serve --port {settings.port + 1}."
                if used
                else "Use 127.0.0.1, or 0.0.0.0 for all addresses of this machine.",
                settings.port if used else settings.host,
            ) from error


async def _prepare(settings: Settings) -> tuple[str, str] | None:
    """Database, demo shop, login and model; returns the login where this is a local trial."""
    database = Database(settings.database_url)
    try:
        await migrate(database)
        if settings.is_demo_shop and not (settings.state_dir / "shop.db").exists():
            with console.status("Seeding the demo shop…"):
                line = await seed_shop(settings)
            console.print(line)
        login = await _demo_login(settings, database) if settings.is_local else None
        if settings.model is None:
            await settle_model(settings, database)
        return login
    finally:
        await database.aclose()


async def _demo_login(settings: Settings, database: Database) -> tuple[str, str] | None:
    """One agent to try the desk with, made where nobody can log in yet."""
    path = settings.state_dir / "demo_login.json"
    # Of replicas that start at the same moment, one makes it and the others go without.
    with contextlib.suppress(ConfigurationError):
        await _make_demo_agent(settings, database, path)
    if not path.exists():
        return None
    login = json.loads(path.read_text())
    return str(login["email"]), str(login["password"])


async def _make_demo_agent(settings: Settings, database: Database, path: Path) -> None:
    password = secrets.token_urlsafe(9)
    async with database.write() as connection:
        if await accounts.has_agents(connection):
            return
        await accounts.add_agent(
            connection,
            email=_DEMO_EMAIL,
            name="Sam",
            password=password,
            role=Role.ADMIN,
            now=utc_now(),
        )
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"email": _DEMO_EMAIL, "password": password}, file)


def _welcome(settings: Settings, frontdesk: Frontdesk, login: tuple[str, str] | None) -> Panel:
    url = settings.reachable_url
    lines = []
    if settings.is_demo_shop:
        lines.append(f"Shop with web chat  {url}/")
    lines.append(f"Desk                {url}/desk/")
    if login:
        lines.append(f"                    log in as {login[0]} with {login[1]}")
    lines.append(f"API docs            {url}/docs")
    lines.append(f"Channels            {', '.join(frontdesk.channels) or 'none'}")
    lines.append("Stop with Ctrl-C.")
    return Panel("\n".join(lines), title="Frontdesk", expand=False)

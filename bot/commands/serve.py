"""`frontdesk serve`"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.panel import Panel

from bot.app import create_app
from bot.bootstrap import Frontdesk, build, own_sqlite_file
from bot.commands.model import project_of, settle_model, trained_model
from bot.commands.port import check_port
from bot.commands.seed import seed_shop
from bot.core.access import Role
from bot.core.errors import ConfigurationError
from bot.monitoring import traces
from bot.monitoring.logs import configure_logs
from bot.peers import Peers
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
    check_port(settings)
    frontdesk, lock = _built(settings)
    _make_ready(settings, frontdesk)
    _serve(frontdesk)
    del lock
    console.print("Stopped.")


def prepare(settings: Settings) -> None:
    """What several workers need once: database, demo shop and login, and a trained model.

    Raises:
        FrontdeskError: Something is missing or wrong that cannot be made here.
    """
    frontdesk, _ = _built(settings)
    _make_ready(settings, frontdesk)


def work(settings: Settings, listener: socket.socket, peers: Peers) -> None:
    """Serves as one of several workers, until SIGTERM; then finishes what runs.

    Args:
        listener: What all of them listen on.

    Raises:
        ModelError: The model cannot be loaded.
    """
    frontdesk, _ = _built(settings)
    _serve(frontdesk, listener, peers)


def _built(settings: Settings) -> tuple[Frontdesk, object | None]:
    """What runs, and the lock of an SQLite file, to be kept while it runs."""
    console.quiet = configure_logs()
    project_of(settings)
    frontdesk = build(settings)
    return frontdesk, own_sqlite_file(frontdesk.database)


def _make_ready(settings: Settings, frontdesk: Frontdesk) -> None:
    if settings.model is not None:
        trained_model(settings)  # says early that there is none of this name
    login = asyncio.run(_prepare(settings))
    console.print(_welcome(settings, frontdesk, login))


def _serve(
    frontdesk: Frontdesk,
    listener: socket.socket | None = None,
    peers: Peers | None = None,
) -> None:
    send_last_spans = traces.configure()
    failures: list[BaseException] = []

    def give_up(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    # A model that is named is used as it is, and stays; else the registry's is followed.
    app = create_app(frontdesk, frontdesk.settings.model, give_up, peers)
    server = _Server(_server_config(frontdesk.settings, app), frontdesk.stop_claiming)
    # uvicorn raises the signal once more when it has ended: this process then still has work.
    signal.signal(signal.SIGTERM, server.handle_exit)
    if listener is None:
        signal.signal(signal.SIGINT, server.handle_exit)
    server.run(sockets=[listener, peers.announce()] if listener and peers else None)
    send_last_spans()
    if failures:
        raise failures[0]


class _Server(uvicorn.Server):
    """Tells of a signal at once, before open connections are waited for."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends the server; unlike uvicorn's, a second Ctrl-C does not cut off running turns."""
        self._on_exit()
        self.should_exit = True


def _server_config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        # Its loggers go the way of all others.
        log_config=None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        # No forwarded header is trusted: the public URL is a setting.
        proxy_headers=False,
        server_header=False,
    )


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
    if settings.workers > 1:
        lines.append(f"Processes           {settings.workers}")
    lines.append("Stop with Ctrl-C.")
    return Panel("\n".join(lines), title="Frontdesk", expand=False)

"""`frontdesk models …`"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.bootstrap import connect_actions, model_library
from bot.core.errors import ConfigurationError
from bot.core.transcript import Event
from bot.dialogue.loading import load_checked
from bot.dialogue.logs import quieten_rasa
from bot.flow.hub import announce
from bot.flow.models import TOPIC
from bot.project import read_yaml
from bot.settings import Settings
from bot.store import models
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.models import Model, Replica
from bot.store.rows import utc_now

console = Console()
_DIGEST_SHOWN = 8
# The longest that replicas are watched; a large model takes some seconds to load.
_WATCH_SECONDS = 30.0
_LOOK_SECONDS = 0.3

Work = Callable[[Database], Awaitable[None]]


def show(settings: Settings) -> None:
    """Lists the models: which is active, where each runs, what was refused."""
    _with_database(settings, _show)


def activate(settings: Settings, target: str, note: str) -> None:
    """Tries a model here, makes it the active one, and watches the replicas take it.

    Args:
        target: A version, or an archive's path.

    Raises:
        ConfigurationError: There is no such version or file.
        ModelError: It is broken; nothing was changed.
    """
    if not target.isdecimal() and not Path(target).is_file():
        raise ConfigurationError(
            "model", "is neither a version nor a file", "frontdesk models lists versions.", target
        )

    async def work(database: Database) -> None:
        model = await _named(settings, database, target, note)
        with console.status(f"Trying version {model.version}…"):
            path = await model_library(settings, database).path(model)
            actions = connect_actions(read_yaml(settings.endpoints))
            await asyncio.to_thread(load_checked, path, model.sha256, database, actions)
        async with database.write() as connection:
            model = await models.activate(connection, model.version, utc_now())
        await _follow(database, model)

    _with_database(settings, work)


def rollback(settings: Settings) -> None:
    """Goes back to the model that was active before, which was tried then.

    Raises:
        ConfigurationError: There is none.
    """

    async def work(database: Database) -> None:
        async with database.write() as connection:
            model = await models.rollback(connection, utc_now())
        await _follow(database, model)

    _with_database(settings, work)


def _with_database(settings: Settings, work: Work) -> None:
    quieten_rasa(logging.ERROR)

    async def run() -> None:
        database = Database(settings.database_url)
        try:
            await migrate(database)
            await work(database)
        finally:
            await database.aclose()

    asyncio.run(run())


async def _named(settings: Settings, database: Database, target: str, note: str) -> Model:
    if target.isdecimal():
        async with database.read() as connection:
            return await models.by_version(connection, int(target))
    return await model_library(settings, database).add(Path(target), note=note)


async def _follow(database: Database, model: Model) -> None:
    """Tells the replicas, and says what each does."""
    line = f"Version {model.version} ({model.file}) is active."
    console.print(line, markup=False, soft_wrap=True)
    await announce(database, Event(TOPIC, "state"))
    deadline = time.monotonic() + _WATCH_SECONDS
    with console.status("Waiting for the replicas…"):
        while True:
            model, replicas = await _state(database, model.version)
            late = [r for r in replicas if r.version not in (None, model.version)]
            if not late or model.failure or time.monotonic() > deadline:
                break
            await asyncio.sleep(_LOOK_SECONDS)
    for replica in replicas:
        console.print(f"{replica.name}: {_runs(replica)}", markup=False, soft_wrap=True)
    if model.failure:
        console.print(f"Refused by {model.failure}", style="red", markup=False, soft_wrap=True)


async def _state(database: Database, version: int) -> tuple[Model, list[Replica]]:
    async with database.read() as connection:
        model = await models.by_version(connection, version)
        return model, await models.replicas(connection, utc_now())


def _runs(replica: Replica) -> str:
    if replica.version is None:
        return f"stays with {replica.file}, which FRONTDESK_MODEL names"
    return f"version {replica.version}"


async def _show(database: Database) -> None:
    async with database.read() as connection:
        known = await models.listed(connection)
        replicas = await models.replicas(connection, utc_now())
    if not known:
        console.print("No model is registered: frontdesk train.")
    else:
        console.print(_table(known, replicas))
    for model in known:
        if model.failure:
            line = f"Version {model.version} was refused at {_time(model.failed_at)} by "
            console.print(line + model.failure, style="red", markup=False, soft_wrap=True)
    for replica in replicas:
        if replica.version is None:
            console.print(f"{replica.name}: {_runs(replica)}", markup=False, soft_wrap=True)


def _table(known: list[Model], replicas: list[Replica]) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("", "Version", "sha256", "Trained", "Activated"):
        table.add_column(name, no_wrap=True)
    for name in ("Runs on", "File", "Note"):
        table.add_column(name, overflow="fold")
    for model in known:
        table.add_row(
            "✓" if model.active else "",
            str(model.version),
            model.sha256[:_DIGEST_SHOWN],
            _time(model.trained_at),
            _time(model.activated_at),
            escape(", ".join(r.name for r in replicas if r.version == model.version)),
            escape(model.file),
            escape(model.note),
        )
    return table


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""

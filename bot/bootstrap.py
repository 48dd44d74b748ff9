"""The one wiring file: settings in, a running Frontdesk out. Nothing happens at import."""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa.utils.endpoints import EndpointConfig

from bot.core.channel import Channel
from bot.core.dead_letters import Explain
from bot.core.errors import ConfigurationError, ModelError
from bot.core.handoff import Handoff
from bot.core.messages import WebhookRequest, WebhookResult
from bot.core.shop import Crm, Pos
from bot.dialogue.action_endpoint import ActionServer, InProcessActions, load_actions
from bot.dialogue.brain import Brain
from bot.flow.deadlines import Deadlines
from bot.flow.deliver import Deliveries
from bot.flow.desk import Desk, StoredTranscript
from bot.flow.hub import LocalHub, PostgresHub
from bot.flow.model_library import ModelLibrary
from bot.flow.models import TOPIC as MODELS_TOPIC
from bot.flow.models import Models
from bot.flow.notices import Notices
from bot.flow.rate import read_rate
from bot.flow.receive import Receiver
from bot.flow.reminders import Reminders
from bot.flow.time_limits import KEYS as TIME_LIMITS
from bot.flow.time_limits import read_time_limits
from bot.flow.timers import Timers
from bot.flow.turn import Shop, Turns
from bot.flow.workers import Worker
from bot.model_files import MODELS
from bot.monitoring.health import Health
from bot.monitoring.metrics import Metrics
from bot.monitoring.monitor import Monitor
from bot.project import read_yaml
from bot.settings import Settings
from bot.store import turns
from bot.store.database import Database
from bot.store.engine import async_url
from bot.store.migrate import migrate

ACTIONS_PACKAGE = "actions"


@dataclass(slots=True)
class Frontdesk:
    """Everything that runs, built by `build`.

    Attributes:
        monitor: Counts and times what the message path does.
        models: No brain until `load_brain`; until then the server is up but not ready.
    """

    settings: Settings
    database: Database
    hub: LocalHub
    shop: Shop
    channels: dict[str, Channel]
    handoff: Handoff
    actions: EndpointConfig
    receiver: Receiver
    transcript: StoredTranscript
    desk: Desk
    monitor: Monitor
    models: Models
    workers: list[Worker] = field(default_factory=list)

    def current_brain(self) -> Brain:
        """The brain in use.

        Raises:
            ModelError: None is loaded yet.
        """
        if self.models.brain is None:
            raise ModelError("no model is loaded")
        return self.models.brain

    async def load_brain(self, model: Path | None = None) -> None:
        """Loads a model beside the running work: this one for good, else the active one.

        Raises:
            ModelError: None can be loaded.
        """
        if model is None:
            await self.models.load_active()
        else:
            await self.models.load_pinned(model)

    def health(self) -> Health:
        """What may keep this process from traffic."""
        return Health(self.database, lambda: "" if self.models.brain else "no model is loaded yet")

    async def receive(self, channel: Channel, request: WebhookRequest) -> WebhookResult:
        """The way in for all webhooks."""
        return await self.receiver.receive(channel, request)

    async def start(self) -> None:
        """Brings the database up to date, then starts hints and workers."""
        await migrate(self.database)
        await self.shop.crm.prepare()
        await self.shop.pos.prepare()
        await self.hub.start()
        for worker in self.workers:
            await worker.start()

    def stop_claiming(self) -> None:
        """Begins no more turns and deliveries; may be called from a signal handler."""
        for worker in self.workers:
            worker.stop_claiming()

    async def stop(self) -> None:
        """Claims nothing more, finishes what runs, and closes connections."""
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        await self.models.stop()
        await self.hub.aclose()
        for channel in self.channels.values():
            await channel.aclose()
        await self.handoff.aclose()
        await self.shop.crm.close()
        await self.shop.pos.close()
        await self.database.aclose()


def build(settings: Settings) -> Frontdesk:
    """Wires everything; opens no connection.

    Raises:
        ConfigurationError: A setting or credential is missing or wrong.
    """
    endpoints = read_yaml(settings.endpoints)
    database = Database(settings.database_url)
    hub = LocalHub() if database.is_sqlite else PostgresHub(database.url)
    shop = connect_shop(settings)
    channels = connect_channels(settings)
    handoff = _connect_handoff(endpoints)
    deadlines = Deadlines(read_time_limits(endpoints.get("handoff") or {}), channels)
    monitor = Monitor(Metrics())
    actions = connect_actions(endpoints)
    library = model_library(settings, database)
    # Several processes may share a port.
    replica = f"{socket.gethostname()}:{settings.port}/{os.getpid()}"
    known = Models(database, library, actions, replica)
    notices = Notices(lambda: known.brain.domain.responses if known.brain else {})
    made = Frontdesk(
        settings=settings,
        database=database,
        hub=hub,
        shop=shop,
        channels=channels,
        handoff=handoff,
        actions=actions,
        receiver=Receiver(database, hub, monitor),
        transcript=StoredTranscript(database),
        desk=Desk(
            database, hub, shop.crm, shop.pos, notices, deadlines, channel_explains(settings)
        ),
        monitor=monitor,
        models=known,
    )
    made.workers = _workers(made, notices, deadlines)
    return made


def _workers(made: Frontdesk, notices: Notices, deadlines: Deadlines) -> list[Worker]:
    database, hub = made.database, made.hub
    turn = Turns(
        database,
        hub,
        made.current_brain,
        made.shop,
        made.channels,
        made.handoff,
        notices,
        made.monitor,
        deadlines,
    )
    rates = sending_rates(made.settings)
    delivery = Deliveries(database, hub, made.channels, rates, made.monitor)

    reminders = Reminders(made.current_brain, made.shop, turn.record)
    timers = Timers(database, hub, reminders, deadlines, notices, made.shop.timezone)

    async def inbox(limit: int) -> list[str]:
        if made.models.brain is None:
            return []
        async with database.read() as connection:
            return await turns.waiting(connection, limit)

    async def answer(conversation: str) -> bool:
        # A webhook may come before the model is loaded; another replica is asked meanwhile.
        return made.models.brain is not None and await turn.run(conversation)

    async def due(limit: int) -> list[str]:
        # Also for the words of notices.
        return [] if made.models.brain is None else await timers.waiting(limit)

    return [
        Worker("turn", "inbox", hub, inbox, answer),
        Worker("deliver", "outbox", hub, delivery.waiting, delivery.run, due_in=delivery.due_in),
        Worker("model", MODELS_TOPIC, hub, made.models.find, made.models.work, parallel=1),
        Worker("timer", "timer", hub, due, timers.run, due_in=timers.due_in),
    ]


def model_library(settings: Settings, database: Database) -> ModelLibrary:
    """Where models are found: the project's folder, then what came from the database."""
    return ModelLibrary(database, [settings.project_dir / MODELS], settings.state_dir / MODELS)


def _plugin(folder: str, kind: str, key: str) -> Any:
    """The connector module ``connectors.<folder>.<kind>``, which offers ``create``."""
    name = f"connectors.{folder}.{kind}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and not name.startswith(error.name):
            raise
        known = Path(__file__).parent.parent / "connectors" / folder
        kinds = sorted(p.parent.name for p in known.glob("*/__init__.py"))
        raise ConfigurationError(
            key, "there is no such connector", f"Choose one of: {', '.join(kinds)}.", kind
        ) from error


def connect_shop(settings: Settings) -> Shop:
    """The CRM and POS of ``endpoints.yml``; where one names no URL, it is `Settings.shop_url`.

    Raises:
        ConfigurationError: A section is missing or wrong.
    """
    endpoints = read_yaml(settings.endpoints)
    systems: dict[str, Any] = {}
    for part in ("crm", "pos"):
        section = dict(endpoints.get(part) or {})
        if not section:
            raise ConfigurationError(
                f"endpoints.yml: {part}", "is missing", "Write at least its type, e.g. type: sql."
            )
        kind = str(section.pop("type", "sql"))
        url = str(section.pop("url", "") or settings.shop_url)
        url = async_url(url, f"endpoints.yml: {part}.url") if kind == "sql" else url
        systems[part] = _plugin(part, kind, f"endpoints.yml: {part}.type").create(url, section)
    crm: Crm = systems["crm"]
    pos: Pos = systems["pos"]
    timezone = str((endpoints.get("shop") or {}).get("timezone", "Europe/London"))
    return Shop(crm, pos, timezone)


def connect_channels(settings: Settings) -> dict[str, Channel]:
    """The channels of ``credentials.yml``, by name.

    Raises:
        ConfigurationError: A channel's secret is missing, or its rate is no number.
    """
    channels: dict[str, Channel] = {}
    for name, section in read_yaml(settings.credentials).items():
        credentials = dict(section or {})
        kind = str(credentials.pop("type", name))
        # How fast its messages go out is the engine's business: see `sending_rates`.
        read_rate(name, credentials.pop("rate", None))
        if kind == "webchat":
            # Frontdesk's own channel: no platform gives it a secret.
            credentials.setdefault("secret", settings.secret_key)
        module = _plugin("channels", kind, f"credentials.yml: {name}")
        channels[name] = module.create(name, credentials, settings.reachable_url)
    return channels


def channel_explains(settings: Settings) -> dict[str, Explain]:
    """Who knows what the error codes of a channel mean, by channel; needs no credentials.

    Raises:
        ConfigurationError: A channel is of no known kind.
    """
    found = {}
    for name, section in read_yaml(settings.credentials).items():
        kind = str((section or {}).get("type", name))
        explain = getattr(_plugin("channels", kind, f"credentials.yml: {name}"), "explain", None)
        if explain is not None:
            found[name] = explain
    return found


def sending_rates(settings: Settings) -> dict[str, float]:
    """How many messages a second each account of a channel may send, where there is a limit.

    Raises:
        ConfigurationError: A rate is no number above 0.
    """
    sections = read_yaml(settings.credentials).items()
    rates = {name: read_rate(name, (section or {}).get("rate")) for name, section in sections}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _connect_handoff(endpoints: Mapping[str, Any]) -> Handoff:
    section = dict(endpoints.get("handoff") or {})
    kind = str(section.pop("type", "desk"))
    for key in TIME_LIMITS:
        # The engine's business, see `read_time_limits`.
        section.pop(key, None)
    made: Handoff = _plugin("handoff", kind, "endpoints.yml: handoff.type").create(section)
    return made


def connect_actions(endpoints: Mapping[str, Any]) -> EndpointConfig:
    """Actions in this process, or the server of ``endpoints.yml`` when ``in_process`` is false."""
    section = dict(endpoints.get("action_endpoint") or {})
    if section and not section.pop("in_process", True):
        return ActionServer(**section)
    return InProcessActions(load_actions(ACTIONS_PACKAGE))


def own_sqlite_file(database: Database) -> object | None:
    """Makes this process the only one on an SQLite file; keep the result while it runs.

    Raises:
        ConfigurationError: Another process has it.
    """
    if not database.is_sqlite:
        return None
    name = database.engine.url.database
    lock = open(f"{name}.lock", "a+")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise ConfigurationError(
            "FRONTDESK_DATABASE_URL",
            f"another Frontdesk uses this file (process {holder or 'unknown'})",
            "Stop it, name another file, or use PostgreSQL, which many processes can share.",
            name,
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

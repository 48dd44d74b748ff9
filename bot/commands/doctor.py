"""`frontdesk doctor`: what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
import platform
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rasa.shared.exceptions import InvalidConfigException
from rich.console import Console

from bot import settings as configuration
from bot.bootstrap import connect_channels, connect_shop
from bot.commands.model import project_of
from bot.core.errors import ConfigurationError, FrontdeskError, ShopError
from bot.dialogue.logs import quieten_rasa
from bot.flow.time_limits import read_time_limits
from bot.model_files import current_model, newest_model
from bot.nlu.encoder_files import EncoderFiles
from bot.project import read_yaml
from bot.settings import Settings
from bot.store import accounts
from bot.store.database import Database
from bot.training import check

_PING_SECONDS = 5.0
_ENCODER = "SentenceEncoder"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `mend` says what to do about a problem, and is empty without one."""

    fact: str
    mend: str = ""
    serious: bool = True


Check = Callable[[Settings], Awaitable[list[Finding]]]


async def _python(_: Settings) -> list[Finding]:
    version = platform.python_version()
    if sys.version_info[:2] in {(3, 11), (3, 12)}:
        return [Finding(f"Python {version}")]
    return [Finding(f"Python {version}", "Use Python 3.11 or 3.12.")]


async def _configuration(settings: Settings) -> list[Finding]:
    check(project_of(settings))
    read_time_limits(read_yaml(settings.endpoints).get("handoff") or {})
    return [Finding("config.yml, domain.yml and data/ fit together")]


async def _model(settings: Settings) -> list[Finding]:
    project = project_of(settings)
    model = current_model(project)
    if model is not None:
        return [Finding(f"the model {model.name} fits the files")]
    old = newest_model(project)
    fact = f"the model {old.name} is older than the files" if old else "no model was trained yet"
    return [Finding(fact, "frontdesk train (frontdesk serve does it by itself).", serious=False)]


async def _encoder(settings: Settings) -> list[Finding]:
    """Whether the weights are those that the digests in the code name."""
    pipeline = read_yaml(settings.project_dir / "config.yml").get("pipeline") or []
    component = next((c for c in pipeline if str(c.get("name", "")).endswith(_ENCODER)), None)
    if component is None:
        return []
    try:
        files = EncoderFiles.find(component.get("model_dir"))
        for path in (files.model, files.tokenizer):
            files.check(path)
    except InvalidConfigException as error:
        return [Finding("the sentence encoder cannot be used", str(error))]
    return [Finding(f"the sentence encoder {files.identity[:8]} is complete and unaltered")]


async def _database(settings: Settings) -> list[Finding]:
    database = Database(settings.database_url)
    shown = database.engine.url.render_as_string(hide_password=True)
    try:
        await database.ping()
        if not await _has_tables(database):
            return [Finding(f"the database {shown} answers; its tables are made at start")]
        async with database.read() as connection:
            someone = await accounts.has_agents(connection)
        found = [Finding(f"the database {shown} answers")]
        if not someone:
            mend = 'frontdesk agent add you@shop.example --name "Your name"'
            found.append(Finding("nobody can log in to the desk", mend, serious=False))
        return found
    finally:
        await database.aclose()


async def _has_tables(database: Database) -> bool:
    async with database.read() as connection:
        return await connection.run_sync(lambda sync: sync.dialect.has_table(sync, "agent"))


async def _shop(settings: Settings) -> list[Finding]:
    shop = connect_shop(settings)
    if settings.is_demo_shop and not (settings.state_dir / "shop.db").exists():
        mend = "frontdesk seed (frontdesk serve does it by itself)."
        return [Finding("the demo shop is not seeded yet", mend, serious=False)]
    found = []
    try:
        for name, system in (("CRM", shop.crm), ("POS", shop.pos)):
            try:
                async with asyncio.timeout(_PING_SECONDS):
                    await system.prepare()
                    await system.ping()
                found.append(Finding(f"the {name} answers"))
            except (ShopError, TimeoutError) as error:
                mend = f"Check 'url' under '{name.lower()}' in endpoints.yml ({error})."
                found.append(Finding(f"the {name} does not answer", mend))
    finally:
        await shop.crm.close()
        await shop.pos.close()
    return found


async def _channels(settings: Settings) -> list[Finding]:
    channels = connect_channels(settings)
    for channel in channels.values():
        await channel.aclose()
    if not channels:
        return [Finding("no channel is connected", "Name one in credentials.yml.")]
    found = [Finding(f"channels: {', '.join(channels)}")]
    outside = [name for name in channels if name != "webchat"]
    if outside and not settings.public_url:
        mend = "Set FRONTDESK_PUBLIC_URL to the https address that platforms call."
        found.append(Finding(f"{', '.join(outside)} cannot reach a local address", mend))
    return found


async def _port(settings: Settings) -> list[Finding]:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", settings.port)) == 0:
            mend = "Is Frontdesk running already? Else choose another with --port."
            return [Finding(f"port {settings.port} is in use", mend, serious=False)]
    return [Finding(f"port {settings.port} is free")]


_CHECKS: list[Check] = [
    _python, _configuration, _encoder, _model, _database, _shop, _channels, _port,
]  # fmt: skip


async def examine(settings: Settings) -> list[Finding]:
    """Runs every check; a check that fails becomes a finding, and the others still run."""
    found: list[Finding] = []
    for each in _CHECKS:
        try:
            found += await each(settings)
        except ConfigurationError as error:
            found.append(Finding(f"{error.key} {error.problem}", error.next_step))
        except FrontdeskError as error:
            found.append(Finding(str(error), "See docs/settings.md."))
    return found


def run(database_url: str | None) -> bool:
    """Prints the findings.

    Returns:
        Whether nothing serious was found.
    """
    console = Console()
    quieten_rasa(40)
    try:
        settings = configuration.load(database_url=database_url)
        found = asyncio.run(examine(settings))
    except ConfigurationError as error:
        found = [Finding(f"{error.key} {error.problem}", error.next_step)]
    for finding in found:
        sign = "✓" if not finding.mend else ("✗" if finding.serious else "!")
        console.print(f"{sign} {finding.fact}", markup=False, soft_wrap=True)
        if finding.mend:
            console.print(f"    → {finding.mend}", markup=False, soft_wrap=True)
    return not any(f.mend and f.serious for f in found)

"""One run: replicas, traffic and kills, then the check."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bot.store.database import Database
from tests.crash import check
from tests.crash.fleet import Death, Fleet
from tests.crash.platform import Sender
from tests.crash.traffic import Kill, conversations, kills
from tests.standins.twilio import TwilioStandin

Report = Callable[[str], None]
_QUIET_SECONDS = 180.0
_STORM_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent, to how many replicas, with how many kills."""

    messages: int
    duplicates: float
    kills: int
    replicas: int
    conversations: int
    seed: int


@dataclass(slots=True)
class Outcome:
    """What a run showed.

    Attributes:
        figures: Numbers for the report, by name.
        violations: What must not be, by kind; empty when all is well.
    """

    figures: dict[str, Any]
    violations: dict[str, list[str]]
    deaths: list[Death] = field(default_factory=list)


async def crash(
    size: Size, database: str, folder: Path, report: Report, planned: Sequence[Kill] | None = None
) -> Outcome:
    """Sends messages while processes are killed.

    Args:
        planned: The kills; chosen by the seed without them.
        database: The URL of the database; other conversations in it are left alone.
        folder: For state and logs.
        report: Told how far it is, every few seconds.
    """
    random = Random(size.seed)
    lines = conversations(random, size.messages, size.conversations, size.duplicates)
    chosen = kills(random, size.kills, size.messages)
    planned = chosen if planned is None else list(planned)
    with TwilioStandin() as twilio:
        fleet = Fleet.of(folder, twilio, database, size.replicas)
        sender = Sender(twilio, fleet.webhooks, random)
        try:
            fleet.start(planned[0] if planned else None)
            await fleet.wait_ready()

            async def traffic() -> None:
                killing = fleet.kill(planned, random, lambda: sender.acknowledged)
                await asyncio.gather(killing, sender.send_all(lines))

            return await _observed(traffic(), fleet, sender, database, report)
        finally:
            fleet.end()


async def storm(
    ids: int, copies: int, replicas: int, database: str, folder: Path, report: Report
) -> Outcome:
    """Sends each message so many times at the same moment, to all replicas in turn; nobody dies."""
    with TwilioStandin() as twilio:
        fleet = Fleet.of(folder, twilio, database, replicas)
        sender = Sender(twilio, fleet.webhooks, Random(0))
        try:
            fleet.start()
            await fleet.wait_ready()
            outcome = await _observed(
                sender.storm(ids, copies, _STORM_AT_ONCE), fleet, sender, database, report
            )
        finally:
            fleet.end()
    if outcome.figures["turns"] != ids:
        outcome.violations["turns"] = [f"{outcome.figures['turns']} turns for {ids} messages"]
    return outcome


async def _observed(
    traffic: Awaitable[None], fleet: Fleet, sender: Sender, database: str, report: Report
) -> Outcome:
    started = time.monotonic()
    reporter = asyncio.create_task(_report(fleet, sender, report, started))
    opened = Database(database)
    try:
        await traffic
        sent = time.monotonic()
        await _settle(opened, fleet, sender)
        settled = time.monotonic()
        fleet.revive()
        stored = await check.read(opened, sender.sent)
    finally:
        reporter.cancel()
        await opened.aclose()
    await fleet.stop()
    received = [m for m in sender.twilio.record.messages if m.direction == "outbound-api"]
    found = check.check(sender.sent, stored, received)
    seconds = {"sending": sent - started, "until_quiet": settled - started}
    return _outcome(found, fleet, sender, len(received), seconds)


async def _report(fleet: Fleet, sender: Sender, report: Report, started: float) -> None:
    while True:
        await asyncio.sleep(10)
        report(
            f"{time.monotonic() - started:.0f} s: {sender.acknowledged} acknowledged, "
            f"{len(fleet.deaths)} kills"
        )


async def _settle(database: Database, fleet: Fleet, sender: Sender) -> None:
    """Waits until nothing is left to do; what never ends shows in the check."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while time.monotonic() < deadline:
        fleet.revive()
        if await check.quiet(database, sender.sent):
            return
        await asyncio.sleep(0.2)


def _outcome(
    found: check.Found, fleet: Fleet, sender: Sender, received: int, seconds: dict[str, float]
) -> Outcome:
    sent = [message for messages in sender.sent.values() for message in messages]
    figures = {
        "messages": len(sent),
        "acknowledged": sum(message.acknowledged for message in sent),
        "webhooks": sum(message.attempts for message in sent),
        "kills": len(fleet.deaths),
        "turns": found.turns,
        "answers": received,
        **{kind: len(listed) for kind, listed in asdict(found).items() if isinstance(listed, list)},
        "resent": found.resent,
        "acknowledged_p50_ms": round(1000 * statistics.median(sender.seconds or [0]), 1),
        "acknowledged_p99_ms": round(1000 * _percentile(sender.seconds, 0.99), 1),
        **{f"{name}_s": round(value, 1) for name, value in seconds.items()},
    }
    never = ("lost", "unanswered", "double_turns", "reordered", "unrecorded")
    violations = {kind: getattr(found, kind) for kind in never if getattr(found, kind)}
    if len(found.duplicates) > len(fleet.deaths):
        violations["duplicates"] = found.duplicates
    if fleet.surprises:
        violations["ended"] = fleet.surprises
    return Outcome(figures, violations, fleet.deaths)


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

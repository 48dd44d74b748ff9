"""`frontdesk benchmark turns`"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import platform
import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from bot.benchmarking.server import Launch
from bot.benchmarking.turns import Figures, Level, Plan, measure
from bot.commands.model import project_of, trained_model
from bot.core.errors import ConfigurationError
from bot.evaluation.benchmark import machine
from bot.settings import Settings

_PACKAGES = ("rasa", "sqlalchemy", "fastapi", "uvicorn", "onnxruntime")


def levels(concurrent: str) -> list[int]:
    """The numbers in ``1,20,200``.

    Raises:
        ConfigurationError: One is not a number above 0.
    """
    found = [part.strip() for part in concurrent.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in found):
        raise ConfigurationError(
            "--concurrent", "is not a list of numbers", "Write for instance 1,20,200.", concurrent
        )
    return [int(part) for part in found]


def run(settings: Settings, database_url: str, workers: int, plan: Plan, out: Path | None) -> None:
    """Measures a server of its own and prints a table.

    Args:
        settings: Where the assistant and its model are.
        database_url: An empty database; the empty string for SQLite.
        workers: Processes of the server.
        plan: How much load.
        out: Where all figures are written; None for nowhere.

    Raises:
        FrontdeskError: The server does not start, or a long conversation was not answered.
    """
    if workers > 1 and not database_url.startswith("postgres"):
        raise ConfigurationError("--workers", "needs PostgreSQL", "Name one by --database-url.")
    root = project_of(settings).root.resolve()
    model = trained_model(settings).resolve()
    launch = Launch(root, settings.endpoints.resolve(), model, database_url, workers)
    with Console(stderr=True).status("") as status:
        figures = asyncio.run(
            measure(launch, plan, lambda stage: status.update(f"Turns: {stage}…"))
        )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        facts = _as_json(figures, database_url)
        out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    _print(figures)


def _as_json(figures: Figures, database_url: str) -> dict[str, Any]:
    derived = ("per_second", "cpu_ms_per_message", "per_core_second")
    return {
        "command": _command(database_url),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        **asdict(figures),
        "levels": [
            asdict(level) | {name: getattr(level, name) for name in derived}
            for level in figures.levels
        ],
    }


def _command(database_url: str) -> str:
    """The command line, without the database's password."""
    line = shlex.join(["frontdesk", *sys.argv[1:]])
    password = urlsplit(database_url).password
    return line.replace(f":{password}@", ":…@") if password else line


def _print(figures: Figures) -> None:
    processes = "1 process" if figures.workers == 1 else f"{figures.workers} processes"
    table = Table(
        title=f"Turns: {processes}, {figures.database}; ready after "
        f"{figures.ready_seconds:.1f} s with {figures.idle_mb:.0f} MB"
    )
    table.add_column("Customers at once")
    for level in figures.levels:
        table.add_column(str(level.concurrent), justify="right")
    cells = [_cells(level) for level in figures.levels]
    for label in cells[0]:
        table.add_row(label, *(column[label] for column in cells))
    console = Console()
    console.print(table)
    if not figures.long:
        return
    turns = Table("Events in the conversation", title="A turn in a long conversation")
    for long in figures.long:
        turns.add_column(f"{long.events:,}", justify="right")
    turns.add_row("First turn, ms", *(f"{long.first_ms:.0f}" for long in figures.long))
    turns.add_row("All turns: p50, ms", *(f"{long.p50_ms:.0f}" for long in figures.long))
    console.print(turns)


def _cells(level: Level) -> dict[str, str]:
    cells = {
        "Messages answered": str(level.messages),
        "Messages a second": f"{level.per_second:.1f}",
    }
    for name, times in (("Acknowledged", level.acknowledged), ("Answered", level.answered)):
        for key, value in asdict(times).items():
            cells[f"{name}: {key.removesuffix('_ms')}, ms"] = _number(value)
    return cells | {
        "Errors": str(sum(level.errors.values())),
        "Processor time a message, ms": _number(level.cpu_ms_per_message),
        "Messages a second and core": _number(level.per_core_second),
        "Resident memory, MB": _number(level.resident_mb),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"

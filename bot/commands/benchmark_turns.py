"""`frontdesk benchmark turns`"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from bot.benchmarking.server import Launch
from bot.benchmarking.stock.environment import Environment
from bot.benchmarking.stock.model import trained
from bot.benchmarking.stock.server import StockLaunch
from bot.benchmarking.stock.turns import NAME, Understood
from bot.benchmarking.stock.turns import measure as measure_stock
from bot.benchmarking.turns import Figures, Plan, measure
from bot.commands import turns_table
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


@dataclass(frozen=True, slots=True)
class Stock:
    """Stock Rasa, measured beside ours.

    Attributes:
        figures: Of the same load.
        epochs: How long DIET and TED learned.
        versions: Of what it ran on.
        understood: What became of each question.
    """

    figures: Figures
    epochs: int
    versions: dict[str, str]
    understood: dict[str, Understood | None]


def run(
    settings: Settings,
    database_url: str,
    workers: int,
    plan: Plan,
    versus: str | None,
    epochs: int,
    out: Path | None,
) -> None:
    """Measures a server of its own, and stock Rasa if asked to, and prints a table.

    Args:
        settings: Where the assistant and its model are.
        database_url: An empty database; the empty string for SQLite.
        workers: Processes of the server.
        plan: How much load.
        versus: ``stock-rasa``, or None for ours alone.
        epochs: Of what stock Rasa trains in epochs.
        out: Where all figures are written; None for nowhere.

    Raises:
        FrontdeskError: A server or stock Rasa's environment is missing or does not start, or a long
            conversation was not answered.
    """
    if workers > 1 and not database_url.startswith("postgres"):
        raise ConfigurationError("--workers", "needs PostgreSQL", "Name one by --database-url.")
    if versus not in (None, NAME):
        raise ConfigurationError("--vs", "nothing of that name", f"Give {NAME}.", versus)
    environment = Environment.find() if versus else None
    project, endpoints = project_of(settings), settings.endpoints.resolve()
    model = trained_model(settings).resolve()
    launch = Launch(project.root.resolve(), endpoints, model, database_url, workers)
    with Console(stderr=True).status("") as status:
        stock, theirs = None, None
        if environment is not None:
            # Before anything is measured: it takes both cores.
            status.update("Stock Rasa: training, unless that was done…")
            its_model = trained(project, environment, epochs)
            theirs = StockLaunch(environment, its_model, endpoints)
        figures = asyncio.run(
            measure(launch, plan, lambda stage: status.update(f"Turns: {stage}…"))
        )
        if theirs is not None:
            found, understood = asyncio.run(
                measure_stock(theirs, plan, lambda stage: status.update(f"Stock Rasa: {stage}…"))
            )
            stock = Stock(found, epochs, theirs.environment.versions, understood)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        facts = as_json(figures, stock, database_url)
        out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    turns_table.show(figures, stock.figures if stock else None, Console())


def as_json(figures: Figures, stock: Stock | None, database_url: str) -> dict[str, Any]:
    """All that was measured, and where; stock Rasa's part is ``versus``."""
    facts = {
        "command": _command(database_url),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        **_figures(figures),
    }
    if stock is not None:
        facts["versus"] = {
            NAME: {
                "versions": stock.versions,
                "epochs": stock.epochs,
                "understood": {q: u and asdict(u) for q, u in stock.understood.items()},
                **_figures(stock.figures),
            }
        }
        facts["times_stock_per_core_second"] = turns_table.ratios(figures, stock.figures)
    return facts


def _figures(figures: Figures) -> dict[str, Any]:
    derived = ("per_second", "cpu_ms_per_message", "per_core_second")
    levels = [
        asdict(level) | {name: getattr(level, name) for name in derived} for level in figures.levels
    ]
    return asdict(figures) | {"levels": levels}


def _command(database_url: str) -> str:
    """The command line, without the database's password."""
    line = shlex.join(["frontdesk", *sys.argv[1:]])
    password = urlsplit(database_url).password
    return line.replace(f":{password}@", ":…@") if password else line

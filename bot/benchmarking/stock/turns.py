"""Stock Rasa under the same load, with the same figures."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from bot.benchmarking.customer import QUESTIONS, UnansweredError
from bot.benchmarking.stock.customer import events, lengthen, visiting
from bot.benchmarking.stock.server import StockLaunch, serving
from bot.benchmarking.turns import Figures, Load, Plan, Report, under_load

NAME = "stock-rasa"


@dataclass(frozen=True, slots=True)
class Understood:
    """What became of one of the questions.

    Attributes:
        intent: As which it was understood.
        confidence: How surely, 0 to 1.
        actions: What answered it.
    """

    intent: str
    confidence: float
    actions: list[str]


async def measure(
    launch: StockLaunch, plan: Plan, report: Report
) -> tuple[Figures, dict[str, Understood | None]]:
    """Starts stock Rasa, lets customers write to it, and stops it.

    Args:
        launch: What to start.
        plan: How much load.
        report: Is told what is done now.

    Returns:
        The figures; and what became of each question, asked once before the load. None: of nothing.

    Raises:
        ConfigurationError: A process does not start.
        UnansweredError: A long conversation was not answered.
    """
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        report("starting the server")
        async with (
            serving(launch, Path(name)) as server,
            aiohttp.ClientSession(server.url, timeout=aiohttp.ClientTimeout(total=60)) as http,
        ):
            understood = await _understood(http)
            load = Load(visiting, partial(lengthen, http))
            return await under_load(server, load, plan, report, "sqlite"), understood


async def _understood(http: aiohttp.ClientSession) -> dict[str, Understood | None]:
    found: dict[str, Understood | None] = {}
    async with visiting(http) as customer:
        for question in QUESTIONS:
            try:
                await customer.ask(question)
            except UnansweredError:
                found[question] = None
                continue
            turn = await events(http, customer.conversation)
            last = max(i for i, event in enumerate(turn) if event["event"] == "user")
            intent = turn[last]["parse_data"]["intent"]
            acts = [e["name"] for e in turn[last:] if e["event"] == "action"]
            found[question] = Understood(
                intent["name"], intent["confidence"], [n for n in acts if n != "action_listen"]
            )
    return found

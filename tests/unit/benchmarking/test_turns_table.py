"""The table of `frontdesk benchmark turns`, and its JSON."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bot.benchmarking.long import Long
from bot.benchmarking.stock.turns import Understood
from bot.benchmarking.turns import Figures, Level, Percentiles
from bot.commands.benchmark_turns import Stock, as_json
from bot.commands.turns_table import ratios, show

NOTHING = Percentiles(None, None, None)


def _level(concurrent: int, messages: int, cpu_seconds: float, **errors: int) -> Level:
    answered = Percentiles.of([0.012]) if messages else NOTHING
    return Level(concurrent, messages, errors, 10.0, NOTHING, answered, cpu_seconds, 500.0)


OURS = Figures(
    "postgresql",
    2,
    8.0,
    7.0,
    450.0,
    [_level(1, 100, 2.0), _level(20, 100, 4.0)],
    [Long(10, 16, 20, 10, 12)],
)
STOCK = replace(
    OURS,
    database="sqlite",
    workers=1,
    levels=[_level(1, 100, 20.0), _level(20, 0, 20.0, TimeoutError=20)],
    long=[Long(10, 16, 300, 200, 250)],
)


def printed(stock: Figures | None) -> str:
    page = io.StringIO()
    show(OURS, stock, Console(file=page, width=160))
    return page.getvalue()


def test_ours_alone() -> None:
    page = printed(None)
    assert "2 processes, postgresql; ready after 8.0 s with 450 MB" in " ".join(page.split())
    assert "tock" not in page


def test_side_by_side() -> None:
    page = printed(STOCK)
    lines = {line.split("│")[1].strip(): line for line in page.splitlines() if "│" in line}
    cells = {name: [c.strip() for c in line.split("│")[2:-1]] for name, line in lines.items()}
    assert cells["Messages a second and core"] == ["50.0", "5.0", "25.0", "–"]
    assert cells["… as many as stock Rasa"] == ["10.0×", "1×", "–", "1×"]
    assert cells["Acknowledged: p50, ms"] == ["–"] * 4
    assert cells["Answered: p50, ms"] == ["12.0", "12.0", "12.0", "–"]
    assert cells["Errors"] == ["0", "0", "0", "20"]
    assert cells["First turn, ms"] == ["20"]
    assert cells["Stock Rasa: First turn, ms"] == ["300"]
    assert "Stock Rasa: sqlite; ready after" in page


def test_ratios_are_of_messages_a_second_and_core() -> None:
    assert ratios(OURS, STOCK) == [pytest.approx(10.0), None]


def test_the_json_holds_both() -> None:
    understood = {"hello": Understood("greet", 0.9, ["utter_greet"]), "how?": None}
    facts = as_json(OURS, Stock(STOCK, 5, {"rasa": "3.6.21"}, understood), "")
    stock = facts["versus"]["stock-rasa"]
    assert (facts["database"], stock["database"]) == ("postgresql", "sqlite")
    assert stock["levels"][1]["errors"] == {"TimeoutError": 20}
    assert stock["levels"][0]["per_core_second"] == 5.0
    assert stock["understood"]["hello"]["intent"] == "greet"
    assert stock["understood"]["how?"] is None
    assert (stock["epochs"], stock["versions"]) == (5, {"rasa": "3.6.21"})
    assert facts["times_stock_per_core_second"] == [pytest.approx(10.0), None]
    assert "versus" not in as_json(OURS, None, "")

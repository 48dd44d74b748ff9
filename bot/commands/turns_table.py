"""The tables of `frontdesk benchmark turns`."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bot.benchmarking.turns import Figures, Level


def show(ours: Figures, stock: Figures | None, console: Console) -> None:
    """Prints them; where stock Rasa was measured, each of its columns stands beside ours."""
    console.print(_levels(ours, stock))
    if ours.long:
        console.print(_long(ours, stock))


def ratios(ours: Figures, stock: Figures) -> list[float | None]:
    """For each level, how many times stock Rasa's messages a second and core ours are.

    None where either answered nothing.
    """
    return [_ratio(mine, its) for mine, its in zip(ours.levels, stock.levels, strict=True)]


def _ratio(ours: Level, stock: Level) -> float | None:
    if ours.per_core_second is None or stock.per_core_second is None:
        return None
    return ours.per_core_second / stock.per_core_second


def _levels(ours: Figures, stock: Figures | None) -> Table:
    processes = "1 process" if ours.workers == 1 else f"{ours.workers} processes"
    title = f"Turns: {processes}, {ours.database}; {_start(ours)}"
    if stock is not None:
        title += f"\nStock Rasa: {stock.database}; {_start(stock)}"
    table = Table(title=title)
    table.add_column("Customers at once")
    columns: list[dict[str, str]] = []
    for number, level in enumerate(ours.levels):
        table.add_column(str(level.concurrent), justify="right")
        columns.append(_cells(level))
        if stock is not None:
            table.add_column(f"{level.concurrent}\nstock", justify="right")
            columns.append(_cells(stock.levels[number]))
    for label in columns[0]:
        table.add_row(label, *(column[label] for column in columns))
    if stock is not None:
        times = [_times(ratio) for ratio in ratios(ours, stock)]
        table.add_row("… as many as stock Rasa", *(cell for each in times for cell in (each, "1×")))
    return table


def _start(figures: Figures) -> str:
    return f"ready after {figures.ready_seconds:.1f} s with {figures.idle_mb:.0f} MB"


def _long(ours: Figures, stock: Figures | None) -> Table:
    table = Table("Events in the conversation", title="A turn in a long conversation")
    for long in ours.long:
        table.add_column(f"{long.events:,}", justify="right")
    for name, figures in (("", ours), ("Stock Rasa: ", stock)):
        if figures is None:
            continue
        table.add_row(f"{name}First turn, ms", *(f"{long.first_ms:.0f}" for long in figures.long))
        cells = (f"{long.p50_ms:.0f}, {long.p95_ms:.0f}" for long in figures.long)
        table.add_row(f"{name}Turns after it: p50, p95, ms", *cells)
    return table


def _cells(level: Level) -> dict[str, str]:
    cells = {
        "Messages answered": str(level.messages),
        "Errors": str(sum(level.errors.values())),
        "Messages a second": f"{level.per_second:.1f}",
    }
    for name, times in (("Acknowledged", level.acknowledged), ("Answered", level.answered)):
        for key, value in asdict(times).items():
            cells[f"{name}: {key.removesuffix('_ms')}, ms"] = _number(value)
    return cells | {
        "Resident memory, MB": _number(level.resident_mb),
        "Processor time a message, ms": _number(level.cpu_ms_per_message),
        "Messages a second and core": _number(level.per_core_second),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.1f}×"

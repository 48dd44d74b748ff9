"""Progress of trainings in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.evaluation.runner import Progress as Report


@contextmanager
def shown(label: str, trainings: int = 1) -> Iterator[Report]:
    """A bar on standard error, moved by what it is told of a worker's progress.

    Args:
        label: What is trained.
        trainings: How many times; with one, they are not counted.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{label}: starting", total=None)

        def report(line: dict[str, Any]) -> None:
            number = f" {line['run'] + 1} of {trainings}" if trainings > 1 else ""
            stage = "asking" if line["stage"] == "ask" else "training"
            bar.update(
                task,
                description=f"{label}{number}: {stage}",
                total=line.get("of"),
                completed=line.get("done", 0),
            )

        yield report
        bar.update(task, description=f"{label}: done", total=1, completed=1)

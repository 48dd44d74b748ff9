"""`frontdesk benchmark`"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.commands.progress import shown
from bot.core.errors import ConfigurationError
from bot.evaluation.benchmark import Data, Figures, Spread, as_json, by_pipeline, measure, summary
from bot.evaluation.examples import Example, digest, read_csv
from bot.evaluation.pipelines import Pipeline, interpreter, known_pipeline, read_pipeline

_PERCENT = {"accuracy", "macro_f1", "ece", "auroc", "caught_at_95"}
_ROWS = {
    "accuracy": "Accuracy, %",
    "macro_f1": "Macro-F1, %",
    "ece": "Calibration error (ECE), %",
    "auroc": "Out of scope: AUROC, %",
    "caught_at_95": "Out of scope: caught at 95 % acceptance, %",
    "train_seconds": "Training, s",
    "p50_ms": "One message, one thread: p50, ms",
    "p95_ms": "One message, one thread: p95, ms",
    "peak_mb": "Peak memory, MB",
    "added_mb": "… of it for model and messages, MB",
}


@dataclass(frozen=True, slots=True)
class Files:
    """The CSV files to measure on."""

    train: Path
    test: Path
    strange: Path | None

    def read(self) -> Data:
        """Their messages.

        Raises:
            ConfigurationError: One is broken; names the line.
        """
        strange: list[Example] = read_csv(self.strange, labelled=False) if self.strange else []
        return Data(read_csv(self.train), read_csv(self.test), strange)

    def facts(self) -> dict[str, Any]:
        """Their names and digests."""
        named = {"train": self.train, "test": self.test, "out_of_scope": self.strange}
        return {k: {"file": p.name, "sha256": digest(p)} for k, p in named.items() if p}


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to train, and on how much.

    Attributes:
        per_intent: Examples of each intent; None for all.
        seeds: How many choices of them to average over.
    """

    per_intent: int | None
    seeds: int

    def __post_init__(self) -> None:
        if self.per_intent is None and self.seeds > 1:
            raise ConfigurationError(
                "--seeds", "needs --few: all examples are one choice only", "Give both or none."
            )


def nlu(
    files: Files, plan: Plan, config: Path, others: Sequence[str], epochs: int, out: Path | None
) -> None:
    """Measures the pipeline of `config` and the others on the same data, and prints a table.

    Raises:
        ConfigurationError: A file is broken or a pipeline cannot run here.
        ModelError: A training failed.
    """
    pipelines = [read_pipeline(config, "frontdesk")]
    pipelines += [known_pipeline(name, epochs) for name in others]
    for pipeline in pipelines:
        interpreter(pipeline)  # what cannot run should say so before the others take their time
    data = files.read()
    runs = list(_measured(pipelines, data, plan))
    if out is not None:
        _write(out, files, runs)
    _print(runs, data)


def _measured(pipelines: Sequence[Pipeline], data: Data, plan: Plan) -> Iterator[Figures]:
    for seed in range(plan.seeds):
        for pipeline in pipelines:
            label = pipeline.name if plan.per_intent is None else f"{pipeline.name}, seed {seed}"
            with shown(label) as report:
                yield measure(pipeline, data, report, plan.per_intent, seed)


def _write(out: Path, files: Files, runs: Sequence[Figures]) -> None:
    facts = {
        "command": shlex.join(["frontdesk", *sys.argv[1:]]),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": files.facts(),
        **as_json(runs),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _print(runs: Sequence[Figures], data: Data) -> None:
    found = {name: summary(own) for name, own in by_pipeline(runs)}
    learned = runs[0].examples
    table = Table(
        title=f"{learned} examples learned, {len(data.test)} messages asked, "
        f"{len(data.strange)} out of scope"
    )
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    for key, label in _ROWS.items():
        spreads = [figures[key] for figures in found.values()]
        if any(spreads):
            table.add_row(label, *(_cell(key, spread) for spread in spreads))
    Console().print(table)


def _cell(key: str, spread: Spread | None) -> str:
    if spread is None:
        return "–"
    scale = 100 if key in _PERCENT else 1
    shown = f"{spread.mean * scale:.1f}"
    return f"{shown} ± {spread.deviation * scale:.1f}" if spread.deviation else shown

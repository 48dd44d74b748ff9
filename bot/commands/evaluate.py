"""`frontdesk evaluate`"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.commands.model import project_of
from bot.commands.progress import shown
from bot.evaluation.advice import Advice, advise
from bot.evaluation.assistant import Sources, ask
from bot.evaluation.figures import Figures
from bot.evaluation.findings import find
from bot.evaluation.metrics import percent
from bot.evaluation.neighbours import Neighbours
from bot.evaluation.pipelines import read_pipeline
from bot.evaluation.report import Report
from bot.project import read_yaml
from bot.settings import Settings

_HELD_OUT, _STRANGE = Path("tests/nlu/held_out"), Path("tests/nlu/out_of_scope.yml")
_ROWS = {
    "First choice right": "accuracy",
    "Macro-F1": "macro_f1",
    "Answered right": "right",
    "Asked back": "asked",
    "Answered wrong": "wrong",
    "Calibration error": "ece",
}


def run(
    settings: Settings, folds: int, held_out: Path | None, strange: Path | None, out: Path
) -> None:
    """Evaluates the assistant, prints what counts and writes the report.

    Args:
        settings: Where the assistant is.
        folds: How many parts cross-validation makes.
        held_out, strange: Test messages; None for the usual places, where they exist.
        out: The report's folder.

    Raises:
        ConfigurationError: A file is missing or broken.
        ModelError: A training failed.
    """
    root = project_of(settings).root
    config = root / "config.yml"
    pipeline = read_pipeline(config, "the assistant")
    sources = Sources(root, held_out or _usual(root, _HELD_OUT), strange or _usual(root, _STRANGE))
    trainings = folds + bool(sources.held_out or sources.strange)
    with shown("Model", trainings) as report:
        answers = ask(sources, pipeline, folds, report)
    figures = Figures.of(answers)
    neighbours = Neighbours.of(answers.examples, pipeline)
    findings = find(answers.examples, answers.folds, neighbours)
    advice = advise(figures, findings)
    title = str(read_yaml(config).get("assistant_id") or root.resolve().name)
    now = datetime.now(UTC)
    page = Report(title, now, pipeline.components, folds, answers, figures, findings, advice).write(
        out
    )
    _print(figures, advice, page)


def _usual(root: Path, path: Path) -> Path | None:
    return root / path if (root / path).exists() else None


def _print(figures: Figures, advice: list[Advice], page: Path) -> None:
    console = Console()
    table = Table("", title=f"{figures.examples} examples in {figures.intents} intents")
    sets = {"cross-validation": figures.folds, "kept aside": figures.held_out}
    there = {name: each for name, each in sets.items() if each is not None}
    for name in there:
        table.add_column(name, justify="right")
    for label, key in _ROWS.items():
        table.add_row(label, *(percent(getattr(each, key)) for each in there.values()))
    if any(each.entities for each in there.values()):
        scores = [percent(s[""].f1) if (s := each.entities) else "–" for each in there.values()]
        table.add_row("Entities, F1", *scores)
    table.add_row("Messages", *(str(each.messages) for each in there.values()))
    console.print(table)
    if figures.scope is not None:
        scope = figures.scope
        console.print(
            f"Out of scope: {percent(scope.not_answered)} of {scope.messages} not answered"
        )
    console.print(f"One message: median {figures.median_ms:.1f} ms")
    for number, each in enumerate(advice, start=1):
        console.print(f"{number}. {each.title}", markup=False)
    console.print(f"The report: {page}", markup=False, soft_wrap=True)

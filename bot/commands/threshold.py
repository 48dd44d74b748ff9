"""`frontdesk threshold`"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.shared.nlu.training_data.loading import load_data
from rasa.utils.endpoints import EndpointConfig
from rich.console import Console
from rich.table import Table

from bot.commands.model import trained_model
from bot.commands.threshold_picture import Series, draw
from bot.core.decision import FOREIGN, Costs, Guess
from bot.core.errors import ConfigurationError
from bot.core.tradeoff import Case, Outcome, curve, outcome
from bot.dialogue.brain import Brain
from bot.dialogue.escalation_config import costs_of, table_of_costs
from bot.dialogue.logs import quieten_rasa
from bot.project import read_yaml
from bot.settings import Settings
from bot.store import understood
from bot.store.database import Database
from bot.store.migrate import migrate

HELD_OUT, OUT_OF_SCOPE = Path("tests/nlu/held_out"), Path("tests/nlu/out_of_scope.yml")
PICTURE = Path("results/threshold.svg")
_FORMATS = (".svg", ".png")
_LOGGED_AT_MOST = 20_000
_SINGLE = "wrong_answer_of."
_COLUMNS = (
    "answered right", "answered wrong", "asked, and helped", "asked in vain, then a human",
    "handed over at once",
)  # fmt: skip

console = Console()


@dataclass(frozen=True, slots=True)
class Source:
    """Messages of one origin.

    Attributes:
        name: What they are called in table and picture.
        cases: The messages.
        note: What the reader must know of the numbers.
    """

    name: str
    cases: Sequence[Case]
    note: str


def run(
    settings: Settings,
    changes: Sequence[str],
    held_out: Path | None,
    out_of_scope: Path | None,
    out: Path | None,
) -> None:
    """Prints the tables, says what the changes would do, and draws the picture.

    Raises:
        ConfigurationError: A file, a key or a value is wrong.
    """
    quieten_rasa(logging.ERROR)
    root = settings.project_dir
    picture = _picture(out or root / PICTURE)
    table = table_of_costs(read_yaml(root / "config.yml"))
    today, then = costs_of(table), costs_of(_changed(table, changes))
    files = (held_out or root / HELD_OUT, out_of_scope or root / OUT_OF_SCOPE)
    examples = _examples(*files, asked_for=(held_out is not None, out_of_scope is not None))
    model = trained_model(settings) if examples else None
    sources = asyncio.run(_sources(settings, model, examples))
    if not sources:
        console.print("There are no messages to judge by: none held out, and none logged.")
        return
    _check_intents(changes, sources)
    for source in sources:
        show(source, today, then if changes else None, changes)
    draw(picture, [Series(each.name, curve(each.cases, today)) for each in sources], today.caution)
    console.print(f"The picture: {picture}", soft_wrap=True)


# --- where the messages come from ---


def _examples(
    held_out: Path, out_of_scope: Path, asked_for: tuple[bool, bool]
) -> list[tuple[str, str]]:
    """Intent and text of each message that training never saw."""
    examples = []
    for path, foreign, named in (
        (held_out, False, asked_for[0]),
        (out_of_scope, True, asked_for[1]),
    ):
        if path.exists():
            for message in load_data(str(path)).intent_examples:
                intent = FOREIGN if foreign else str(message.get("intent"))
                examples.append((intent, str(message.get("text"))))
        elif named:
            raise ConfigurationError(
                "--out-of-scope" if foreign else "--held-out",
                "there is no such file or folder",
                "Name training data in Rasa's format.",
                str(path),
            )
    return examples


async def _sources(
    settings: Settings, model: Path | None, examples: Sequence[tuple[str, str]]
) -> list[Source]:
    database = Database(settings.database_url)
    try:
        await migrate(database)
        async with database.read() as connection:
            logged = await understood.latest(connection, _LOGGED_AT_MOST)
        found = []
        if model is not None:
            with console.status("Reading the messages…"):
                brain = Brain.load(model, database, EndpointConfig())
                kept = [
                    Case(ranking_of(await brain.parse(text)), intent) for intent, text in examples
                ]
            found.append(Source("Held out", kept, _held_out_note(kept)))
    finally:
        await database.aclose()
    cases = logged_cases(logged)
    if cases:
        known = sum(case.meant is not None for case in cases)
        found.append(Source("Logged", cases, _LOGGED_NOTE.format(known=known, all=len(cases))))
    return found


def _held_out_note(cases: Sequence[Case]) -> str:
    foreign = sum(case.meant == FOREIGN for case in cases)
    return (
        f"Each counts as the first of its conversation. {foreign} belong to no intent: for them "
        "every answer is wrong and every question in vain."
    )


_LOGGED_NOTE = (
    "Estimated: of {all} messages, {known} are known by the button that was pressed after "
    '"did you mean"; for the others the probabilities are believed.'
)


def ranking_of(data: Any) -> list[Guess]:
    """The guesses in a parse result, or in what was stored of one."""
    ranked = data.get("intent_ranking") or data.get("ranking") or []
    return [(str(each["name"]), float(each["confidence"])) for each in ranked]


def logged_cases(logged: Sequence[understood.Understood]) -> list[Case]:
    """The messages on which the bot decided by their numbers; forms and small talk are left out."""
    cases = []
    for number, line in enumerate(logged):
        decision = line.data.get("decision")
        if not isinstance(decision, dict) or not decision.get("weighed"):
            continue
        after = logged[number + 1] if number + 1 < len(logged) else None
        same = after is not None and after.conversation == line.conversation
        meant = str(after.data.get("intent")) if after and same and after.pressed else None
        offered = {each["intent"] for each in decision.get("offered") or []}
        answered = decision.get("kind") == "ask" and meant in offered
        cases.append(
            Case(ranking_of(line.data), meant if answered else None, decision.get("signals") or {})
        )
    return cases


# --- what would change ---


def _changed(table: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """The table with the values of ``--set``."""
    new = {**table, "wrong_answer_of": dict(table.get("wrong_answer_of") or {})}
    for change in changes:
        key, found, value = change.partition("=")
        try:
            minutes = float(value)
        except ValueError:
            found = ""
        if not found:
            raise ConfigurationError(
                "--set", "is no change of a cost", "Write it like caution=1.5.", change
            )
        if key.startswith(_SINGLE):
            new["wrong_answer_of"][key.removeprefix(_SINGLE)] = minutes
        else:
            new[key] = minutes
    return new


def _check_intents(changes: Sequence[str], sources: Sequence[Source]) -> None:
    known = {name for source in sources for case in source.cases for name, _ in case.ranking}
    for change in changes:
        intent = change.partition("=")[0].removeprefix(_SINGLE)
        if change.startswith(_SINGLE) and intent not in known:
            raise ConfigurationError(
                "--set", "names an intent that no message could have", "Correct it.", change
            )


# --- what is printed ---


def show(source: Source, today: Costs, then: Costs | None, changes: Sequence[str]) -> None:
    """One source: its table, and what the changes would do."""
    table = Table(title=f"{source.name}: {len(source.cases)} messages", title_justify="left")
    table.add_column("caution", justify="right")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for caution, result in curve(source.cases, today):
        now = caution == today.caution
        table.add_row(
            f"{caution:g}{' (now)' if now else ''}", *_shares(result), style="bold" if now else ""
        )
    console.print(table)
    console.print(source.note, style="dim")
    if then is not None:
        before, after = (outcome(source.cases, costs) for costs in (today, then))
        console.print(f"With {', '.join(changes)}: {difference(before, after)}.")


def _shares(result: Outcome) -> list[str]:
    parts = (result.right, result.wrong, result.helped, result.missed, result.handed_over)
    return [f"{part / result.total:.1%}" for part in parts]


def difference(before: Outcome, after: Outcome) -> str:
    """What changes from one outcome to another, for a hundred messages."""
    parts = (
        ("wrong answers", before.wrong, after.wrong),
        ("questions", before.asked, after.asked),
        ("messages that end with a human", before.humans, after.humans),
    )
    return "; ".join(
        f"{name} {old / before.total:.1%} → {new / after.total:.1%}"
        f" ({(new - old) / after.total * 100:+.1f} of 100 messages)"
        for name, old, new in parts
    )


def _picture(path: Path) -> Path:
    if path.suffix not in _FORMATS:
        raise ConfigurationError(
            "--out", "is neither .svg nor .png", "Name a file such as threshold.svg.", str(path)
        )
    return path

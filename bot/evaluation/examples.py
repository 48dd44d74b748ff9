"""Labelled messages from CSV files, read strictly: a silent mistake would become a wrong figure."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import ConfigurationError

_LABELS = ("intent", "category")


@dataclass(frozen=True, slots=True)
class Example:
    """A message, and the intent it belongs to; an empty one where that is not known."""

    text: str
    intent: str


def read_csv(path: Path, *, labelled: bool = True) -> list[Example]:
    """Reads a CSV file with the columns ``text`` and ``intent`` (or ``category``), in UTF-8.

    Args:
        path: The file.
        labelled: Whether the second column must be there; else it is not read.

    Raises:
        ConfigurationError: Names the file, the line and what to mend.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            label = _label(path, rows.fieldnames or [], labelled)
            found = [_example(path, rows.line_num, row, label) for row in rows]
    except OSError as error:
        raise ConfigurationError(
            str(path), f"cannot be read ({error.strerror})", "Name a CSV file."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            str(path), f"is not UTF-8 (at byte {error.start})", "Save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise ConfigurationError(
            str(path), f"is not CSV ({error})", "Put texts with commas or quotes in quotes."
        ) from error
    if not found:
        raise ConfigurationError(str(path), "has no rows", "Give at least one message.")
    return found


def _label(path: Path, columns: Sequence[str], labelled: bool) -> str | None:
    """The column of the intent."""
    named = next((name for name in _LABELS if name in columns), None) if labelled else None
    if "text" not in columns or (labelled and named is None):
        wanted = "text,intent (or text,category)" if labelled else "text"
        raise ConfigurationError(
            str(path), f"must begin with the line {wanted}", "Add it.", ",".join(columns)
        )
    return named


def _example(path: Path, line: int, row: dict[str, str | None], label: str | None) -> Example:
    if None in row:
        problem, next_step = "more values than columns", "Put texts with commas in quotes."
    elif not (row["text"] or "").strip():
        problem, next_step = "no text", "Write one, or delete the line."
    elif label and not (row[label] or "").strip():
        problem, next_step = f"no {label}", "Write one, or delete the line."
    else:
        intent = str(row[label]).strip() if label else ""
        return Example(str(row["text"]).strip(), intent)
    raise ConfigurationError(str(path), f"line {line} has {problem}", next_step)


def few(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """At most `count` examples of each intent; the same ones for the same seed."""
    by_intent: dict[str, list[Example]] = {}
    for example in examples:
        by_intent.setdefault(example.intent, []).append(example)
    chance = random.Random(seed)
    return [
        example
        for intent in sorted(by_intent)
        for example in chance.sample(by_intent[intent], min(count, len(by_intent[intent])))
    ]


def digest(path: Path) -> str:
    """The file's sha256, so that a figure says which data it is of."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

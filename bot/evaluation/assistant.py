"""An assistant asked what it has not learned: its examples out of fold, and messages kept aside."""

from __future__ import annotations

import random
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLWriter
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.core.errors import ConfigurationError
from bot.evaluation.pipelines import Pipeline, interpreter
from bot.evaluation.predictions import OUT_OF_SCOPE, Prediction
from bot.evaluation.runner import Progress, Run, Worker

_SPACE = re.compile(r"\s+")
_PUNCTUATION = re.compile(r"[.,;:!?'\"’‘“”…]+")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message as its author labelled it; entities as Rasa gives them."""

    text: str
    intent: str
    entities: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, message: Message) -> Labelled:
        """From an example of Rasa's."""
        return cls(
            str(message.get(TEXT)), str(message.get(INTENT)), tuple(message.get(ENTITIES) or ())
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that the model had not learned, and what it made of it."""

    message: Labelled
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an assistant and its test messages are.

    Attributes:
        root: The folder of `config.yml` and `data/`.
        held_out: Labelled messages that training never sees, in Rasa's format; None without them.
        strange: Messages in no intent, likewise.
    """

    root: Path
    held_out: Path | None = None
    strange: Path | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """All that was asked.

    Attributes:
        examples: The training data's examples, in its order.
        folds: Each example, asked of a model that had learned the other folds.
        held_out: Messages kept aside, asked of the model that had learned everything.
        strange: Messages out of scope, likewise.
        milliseconds: The time of each message of the last two, or of the folds without them.
    """

    examples: list[Labelled]
    folds: list[Asked]
    held_out: list[Asked]
    strange: list[Asked]
    milliseconds: list[float]


def plain(text: str) -> str:
    """A text without what does not tell messages apart: case, white space, punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _SPACE.sub(" ", _PUNCTUATION.sub("", folded)).strip()
    return bare or folded.strip()


def ask(sources: Sources, pipeline: Pipeline, folds: int, progress: Progress) -> Answers:
    """Trains a model for each fold and one on everything, and asks them.

    Args:
        sources: The assistant.
        pipeline: How it understands.
        folds: How many parts; each is asked of a model that learned the others.
        progress: Is told what the worker does.

    Raises:
        ConfigurationError: There are no examples, a file is broken, or TensorFlow is missing.
        ModelError: A training failed.
    """
    data = _training_data(sources.root)
    examples = [Labelled.of(m) for m in data.intent_examples]
    parts = split(examples, folds)
    held_out = _messages(sources.held_out)
    strange = [Labelled(m.text, OUT_OF_SCOPE) for m in _messages(sources.strange)]
    kept = [*held_out, *strange]
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        folder = Path(name)
        runs = [_fold(folder, data, i, part) for i, part in enumerate(parts)]
        if kept:
            runs.append(_run(folder, data, "whole", [m.text for m in kept]))
        outcomes = Worker(pipeline, interpreter(pipeline), folder).run(runs, progress)
    out_of_fold = {
        index: Asked(examples[index], prediction)
        for part, found in zip(parts, outcomes, strict=False)
        for index, prediction in zip(part, found.predictions, strict=True)
    }
    last = outcomes[len(parts) :]
    whole = [Asked(m, p) for o in last for m, p in zip(kept, o.predictions, strict=True)]
    return Answers(
        examples,
        [out_of_fold[index] for index in sorted(out_of_fold)],
        whole[: len(held_out)],
        whole[len(held_out) :],
        [t for o in last or outcomes for t in o.milliseconds],
    )


def split(examples: Sequence[Labelled], folds: int, seed: int = 0) -> list[list[int]]:
    """The numbers of the examples in each part; every intent is spread over all of them.

    Equal texts are in one part, since a model that learned one knows the other. An intent that has
    a single text is in none: nobody else could teach it.

    Raises:
        ConfigurationError: There is no intent with two different examples.
    """
    same: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        same.setdefault(plain(example.text), []).append(index)
    by_intent: dict[str, list[list[int]]] = {}
    for group in same.values():
        by_intent.setdefault(examples[group[0]].intent, []).append(group)
    parts: list[list[int]] = [[] for _ in range(folds)]
    chance = random.Random(seed)
    dealt = 0
    for intent in sorted(by_intent):
        groups = by_intent[intent]
        if len(groups) > 1:
            for group in chance.sample(groups, len(groups)):
                parts[dealt % folds] += group
                dealt += 1
    if not dealt:
        raise ConfigurationError(
            "data/nlu", "has no intent with two different examples", "Write more of them."
        )
    return [sorted(part) for part in parts if part]


def _fold(folder: Path, data: TrainingData, number: int, part: Sequence[int]) -> Run:
    examples, chosen = data.intent_examples, set(part)
    left = [m for i, m in enumerate(examples) if i not in chosen]
    others = [m for m in data.training_examples if not m.get(INTENT)]
    rest = TrainingData(
        [*left, *others],
        entity_synonyms=data.entity_synonyms,
        regex_features=data.regex_features,
        lookup_tables=data.lookup_tables,
        responses=data.responses,
    )
    return _run(folder, rest, f"fold-{number}", [str(examples[i].get(TEXT)) for i in part])


def _run(folder: Path, data: TrainingData, name: str, texts: list[str]) -> Run:
    train = folder / f"{name}.yml"
    RasaYAMLWriter().dump(train, data)
    return Run(folder / f"{name}.tar.gz", train=train, messages=texts)


def _training_data(root: Path) -> TrainingData:
    try:
        importer = TrainingDataImporter.load_nlu_importer_from_config(
            str(root / "config.yml"), training_data_paths=[str(root / "data")]
        )
        data: TrainingData = importer.get_nlu_data()
    except RasaException as error:
        raise ConfigurationError(
            "training data", str(error), "Mend the file named here."
        ) from error
    return data


def _messages(path: Path | None) -> list[Labelled]:
    """The messages of a file or folder in Rasa's format."""
    if path is None:
        return []
    if not path.exists():
        raise ConfigurationError(str(path), "is not there", "Name a file or folder that is.")
    try:
        data = load_data(str(path))
    except RasaException as error:
        raise ConfigurationError(str(path), str(error), "Mend it.") from error
    found = [Labelled.of(message) for message in data.intent_examples]
    if not found:
        raise ConfigurationError(
            str(path), "has no messages with intents", "Write it like the files in data/nlu/."
        )
    return found

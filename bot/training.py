"""Training the model, when the data it is made of changed, and only then."""

from __future__ import annotations

import gc
import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasa.api
import yaml
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.validator import Validator

from bot.core.errors import ConfigurationError, ModelError
from bot.model_files import MODELS, Project, current_model, remember
from bot.nlu import importer
from bot.tensorflow_check import has_tensorflow, needs_tensorflow

# PyYAML's safe loader in C, where it was built with that; ten times as fast.
_FAST_AND_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Components that decide by the same costs.
_WITH_COSTS = ("ExpectedCostFallback", "EscalationPolicy")

# Policies that remember stories as they are written.
_REMEMBERING = ("MemoizationPolicy", "RulePolicy", "EscalationPolicy")

# Which of Rasa's warnings mean a bot that cannot do what its author wrote.
_WRONG = re.compile("not listed in|not a valid utterance|not present in|labeled with multiple")


def train(project: Project, *, force: bool = False) -> Path:
    """Checks the data, trains, and notes what the model was made of.

    Returns:
        The model's file. The one that fits already is returned as it is unless `force` is set.

    Raises:
        ConfigurationError: A file is broken or contradicts another; names it.
        ModelError: Training failed.
    """
    known = current_model(project)
    if known is not None and not force:
        return known
    with _without_collection():
        check(project)
        digest = project.digest()
        model = _train(project, force)
    remember(project, digest, model)
    return model


@contextmanager
def _without_collection() -> Iterator[None]:
    """Leaves the garbage of a training until its end: a search goes through all the examples."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        importer.forget()
        if was_on:
            gc.enable()


def _train(project: Project, force: bool) -> Path:
    try:
        result = rasa.api.train(
            domain=str(project.root / "domain.yml"),
            config=str(project.root / "config.yml"),
            training_files=[str(project.root / "data")],
            output=str(project.root / MODELS),
            force_training=force,
            core_additional_arguments=_core_arguments(project.root / "config.yml"),
        )
    except (RasaException, OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"Training failed: {error}") from error
    if result.model is None:
        raise ModelError("Training made no model; the lines above say why.")
    return Path(result.model)


def _core_arguments(config: Path) -> dict[str, Any]:
    """Whether stories are also to be joined at random, Rasa's augmentation, for hundreds more.

    Policies that only remember stories leave those out, and making them takes seconds.
    """
    data = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    names = {str(p.get("name") if isinstance(p, dict) else p) for p in data.get("policies") or []}
    remembering = names and all(name.endswith(_REMEMBERING) for name in names)
    return {"augmentation_factor": 0} if remembering else {}


def check(project: Project) -> None:
    """Finds what would train into a bot that does not work.

    Raises:
        ConfigurationError: Names the file and the next step.
    """
    for path in project.inputs:
        if path.suffix == ".yml":
            _check_yaml(path)
    _check_components(project.root / "config.yml")
    check_costs(project.root / "config.yml")
    logging.getLogger("rasa.shared").setLevel(logging.ERROR)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            files = TrainingDataImporter.load_from_config(
                str(project.root / "config.yml"),
                str(project.root / "domain.yml"),
                [str(project.root / "data")],
            )
            validator = Validator.from_importer(files)
            # Their results leave out half of what they warn of: the warnings are what counts.
            validator.verify_domain_validity()
            validator.verify_intents()
            validator.verify_intents_in_stories()
            validator.verify_example_repetition_in_intents()
            validator.verify_utterances_in_stories()
            validator.verify_actions_in_stories_rules()
            validator.verify_forms_in_stories_rules()
            validator.verify_form_slots()
            validator.verify_slot_mappings()
        except RasaException as error:
            raise ConfigurationError(
                "training data", str(error), "Mend the file named here."
            ) from error
    wrong = [text for text in _messages(caught) if _WRONG.search(text)]
    if wrong:
        raise ConfigurationError(
            "training data",
            " ".join(wrong[:5]),
            "Name it in domain.yml, or correct the spelling where it is used.",
        )


def _messages(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    texts = (" ".join(str(w.message).split()) for w in caught if w.category is UserWarning)
    return list(dict.fromkeys(text.partition(" More info at")[0] for text in texts))


def _check_yaml(path: Path) -> None:
    if not path.exists():
        raise ConfigurationError(
            str(path), "is missing", "Run this in the folder of the assistant, or restore the file."
        )
    try:
        yaml.load(path.read_text(encoding="utf-8"), _FAST_AND_SAFE)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(
            str(path),
            f"is not valid YAML{line}: {getattr(error, 'problem', None) or error}",
            "Mend that line; the lines before it decide the indentation.",
        ) from error


def _check_components(config: Path) -> None:
    if has_tensorflow():
        return
    data = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    components = [*(data.get("pipeline") or []), *(data.get("policies") or [])]
    names = [str(c.get("name")) if isinstance(c, dict) else str(c) for c in components]
    for name in needs_tensorflow(names):
        raise ConfigurationError(
            "config.yml",
            f"{name} needs TensorFlow, which is not installed",
            "Replace the component, or install TensorFlow with `make tensorflow` "
            "(Python 3.11; docs/tensorflow.md).",
        )


def check_costs(config: Path) -> None:
    """A form and the policy must not disagree about what was understood."""
    data = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    tables = [
        component.get("costs")
        for component in [*(data.get("pipeline") or []), *(data.get("policies") or [])]
        if isinstance(component, dict) and str(component.get("name")).endswith(_WITH_COSTS)
    ]
    if any(table != tables[0] for table in tables):
        raise ConfigurationError(
            "config.yml",
            f"{' and '.join(_WITH_COSTS)} have different costs",
            "Write them once, as `costs: &costs`, and refer to them with `costs: *costs`.",
        )

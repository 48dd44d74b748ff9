"""One pipeline or several on labelled messages: how right, how sure, how fast, how large."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.evaluation import metrics
from bot.evaluation.examples import Example, few
from bot.evaluation.pipelines import Pipeline, interpreter
from bot.evaluation.predictions import OUT_OF_SCOPE, Prediction
from bot.evaluation.runner import Outcome, Progress, Run, Worker, fresh_cache, write_examples


@dataclass(frozen=True, slots=True)
class Data:
    """What is measured on.

    Attributes:
        train: Examples to learn from.
        test: Messages whose intent is known.
        strange: Messages that belong to no intent; may be none.
    """

    train: Sequence[Example]
    test: Sequence[Example]
    strange: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """How well messages out of scope are told from the others, by one score.

    Attributes:
        auroc: How probably a message in scope scores higher; 0.5 is chance.
        caught_at_95: The share refused while 95 % of the messages in scope are accepted.
    """

    auroc: float
    caught_at_95: float

    @classmethod
    def of(cls, inside: Sequence[float], outside: Sequence[float]) -> Scope:
        """From the scores of both kinds of messages."""
        return cls(metrics.auroc(inside, outside), metrics.caught_at(inside, outside))


@dataclass(frozen=True, slots=True)
class Figures:
    """What one training and its questions gave; None where it was not measured.

    Attributes:
        pipeline: Its name.
        seed: Of the choice of examples; None where all were used.
        examples: How many it learned from.
        accuracy, macro_f1, ece: Of the first choice, 0 to 1.
        by_confidence: Out of scope, by the confidence in the surest intent.
        by_scope: The same by the pipeline's own probability of being in scope, if it has one.
        train_seconds: All in, without imports.
        p50_ms, p95_ms: One message at one thread, text to result.
        peak_mb: The most memory of a process that loads the model and is asked.
        added_mb: Of that, what the import of Rasa had not taken.
        train_peak_mb: The most memory of the process that trains.
    """

    pipeline: str
    seed: int | None
    examples: int
    accuracy: float
    macro_f1: float
    ece: float
    by_confidence: Scope | None
    by_scope: Scope | None
    train_seconds: float | None
    p50_ms: float
    p95_ms: float
    peak_mb: float | None
    added_mb: float | None
    train_peak_mb: float | None
    versions: dict[str, str]

    @property
    def scope(self) -> Scope | None:
        """By the pipeline's own probability where it has one, else by its confidence."""
        return self.by_scope or self.by_confidence


def measure(
    pipeline: Pipeline, data: Data, progress: Progress, per_intent: int | None, seed: int
) -> Figures:
    """Trains in one process, asks in another, and computes the figures.

    Args:
        pipeline: What to measure.
        data: What to learn from and what to ask.
        progress: Is told what the worker does.
        per_intent: How many examples of each intent to learn from; None for all.
        seed: Which of them.

    Raises:
        ConfigurationError: The pipeline needs an environment that is not there.
        ModelError: Its training failed.
    """
    train = data.train if per_intent is None else few(data.train, per_intent, seed)
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        folder = Path(name)
        cache = fresh_cache(pipeline, folder / "cache")
        worker = Worker(pipeline, interpreter(pipeline), folder, cache)
        model = folder / "model.tar.gz"
        examples = write_examples(train, folder / "train.json")
        trained = worker.run([Run(model, train=examples)], progress)[0]
        texts = [e.text for e in (*data.test, *data.strange)]
        asked = worker.run([Run(model, messages=texts)], progress, one_thread=True)[0]
    used = None if per_intent is None else seed
    return _figures(pipeline.name, used, len(train), data, trained, asked)


def _figures(
    name: str, seed: int | None, examples: int, data: Data, trained: Outcome, asked: Outcome
) -> Figures:
    known = asked.predictions[: len(data.test)]
    truth = [example.intent for example in data.test]
    first = [p.intent for p in known]
    right = [p == t for p, t in zip(first, truth, strict=True)]
    by_confidence, by_scope = _scope(data, asked.predictions)
    return Figures(
        pipeline=name,
        seed=seed,
        examples=examples,
        accuracy=metrics.accuracy(truth, first),
        macro_f1=metrics.macro_f1(truth, first),
        ece=metrics.ece([p.confidence for p in known], right),
        by_confidence=by_confidence,
        by_scope=by_scope,
        train_seconds=trained.train_seconds,
        p50_ms=float(np.quantile(asked.milliseconds, 0.5)),
        p95_ms=float(np.quantile(asked.milliseconds, 0.95)),
        peak_mb=asked.peak_mb,
        added_mb=asked.added_mb,
        train_peak_mb=trained.train_peak_mb,
        versions=asked.versions,
    )


def _scope(data: Data, predictions: Sequence[Prediction]) -> tuple[Scope | None, Scope | None]:
    if not data.strange:
        return None, None
    labels = [e.intent for e in data.test] + [OUT_OF_SCOPE] * len(data.strange)
    pairs = list(zip(labels, predictions, strict=True))
    inside = [p for label, p in pairs if label != OUT_OF_SCOPE]
    outside = [p for label, p in pairs if label == OUT_OF_SCOPE]
    if not inside:
        return None, None
    by_confidence = Scope.of([p.acceptance for p in inside], [p.acceptance for p in outside])
    if all(p.in_scope is None for p in predictions):
        return by_confidence, None
    return by_confidence, Scope.of(*(list(map(_surely, group)) for group in (inside, outside)))


def _surely(prediction: Prediction) -> float:
    """P(in scope); out_of_scope had less than the last intent listed where it is not listed."""
    if prediction.in_scope is not None:
        return prediction.in_scope
    return 1 - prediction.ranking[-1][1] if prediction.ranking else 0.0


SUMMARISED = (
    "accuracy", "macro_f1", "ece", "auroc", "caught_at_95",
    "train_seconds", "p50_ms", "p95_ms", "peak_mb", "added_mb",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several runs: their mean and standard deviation, 0 for a single run."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """From at least one value."""
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0)


def summary(runs: Sequence[Figures]) -> dict[str, Spread | None]:
    """Each figure of `SUMMARISED` over the runs of one pipeline; None where it is not measured."""
    found: dict[str, Spread | None] = {}
    for name in SUMMARISED:
        read = _reader(name)
        values = [value for run in runs if (value := read(run)) is not None]
        found[name] = Spread.of(values) if values else None
    return found


def _reader(name: str) -> Callable[[Figures], float | None]:
    if name in ("auroc", "caught_at_95"):
        return lambda run: getattr(run.scope, name, None)
    return lambda run: getattr(run, name)


def by_pipeline(runs: Sequence[Figures]) -> Iterator[tuple[str, list[Figures]]]:
    """The runs of each pipeline, in the order of their first."""
    for name in dict.fromkeys(run.pipeline for run in runs):
        yield name, [run for run in runs if run.pipeline == name]


def as_json(runs: Sequence[Figures]) -> dict[str, Any]:
    """The runs and their summary, for a file that others can check."""
    return {
        "machine": machine(),
        "pipelines": {
            name: {key: spread and asdict(spread) for key, spread in summary(own).items()}
            for name, own in by_pipeline(runs)
        },
        "runs": [asdict(run) for run in runs],
    }


def machine() -> dict[str, Any]:
    """What times and memory depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())

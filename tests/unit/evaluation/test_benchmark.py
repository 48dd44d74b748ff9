"""From what the worker found to figures, and over several runs to a mean and a spread."""

from __future__ import annotations

import pytest

from bot.commands import benchmark as command
from bot.evaluation.benchmark import Data, Figures, Scope, _figures, summary
from bot.evaluation.examples import Example
from bot.evaluation.pipelines import Pipeline, known_pipeline
from bot.evaluation.predictions import Prediction
from bot.evaluation.runner import Outcome

TEST = [Example("hi", "greet"), Example("cheerio", "bye"), Example("see you", "bye")]
STRANGE = [Example("who won", ""), Example("the moon", "")]


def _outcome(*asked: list[tuple[str, float]]) -> Outcome:
    listed = [[{"name": n, "confidence": c} for n, c in ranking] for ranking in asked]
    predictions = [Prediction.of({"intent": r[0], "intent_ranking": r}) for r in listed]
    times = [float(i) for i in range(len(asked))]
    return Outcome(2.0, 300.0, predictions, times, 200.0, 50.0, {"python": "3"})


def _run(*asked: list[tuple[str, float]]) -> Figures:
    outcome = _outcome(*asked)
    return _figures("mine", 0, 9, Data([], TEST, STRANGE[: len(asked) - 3]), outcome, outcome)


def test_figures_of_one_run() -> None:
    run = _run(
        [("greet", 0.9), ("bye", 0.1)],
        [("nlu_fallback", 0.6), ("bye", 0.4)],
        [("greet", 0.8), ("bye", 0.2)],
        [("greet", 0.3), ("bye", 0.2)],
        [("bye", 0.85), ("greet", 0.1)],
    )
    assert run.accuracy == pytest.approx(2 / 3)
    assert (run.p50_ms, run.examples, run.train_seconds) == (2.0, 9, 2.0)
    # 0.9, 0.4 and 0.8 inside, 0.3 and 0.85 outside: 3 + 1 of 6 pairs are in order.
    assert run.by_confidence is not None
    assert run.by_confidence.auroc == pytest.approx(4 / 6)
    assert run.by_confidence.caught_at_95 == 0.5
    assert run.by_scope is None
    assert run.scope == run.by_confidence


def test_the_pipelines_own_probability_counts_where_it_has_one() -> None:
    run = _run(
        [("greet", 0.9), ("out_of_scope", 0.1)],
        [("bye", 0.9), ("out_of_scope", 0.1)],
        # It fell off the list: it had no more than 0.05.
        [("bye", 0.6), ("greet", 0.05)],
        [("out_of_scope", 0.7), ("greet", 0.3)],
        [("greet", 0.5), ("out_of_scope", 0.3)],
    )
    assert run.by_scope == Scope(1.0, 1.0)
    assert run.scope == run.by_scope


def test_without_messages_out_of_scope() -> None:
    run = _run([("greet", 1.0)], [("bye", 1.0)], [("bye", 1.0)])
    assert run.scope is None
    assert summary([run])["auroc"] is None


def test_pipelines_take_turns_on_the_same_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def note(pipeline: Pipeline, _data: Data, _report: object, few: int | None, seed: int) -> str:
        asked.append((pipeline.name, few, seed))
        return pipeline.name

    monkeypatch.setattr(command, "measure", note)
    pipelines = [known_pipeline("rasa-sparse", 1), known_pipeline("rasa-default", 1)]
    list(command._measured(pipelines, Data([], TEST), command.Plan(5, 2)))
    names = [pipeline.name for pipeline in pipelines]
    assert asked == [(name, 5, seed) for seed in (0, 1) for name in names]


def test_mean_and_spread() -> None:
    good = _run([("greet", 1.0)], [("bye", 1.0)], [("bye", 1.0)])
    bad = _run([("greet", 1.0)], [("greet", 1.0)], [("greet", 1.0)])
    found = summary([good, bad])["accuracy"]
    assert found is not None
    assert found.mean == pytest.approx(2 / 3)
    assert found.deviation == pytest.approx(0.4714, abs=1e-4)
    alone = summary([good])["accuracy"]
    assert alone is not None
    assert alone.deviation == 0

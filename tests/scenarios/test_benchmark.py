"""`frontdesk benchmark nlu` on a few messages: real trainings, each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenarios.test_bad_input import CONFIG, frontdesk

WORDS = {
    "greet": ["hello", "hi there", "good morning", "hey", "hello there", "morning all"],
    "bye": ["bye", "see you", "good night", "bye bye", "see you later", "night all"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two CSV files, messages out of scope and a pipeline that trains in no time."""
    rows = [(text, intent) for intent, texts in WORDS.items() for text in texts]
    for name, chosen in {"train": rows, "test": rows[::2]}.items():
        lines = [f"{text},{intent}" for text, intent in chosen]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,category", *lines]))
    (tmp_path / "oos.csv").write_text("text\nwho won the match\nis /it [raining](now)\n")
    (tmp_path / "config.yml").write_text(CONFIG)
    return tmp_path


def _arguments(folder: Path, *more: str) -> list[str]:
    files = [f"--{name}={folder / name}.csv" for name in ("train", "test", "oos")]
    return ["benchmark", "nlu", *files, *more]


@pytest.mark.timeout(240)
def test_figures_are_printed_and_written(folder: Path) -> None:
    written = folder / "out" / "figures.json"
    arguments = _arguments(folder, "--few", "3", "--json", str(written))
    code, printed = frontdesk(folder, *arguments, patience=220)
    assert code == 0, printed
    assert "6 examples learned, 6 messages asked, 2 out of scope" in printed
    found = json.loads(written.read_text())
    (run,) = found["runs"]
    assert (run["pipeline"], run["seed"]) == ("frontdesk", 0)
    assert run["accuracy"] > 0.5
    assert 0 <= run["by_confidence"]["auroc"] <= 1
    assert 0 < run["p50_ms"] <= run["p95_ms"]
    assert 0 < run["added_mb"] < run["peak_mb"] < 2000
    assert run["train_seconds"] > 0
    assert run["versions"]["rasa"].startswith("3.6")
    assert found["pipelines"]["frontdesk"]["accuracy"]["mean"] == run["accuracy"]
    assert found["data"]["train"]["file"] == "train.csv"
    assert len(found["data"]["out_of_scope"]["sha256"]) == 64
    assert "--few 3" in found["command"]
    assert found["machine"]["cores"] >= 1


def test_what_is_wrong_is_said_before_anything_is_trained(folder: Path) -> None:
    (folder / "train.csv").write_text("text,intent\nhello,\n")
    code, printed = frontdesk(folder, *_arguments(folder))
    assert code == 2
    assert "train.csv: line 2 has no intent" in printed
    code, printed = frontdesk(folder, *_arguments(folder, "--seeds", "3"))
    assert code == 2
    assert "--few" in printed

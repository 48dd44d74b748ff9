"""`frontdesk evaluate` on a small assistant with another pipeline and no messages kept aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenarios.test_bad_input import CONFIG, frontdesk

GREET = ["hello", "hi there", "good morning", "hey", "hello there <b>", "morning", "bye bye then"]
BYE = ["bye", "see you", "good night", "bye bye", "see you later", "goodbye", "hello there <b>"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An assistant with one contradiction; its data is not fit for `frontdesk train`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "config.yml").write_text(CONFIG)
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in {"greet": GREET, "bye": BYE}.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    (tmp_path / "data" / "nlu.yml").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.timeout(240)
def test_report_of_a_small_assistant(project: Path) -> None:
    out = project / "out"
    code, printed = frontdesk(project, "evaluate", "--folds=2", f"--out={out}", patience=220)
    assert code == 0, printed
    assert "14 examples in 2 intents" in printed
    assert "1. 1 text is in more than one intent" in printed
    html = (out / "report.html").read_text()
    assert "hello there &lt;b&gt;" in html
    facts = json.loads((out / "report.json").read_text())
    assert facts["title"] == "small"
    assert facts["figures"]["held_out"] is None
    folds = facts["figures"]["folds"]
    assert folds["messages"] == 14
    assert folds["right"] + folds["asked"] + folds["wrong"] == pytest.approx(1)
    assert facts["findings"]["conflicts"][0]["intents"] == ["bye", "greet"]


def test_what_is_missing_is_named(project: Path) -> None:
    code, printed = frontdesk(project, "evaluate", "--held-out", str(project / "none"))
    assert code == 2
    assert "none: is not there" in printed

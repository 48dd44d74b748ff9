"""`frontdesk benchmark turns` with a few messages: a real server, real customers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.benchmarking.customer import QUESTIONS
from bot.benchmarking.stock.environment import ENVIRONMENT
from tests.process import ROOT, trained_model
from tests.scenarios.test_bad_input import frontdesk


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_figures_are_printed_and_written(tmp_path: Path) -> None:
    written = tmp_path / "out" / "turns.json"
    arguments = ["--concurrent", "1,3", "--messages", "10", "--json", str(written)]
    code, printed = frontdesk(
        ROOT,
        *("benchmark", "turns", *arguments),
        patience=220,
        FRONTDESK_MODEL=str(trained_model()),
        FRONTDESK_STATE_DIR=str(tmp_path),
    )
    assert code == 0, printed
    assert "Customers at once" in printed
    found = json.loads(written.read_text())
    assert (found["database"], found["workers"]) == ("sqlite", 1)
    assert found["ready_seconds"] > 0
    assert "--concurrent 1,3" in found["command"]
    assert found["versions"]["rasa"].startswith("3.6")
    assert [level["concurrent"] for level in found["levels"]] == [1, 3]
    assert [level["messages"] for level in found["levels"]] == [10, 15]
    for level in found["levels"]:
        assert level["errors"] == {}
        for times in (level["acknowledged"], level["answered"]):
            assert 0 < times["p50_ms"] <= times["p95_ms"] <= times["p99_ms"]
        assert level["acknowledged"]["p50_ms"] < level["answered"]["p50_ms"]
        assert level["per_second"] > 0
        assert level["cpu_ms_per_message"] > 0
        assert level["per_core_second"] > 0
        assert 100 < level["resident_mb"] < 4000
    assert [long["events"] for long in found["long"]] == [10, 1000, 5000]
    assert all(long["messages"] == 16 and long["p50_ms"] > 0 for long in found["long"])


@pytest.mark.slow
@pytest.mark.timeout(1800)  # it trains once, by two cores in minutes
def test_beside_stock_rasa(tmp_path: Path) -> None:
    if not (ROOT / ENVIRONMENT).exists():
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent(f"{ENVIRONMENT} is missing: make stock-rasa")
    kept = ROOT / ".frontdesk" / "stock-rasa"
    kept.mkdir(parents=True, exist_ok=True)
    (tmp_path / "stock-rasa").symlink_to(kept)
    written = tmp_path / "turns.json"
    arguments = ["--concurrent", "1,2", "--messages", "10", "--vs", "stock-rasa"]
    code, printed = frontdesk(
        ROOT,
        *("benchmark", "turns", *arguments, "--json", str(written)),
        patience=1700,
        FRONTDESK_MODEL=str(trained_model()),
        FRONTDESK_STATE_DIR=str(tmp_path),
    )
    assert code == 0, printed
    assert "as many as stock Rasa" in printed
    found = json.loads(written.read_text())
    stock = found["versus"]["stock-rasa"]
    assert stock["versions"]["rasa"] == "3.6.21"
    assert stock["versions"]["tensorflow"] == "2.12.0"
    assert stock["versions"]["sqlalchemy"].startswith("1.4")
    meant = {question: asked["intent"] for question, asked in stock["understood"].items()}
    assert list(meant) == list(QUESTIONS)
    assert {"greet", "opening_hours"} <= set(meant.values())
    for ours, its in zip(found["levels"], stock["levels"], strict=True):
        assert ours["concurrent"] == its["concurrent"]
        assert its["messages"] + sum(its["errors"].values()) > 0
        assert its["acknowledged"] == {"p50_ms": None, "p95_ms": None, "p99_ms": None}
        assert 0 < its["answered"]["p50_ms"] <= its["answered"]["p99_ms"]
        assert its["cpu_ms_per_message"] > 0
        assert 500 < its["resident_mb"] < 8000
    assert [long["events"] for long in stock["long"]] == [10, 1000, 5000]
    assert stock["long"][0]["first_ms"] < stock["long"][-1]["first_ms"]
    assert len(found["times_stock_per_core_second"]) == 2


def test_what_is_wrong_is_said_before_a_server_starts(tmp_path: Path) -> None:
    for arguments in (["--concurrent", "1,many"], ["--workers", "2"], ["--vs", "rasa"]):
        code, printed = frontdesk(
            ROOT, *("benchmark", "turns", *arguments), FRONTDESK_STATE_DIR=str(tmp_path)
        )
        assert code == 2
        assert arguments[0] in printed

"""Short runs of `python -m tests.crash`; docs/testing.md has the long ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.check import Found, Stored, check
from tests.crash.platform import Sent
from tests.crash.run import Outcome, Size, crash, storm
from tests.crash.traffic import Kill
from tests.postgres import temporary_database
from tests.process import ROOT


@pytest.mark.timeout(240)
async def test_one_process_on_sqlite(tmp_path: Path) -> None:
    size = Size(messages=200, duplicates=0.2, kills=3, replicas=1, conversations=10, seed=1)
    _holds(await crash(size, f"sqlite:///{tmp_path}/frontdesk.db", tmp_path, print), kills=3)


@pytest.mark.timeout(240)
async def test_killed_at_each_step_of_delivery(database_url: str, tmp_path: Path) -> None:
    points = ["deliver.before_send", "deliver.after_send", "deliver.after_commit"]
    # Each is passed long before the last message is acknowledged.
    kills = [Kill(100, point) for point in points]
    size = Size(messages=100, duplicates=0.2, kills=3, replicas=1, conversations=10, seed=3)
    outcome = await crash(size, database_url, tmp_path, print, kills)
    assert not outcome.violations, outcome.violations
    assert [death.where for death in outcome.deaths] == points
    assert outcome.figures["answers"] >= 100


@pytest.mark.timeout(240)
async def test_three_replicas_on_postgresql(tmp_path: Path) -> None:
    size = Size(messages=200, duplicates=0.2, kills=2, replicas=3, conversations=10, seed=2)
    with temporary_database() as url:
        _holds(await crash(size, url, tmp_path, print), kills=2)


@pytest.mark.timeout(240)
async def test_each_id_eight_times_at_once_to_two_processes(tmp_path: Path) -> None:
    with temporary_database() as url:
        outcome = await storm(100, 8, 2, url, tmp_path, print)
    assert not outcome.violations, outcome.violations
    assert (outcome.figures["turns"], outcome.figures["answers"]) == (100, 100)
    assert outcome.figures["webhooks"] >= 800


def _holds(outcome: Outcome, kills: int) -> None:
    assert not outcome.violations, outcome.violations
    figures = outcome.figures
    assert (figures["messages"], figures["acknowledged"]) == (200, 200)
    assert figures["answers"] >= 200
    assert figures["kills"] == len(outcome.deaths) == kills


def test_what_was_never_stored_is_a_violation() -> None:
    sent = {"+44": [Sent("+44", "SM1", "hi", acknowledged=True, attempts=1)]}
    assert check(sent, {"+44": Stored()}, []) == Found(lost=["SM1"])


def test_replicas_need_postgresql() -> None:
    command = [sys.executable, "-m", "tests.crash", "--replicas", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--database" in done.stderr

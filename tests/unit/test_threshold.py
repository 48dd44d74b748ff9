"""`frontdesk threshold`: what it reads, what it says, and what it refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.commands import threshold
from bot.commands.threshold import difference, logged_cases
from bot.core.conversation import HandoffReason
from bot.core.decision import Costs, Grievances, decide, weigh
from bot.core.errors import ConfigurationError
from bot.core.messages import Inbound
from bot.core.tradeoff import Case, Outcome
from bot.core.transcript import conversation_id
from bot.dialogue.escalation_config import costs_of, table_of_costs
from bot.settings import load
from bot.store import inbox, turns, understood
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now
from bot.store.understood import Understood
from tests.scripted import ADDRESS

COSTS = Costs()
CONFIG = """
policies:
- name: bot.dialogue.escalation.EscalationPolicy
  costs: {question: 2, wrong_answer_of: {cancel_order: 15}}
"""


def stored(*ranking: tuple[str, float], **signs: int) -> dict[str, Any]:
    """What the brain stores of a message."""
    decision = decide(weigh(ranking, COSTS), COSTS, Grievances().of(signs))
    return {
        "intent": ranking[0][0],
        "ranking": [{"name": name, "confidence": p} for name, p in ranking],
        "decision": decision.as_facts(),
    }


SURE = stored(("opening_hours", 0.97))
UNSURE = stored(("invoice", 0.4), ("refund_status", 0.3))
PRESSED: dict[str, Any] = {"intent": "refund_status", "ranking": [], "decision": None}


def test_a_pressed_button_tells_what_was_meant() -> None:
    lines = [
        Understood("a", False, UNSURE),
        Understood("a", True, PRESSED),
        Understood("a", False, SURE),
        Understood("b", True, PRESSED),
        Understood("b", False, UNSURE),
        Understood("c", True, PRESSED),
        Understood("d", False, UNSURE),
        Understood("d", True, {**PRESSED, "intent": "request_human"}),
    ]
    assert [case.meant for case in logged_cases(lines)] == ["refund_status", None, None, None]


def test_what_was_not_decided_by_numbers_is_left_out() -> None:
    form = {**UNSURE, "decision": {**UNSURE["decision"], "weighed": False}}
    old = {"intent": "x", "ranking": []}
    assert logged_cases([Understood("a", False, line) for line in (form, old)]) == []


def test_what_spoke_against_going_on_still_does() -> None:
    angry = stored(("invoice", 0.4), anger=1)
    assert angry["decision"]["reason"] == HandoffReason.COMPLAINT
    assert logged_cases([Understood("a", False, angry)]) == [
        Case([("invoice", 0.4)], None, {"anger": 3.0})
    ]


def test_a_change_is_told_for_a_hundred_messages() -> None:
    before = Outcome(right=150, wrong=30, helped=10, missed=10)
    after = Outcome(right=140, wrong=20, helped=22, missed=16, handed_over=2)
    assert difference(before, after) == (
        "wrong answers 15.0% → 10.0% (-5.0 of 100 messages); "
        "questions 10.0% → 19.0% (+9.0 of 100 messages); "
        "messages that end with a human 5.0% → 9.0% (+4.0 of 100 messages)"
    )


@pytest.fixture
def assistant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with costs and a conversation, and without messages that are held out."""
    (tmp_path / "config.yml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("FRONTDESK_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", f"sqlite:///{tmp_path}/frontdesk.db")
    monkeypatch.setattr(threshold.console, "width", 200)
    return tmp_path


async def _log(url: str, *data: dict[str, Any]) -> list[Understood]:
    """Stores messages as a turn does, and reads them back."""
    database = Database(url)
    await migrate(database)
    async with database.write() as connection:
        inbound = [Inbound(ADDRESS, f"p{number}", "a secret") for number in range(len(data))]
        await inbox.accept(connection, inbound, utc_now())
        waiting = await turns.unprocessed(connection, conversation_id(ADDRESS))
        known = {message.id: each for message, each in zip(waiting, data, strict=True)}
        await turns.mark_processed(connection, waiting, known, None, utc_now())
    async with database.read() as connection:
        found = await understood.latest(connection, 10)
    await database.aclose()
    return found


def test_the_command_shows_the_log_as_a_table_and_a_picture(assistant: Path) -> None:
    found = asyncio.run(_log(f"sqlite:///{assistant}/frontdesk.db", SURE, UNSURE))
    assert [line.data for line in found] == [SURE, UNSURE]
    done = CliRunner().invoke(app, ["threshold", "--set", "caution=0"])
    assert done.exit_code == 0, done.output
    assert "Logged: 2 messages" in done.output
    assert "1 (now)" in done.output
    assert "Estimated: of 2 messages, 0 are known" in done.output
    assert "With caution=0: wrong answers" in done.output
    assert "secret" not in done.output
    assert "<svg" in (assistant / "results" / "threshold.svg").read_text(encoding="utf-8")


def test_without_messages_it_says_so(assistant: Path) -> None:
    done = CliRunner().invoke(app, ["threshold"])
    assert "no messages to judge by" in done.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--set", "caution"], "caution=1.5"),
        (["--set", "caution=more"], "caution=more"),
        (["--set", "caution=-1"], "costs.caution is -1"),
        (["--set", "cautoin=1"], "costs.cautoin is 1"),
        (["--out", "curve.txt"], "curve.txt"),
        (["--held-out", "nowhere"], "--held-out: there is no such file"),
        (["--out-of-scope", "nowhere.yml"], "--out-of-scope: there is no such file"),
    ],
)
def test_wrong_arguments_are_explained(assistant: Path, arguments: list[str], named: str) -> None:
    done = CliRunner().invoke(app, ["threshold", *arguments])
    assert isinstance(done.exception, ConfigurationError)
    assert named in str(done.exception)


def test_an_intent_that_no_message_has_is_refused(assistant: Path) -> None:
    asyncio.run(_log(f"sqlite:///{assistant}/frontdesk.db", SURE))
    done = CliRunner().invoke(app, ["threshold", "--set", "wrong_answer_of.cancl=9"])
    assert "names an intent that no message could have" in str(done.exception)


def test_costs_are_those_of_the_policy(assistant: Path) -> None:
    assert load().project_dir == assistant
    assert costs_of({"question": 4}).question == 4
    for config in ({}, {"policies": [{"name": "RulePolicy"}]}):
        with pytest.raises(ConfigurationError, match="EscalationPolicy under policies"):
            table_of_costs(config)
    with pytest.raises(ConfigurationError, match="is no table"):
        table_of_costs({"policies": [{"name": "x.EscalationPolicy", "costs": [1]}]})

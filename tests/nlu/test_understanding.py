"""The trained assistant on messages that training never saw.

The floors are a little under what was measured when they were written (docs/benchmarks.md): they
catch a change that makes understanding worse, they are not the goal.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa.core.agent import Agent
from rasa.shared.nlu.training_data.loading import load_data

from tests.nlu.test_data import HERE, examples
from tests.process import ROOT

LEAST_ACCURACY = 0.92
MOST_ANSWERED_OUT_OF_SCOPE = 0.16
NOT_ANSWERED = {"nlu_fallback", "out_of_scope"}


@pytest.fixture
def parse(agent: Agent) -> Callable[[str], Any]:
    parser: Callable[[str], Any] = agent.parse_message
    return parser


async def test_held_out_messages_are_understood(parse: Callable[[str], Any]) -> None:
    kept = examples(load_data(str(HERE / "held_out")))
    right = 0
    for intent, text in kept:
        # Below its threshold the bot asks; what counts here is what it thinks.
        ranking = (await parse(text))["intent_ranking"]
        right += next(i["name"] for i in ranking if i["name"] != "nlu_fallback") == intent
    assert right / len(kept) >= LEAST_ACCURACY, f"{right} of {len(kept)}"


async def test_most_messages_out_of_scope_are_not_answered(parse: Callable[[str], Any]) -> None:
    strange = [text for _, text in examples(load_data(str(HERE / "out_of_scope.yml")))]
    answered = [t for t in strange if (await parse(t))["intent"]["name"] not in NOT_ANSWERED]
    assert len(answered) / len(strange) <= MOST_ANSWERED_OUT_OF_SCOPE, answered


@pytest.mark.parametrize(
    ("text", "intent"),
    [("👍", "affirm"), ("👎", "deny"), ("😡", "complain"), ("❤️", "praise"), ("🙏", "thank")],
)
async def test_emoji_alone_are_understood(
    parse: Callable[[str], Any], text: str, intent: str
) -> None:
    assert (await parse(text))["intent"]["name"] == intent


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("wheres fd104233 plz", "order_number", "fd104233"),
        ("its #104233!", "order_number", "#104233"),
        ("mail me at maya.okafor@example.com thx", "email", "maya.okafor@example.com"),
        ("ring 07700 900123 please", "phone", "07700 900123"),
        ("balance of JGC-7F3K-92QD", "gift_card", "JGC-7F3K-92QD"),
        ("near LS1 4DY", "postcode", "LS1 4DY"),
        ("got the boots in size 7?", "size", "size 7"),
        ("is the navy one back", "colour", "navy"),
    ],
)
async def test_entities_are_found_in_any_spelling(
    parse: Callable[[str], Any], text: str, entity: str, value: str
) -> None:
    found = [(e["entity"], str(e["value"])) for e in (await parse(text))["entities"]]
    assert (entity, value) in found


@pytest.mark.timeout(300)
def test_the_conversations_in_rasas_format_pass(model: Path, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).parent / "rasa"),
        "test",
        "core",
        "--model",
        str(model),
        "--stories",
        str(ROOT / "tests" / "conversations"),
        "--out",
        str(tmp_path),
        "--fail-on-prediction-errors",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    failed = tmp_path / "failed_test_stories.yml"
    shown = failed.read_text() if failed.exists() else done.stderr[-3000:]
    assert done.returncode == 0, shown

"""The trained assistant decides by the whole conversation, and keeps its numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.bootstrap import connect_actions
from bot.core.actions import ActionContext
from bot.core.shop import Crm, Pos
from bot.dialogue.brain import Answer, Brain, Person
from bot.dialogue.tracker_store import TurnMemory
from bot.store.database import Database
from bot.store.turns import StoredInbound
from tests.process import trained_model

# Nothing that is asked here looks anything up.
CONTEXT = ActionContext(
    cast(Crm, None), cast(Pos, None), key="m", now=datetime(2026, 3, 18, tzinfo=UTC), channel="test"
)


class Chat:
    """One conversation with the brain."""

    def __init__(self, brain: Brain) -> None:
        self._brain, self._events, self._count = brain, list[dict[str, Any]](), 0

    async def say(self, text: str) -> tuple[Answer, dict[str, Any]]:
        """The answer, and the decision that was kept with the message."""
        self._count += 1
        name = f"m{self._count}"
        message = StoredInbound(name, self._count, text, (), None, None, 0)
        answer = await self._brain.answer(
            TurnMemory("c", self._events), [message], Person(), {name: CONTEXT}
        )
        self._events += answer.events
        understood: Any = answer.understood[name]
        return answer, understood["decision"]


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    yield Chat(Brain.load(trained_model(), database, connect_actions({})))
    await database.aclose()


@pytest.mark.timeout(300)
async def test_twice_in_a_row_goes_to_a_human_with_the_numbers(chat: Chat) -> None:
    first, decision = await chat.say("flurb the wibbly grommet sideways")
    assert (first.handoff, decision["kind"]) == (None, "ask")
    second, decision = await chat.say("zorp quux blarg with mustard")
    assert second.handoff is not None
    assert second.handoff.reason == "low_confidence"
    assert second.handoff.evidence["expected_cost"] == decision["expected"]
    assert decision["signals"] == {"asked_just_before": 6.0}
    _, decision = await chat.say("how long do i have to send something back")
    assert (decision["kind"], decision["signals"]) == ("answer", {}), "a human settled the rest"


@pytest.mark.timeout(300)
async def test_the_same_question_a_third_time_goes_to_a_human(chat: Chat) -> None:
    for _ in range(2):
        answer, decision = await chat.say("how can I pay?")
        assert (answer.handoff, decision["kind"]) == (None, "answer")
    answer, decision = await chat.say("how can I pay??")
    assert answer.handoff is not None
    assert (answer.handoff.reason, decision["kind"]) == ("repeated_question", "hand_over")
    assert len(answer.contents) == 1, "one farewell, and no answer beside it"

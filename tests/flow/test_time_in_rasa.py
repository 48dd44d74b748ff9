"""Time in the assistant's own model: reminders that its actions set, and sessions that expire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

import pytest
from rasa.core import jobs
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa_sdk import Action
from rasa_sdk.events import ReminderCancelled, ReminderScheduled
from rasa_sdk.executor import ActionExecutor

from bot.dialogue.action_endpoint import InProcessActions
from bot.dialogue.brain import Brain
from bot.dialogue.snapshot import snapshot_of
from bot.store import events
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.flow.conftest import Path, add_agent, make_path
from tests.flow.timing import pass_time, timers_left
from tests.process import trained_model
from tests.scripted import inbound

QUESTION = "what are your opening hours in leeds"
WEEK = timedelta(days=7)  # session_expiration_time in domain.yml


class OpeningHours(Action):
    """Stands in for the shop's action, and returns the events of the test."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def name(self) -> str:
        return "action_opening_hours"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        dispatcher.utter_message(text="We open at nine.")
        return self.events


@pytest.fixture
def action() -> OpeningHours:
    return OpeningHours()


@pytest.fixture
async def brain(tmp_path: FilePath, action: OpeningHours) -> AsyncIterator[Brain]:
    """The trained model, with the test's action."""
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    await migrate(database)
    executor = ActionExecutor()
    executor.register_action(action)
    yield Brain.load(trained_model(), database, InProcessActions(executor))
    await database.aclose()


@pytest.fixture
async def real(tmp_path: FilePath, brain: Brain) -> AsyncIterator[Path]:
    """A message path with the trained model."""
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    yield make_path(database, await add_agent(database, "sam"), real=brain)
    await database.aclose()


def scheduled(intent: str = "thank", **options: Any) -> dict[str, Any]:
    event: dict[str, Any] = ReminderScheduled(
        intent, datetime.now(UTC) + timedelta(hours=1), name="later", **options
    )
    return event


async def tracker_events(path: Path) -> list[dict[str, Any]]:
    async with path.database.read() as connection:
        return await events.load(connection, path.conversation)


class TestReminders:
    async def test_an_action_is_reminded_once_without_rasas_scheduler(
        self, real: Path, action: OpeningHours
    ) -> None:
        action.events = [scheduled()]
        assert await real.say(inbound(QUESTION)) == ["We open at nine."]
        assert await timers_left(real.database) == [("reminder", "later")]
        assert getattr(jobs, "__scheduler") is None
        await pass_time(real.database, 2)
        assert await real.timers.run(real.conversation)
        assert not await real.timers.run(real.conversation)
        await real.deliveries.run(real.conversation)
        assert len(real.channel.texts) == 2
        kept = await tracker_events(real)
        assert [e["event"] for e in kept].count("reminder") == 1
        external = [e for e in kept if (e.get("metadata") or {}).get("is_external")]
        assert [e["parse_data"]["intent"]["name"] for e in external] == ["thank"]

    async def test_the_conversation_goes_on_after_it(
        self, real: Path, action: OpeningHours
    ) -> None:
        action.events = [scheduled()]
        await real.say(inbound(QUESTION, "1"))
        await pass_time(real.database, 2)
        await real.timers.run(real.conversation)
        action.events = []
        assert (await real.say(inbound(QUESTION, "2")))[-1] == "We open at nine."

    async def test_an_action_cancels_it(self, real: Path, action: OpeningHours) -> None:
        action.events = [scheduled(kill_on_user_message=False)]
        await real.say(inbound(QUESTION, "1"))
        action.events = [ReminderCancelled("later")]
        await real.say(inbound(QUESTION, "2"))
        assert await timers_left(real.database) == []

    async def test_an_intent_that_the_model_does_not_know_is_dropped(
        self, real: Path, action: OpeningHours
    ) -> None:
        action.events = [scheduled("of_another_model")]
        await real.say(inbound(QUESTION))
        await pass_time(real.database, 2)
        assert await real.timers.run(real.conversation)
        await real.deliveries.run(real.conversation)
        assert real.channel.texts == ["We open at nine."]
        assert await timers_left(real.database) == []


class TestSessions:
    """A session ends by the time of the last message: no timer, and snapshots do not hide it."""

    @pytest.mark.parametrize(
        ("silent_for", "expired"),
        [(WEEK - timedelta(hours=1), False), (WEEK + timedelta(hours=1), True)],
    )
    async def test_after_a_snapshot(
        self, real: Path, brain: Brain, silent_for: timedelta, expired: bool
    ) -> None:
        await real.receive(inbound(QUESTION))
        await self._long_conversation(real, brain, datetime.now(UTC) - silent_for)
        await real.turns.run(real.conversation)
        async with real.database.read() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT type FROM event ORDER BY number DESC LIMIT 20"
            )
            newest = [row.type for row in rows]
        assert ("session_started" in newest) is expired
        # What the customer said before is known in the new session too.
        slots = {e["name"]: e["value"] for e in await tracker_events(real) if e["event"] == "slot"}
        assert slots["order_number"] == "FD-104233"

    async def _long_conversation(self, path: Path, brain: Brain, until: datetime) -> None:
        """Many exchanges, the last at `until`, of which the first are kept as a snapshot."""
        at = until.timestamp()
        made: list[Event] = [
            ActionExecuted("action_listen", timestamp=at - 1),
            SlotSet("order_number", "FD-104233", timestamp=at - 1),
        ]
        for number in range(60):
            made += [
                UserUttered(f"q{number}", {"name": "thank", "confidence": 0.9}, timestamp=at),
                ActionExecuted("utter_welcome", timestamp=at),
                BotUttered("You are welcome.", timestamp=at),
                ActionExecuted("action_listen", timestamp=at),
            ]
        slots = brain.domain.slots
        tracker = DialogueStateTracker.from_events(path.conversation, made, slots)
        snapshot = snapshot_of(tracker, slots)
        assert snapshot is not None
        async with path.database.write() as connection:
            stored = [event.as_dict() for event in tracker.events]
            last = await events.append(connection, path.conversation, 1, stored)
            await events.write_snapshot(connection, path.conversation, last, snapshot)

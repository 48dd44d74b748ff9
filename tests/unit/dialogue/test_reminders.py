"""Which reminders stand after a turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rasa_sdk.events import ReminderCancelled, ReminderScheduled

from bot.dialogue.reminders import Reminder, standing

AT = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
BEFORE = {
    "killed": Reminder("killed", "check_in", AT),
    "stays": Reminder("stays", "follow_up", AT, {"order": "1"}, kill_on_user_message=False),
}


def scheduled(name: str, **options: Any) -> dict[str, Any]:
    event: dict[str, Any] = ReminderScheduled("check_in", AT, name=name, **options)
    return event


def user(message: str, **more: Any) -> dict[str, Any]:
    return {"event": "user", "text": "hm", "message_id": message, **more}


def test_a_turn_without_a_message_ends_none() -> None:
    external = user("", metadata={"is_external": True})
    assert standing(BEFORE, [external], written=False) == BEFORE


def test_a_message_ends_those_that_it_kills_even_where_the_bot_was_not_asked() -> None:
    assert standing(BEFORE, [], written=True).keys() == {"stays"}


def test_one_that_a_wish_of_the_same_message_set_stands() -> None:
    events = [user("m1"), scheduled("new"), user("m1")]
    assert standing({}, events, written=True).keys() == {"new"}
    assert standing({}, [*events, user("m2")], written=True) == {}


def test_a_restart_ends_all() -> None:
    assert standing(BEFORE, [{"event": "restart"}], written=False) == {}


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({}, set()),
        ({"name": "stays"}, {"killed"}),
        ({"intent_name": "check_in"}, {"stays"}),
        ({"entities": {"order": "1"}}, {"killed"}),
        ({"name": "stays", "intent_name": "check_in"}, {"killed", "stays"}),
        ({"entities": {"order": "2"}}, {"killed", "stays"}),
    ],
)
def test_cancelling_by_name_intent_and_entities(which: dict[str, Any], left: set[str]) -> None:
    assert standing(BEFORE, [ReminderCancelled(**which)], written=False).keys() == left


def test_it_comes_back_from_the_store_as_it_went() -> None:
    reminder = Reminder.of(scheduled("x", entities=[{"entity": "size", "value": "M"}]))
    assert Reminder.from_json(reminder.name, reminder.at, reminder.as_json()) == reminder

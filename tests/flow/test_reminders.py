"""Reminders on both databases: said once, or not at all where they no longer fit."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from rasa_sdk.events import ReminderCancelled

from bot.core.conversation import HandoffReason, State
from bot.core.messages import Content
from bot.dialogue.output import HandoffRequest
from bot.flow.timers import MAX_ATTEMPTS
from bot.store.database import Database
from tests.flow.conftest import Path, make_path
from tests.flow.timing import pass_time, reminder, timers_left
from tests.scripted import inbound


async def fire(path: Path) -> list[str]:
    """An hour passes; returns everything sent so far."""
    await pass_time(path.database, 1.1)
    while await path.timers.run(path.conversation):
        pass
    await path.deliveries.run(path.conversation)
    return path.channel.texts


async def test_it_is_said_once_when_it_is_due(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    assert not await path.timers.run(path.conversation)
    assert await fire(path) == ["re: hello", "reminder: follow_up"]
    assert await fire(path) == ["re: hello", "reminder: follow_up"]
    assert await timers_left(path.database) == []


async def test_of_several_workers_one_fires_it(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    await pass_time(path.database, 2)
    other = Database(path.database.url) if not path.database.is_sqlite else path.database
    replica = make_path(other, path.agent)
    path.brain.delay = replica.brain.delay = 0.2
    ran = await asyncio.gather(
        *(each.timers.run(path.conversation) for each in (path, replica, path, replica))
    )
    assert sorted(ran) == [False, False, False, True]
    assert path.brain.reminded + replica.brain.reminded == ["follow_up"]
    if other is not path.database:
        await other.aclose()


async def test_it_outlives_the_process(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    await path.database.aclose()
    again = make_path(Database(path.database.url), path.agent)
    assert await fire(again) == ["reminder: follow_up"]
    await again.database.aclose()


async def test_the_customer_who_writes_first_ends_it(path: Path) -> None:
    path.brain.events = [reminder(), reminder("check_in", name="stays", kill_on_user_msg=False)]
    await path.say(inbound("hello"))
    await path.say(inbound("I am back"))
    assert await timers_left(path.database) == [("reminder", "stays")]
    assert (await fire(path))[-1] == "reminder: check_in"


async def test_a_message_that_waits_is_answered_first(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    await pass_time(path.database, 2)
    await path.receive(inbound("I am back"))
    assert not await path.timers.run(path.conversation)
    await path.turns.run(path.conversation)
    assert not await path.timers.run(path.conversation)
    assert path.brain.reminded == []


async def test_a_later_message_of_the_same_burst_ends_it(path: Path) -> None:
    await path.receive(inbound("hello"), inbound("never mind"))
    async with path.database.read() as connection:
        from_first = await connection.exec_driver_sql("SELECT id FROM message ORDER BY seq")
        first, second = (row.id for row in from_first)
    path.brain.script = lambda m: None
    path.brain.events = [
        {"event": "user", "message_id": first},
        reminder(),
        {"event": "user", "message_id": second},
    ]
    await path.turns.run(path.conversation)
    assert await timers_left(path.database) == []


async def test_an_action_cancels_it(path: Path) -> None:
    path.brain.events = [
        reminder(name="a", kill_on_user_msg=False),
        reminder("check_in", name="b", kill_on_user_msg=False),
    ]
    await path.say(inbound("hello"))
    path.brain.events = [ReminderCancelled(intent_name="check_in")]
    await path.say(inbound("not that one"))
    assert await timers_left(path.database) == [("reminder", "a")]
    path.brain.events = [ReminderCancelled()]
    await path.say(inbound("none at all"))
    assert await timers_left(path.database) == []


async def test_one_of_the_same_name_replaces_it(path: Path) -> None:
    path.brain.events = [reminder("first"), reminder("second")]
    await path.say(inbound("hello"))
    await fire(path)
    assert path.brain.reminded == ["second"]


async def test_it_may_set_the_next(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    path.brain.events = [reminder("again")]
    await fire(path)
    assert path.brain.reminded == ["follow_up"]
    await fire(path)
    assert path.brain.reminded == ["follow_up", "again"]


async def test_the_bot_is_silent_while_a_human_owns_the_chat(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    await path.desk.take(path.agent, path.conversation)
    before = path.channel.texts
    await fire(path)
    assert path.brain.reminded == []
    assert not [text for text in path.channel.texts[len(before) :] if "reminder" in text]
    assert ("reminder", "later") not in await timers_left(path.database)


async def test_what_an_agent_overtook_is_not_sent(path: Path) -> None:
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    await pass_time(path.database, 2)
    path.brain.delay = 0.4
    firing = asyncio.create_task(path.timers.run(path.conversation))
    await asyncio.sleep(0.1)
    await path.desk.take(path.agent, path.conversation)
    await firing
    await path.deliveries.run(path.conversation)
    assert "reminder: follow_up" not in path.channel.texts


async def test_it_may_ask_for_a_human(path: Path) -> None:
    path.brain.reminder = lambda r: HandoffRequest(HandoffReason.POLICY, {"order_number": "FD-1"})
    path.brain.events = [reminder()]
    await path.say(inbound("where is my order"))
    await fire(path)
    detail = await path.desk.detail(path.agent, path.conversation)
    assert detail.summary.state is State.QUEUED
    assert "where is my order" in detail.episodes[0].brief


async def test_a_closed_conversation_is_reopened_by_what_is_said(path: Path) -> None:
    path.brain.events = [reminder(name="a"), reminder(name="b")]
    await path.say(inbound("hello"))
    await path.desk.resolve(path.agent, path.conversation)
    path.brain.reminder = lambda r: Content("How was it?") if r.name == "b" else None
    await pass_time(path.database, 2)
    states = []
    for _ in range(2):
        await path.timers.run(path.conversation)
        states.append((await path.desk.summary(path.agent, path.conversation)).state)
    assert states == [State.RESOLVED, State.BOT]


async def test_one_that_fails_is_tried_again_and_then_given_up(path: Path) -> None:
    path.brain.reminder = lambda r: RuntimeError("a bug")
    path.brain.events = [reminder()]
    await path.say(inbound("hello"))
    for _ in range(MAX_ATTEMPTS):
        assert await timers_left(path.database) == [("reminder", "later")]
        await pass_time(path.database, 2)
        assert not await path.timers.run(path.conversation)
    assert await timers_left(path.database) == []
    assert len(path.brain.reminded) == MAX_ATTEMPTS


async def test_a_turn_that_fails_sets_none(path: Path) -> None:
    def fails(_: object) -> Exception:
        return RuntimeError("a bug")

    path.brain.script, path.brain.events = fails, [reminder()]
    await path.say(inbound("hello"))
    assert await timers_left(path.database) == []


async def test_a_time_without_zone_is_local(path: Path) -> None:
    at = datetime.now() - timedelta(seconds=1)
    path.brain.events = [reminder(date_time=at.isoformat())]
    await path.say(inbound("hello"))
    assert await path.timers.run(path.conversation)

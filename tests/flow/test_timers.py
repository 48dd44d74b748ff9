"""Timers of ownership on both databases: waits that end, windows that close, workers that race."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.core.conversation import HandoffReason, Ownership, State, Trigger
from bot.core.errors import ConversationError
from bot.core.messages import Address, Author, Capabilities, Content, Inbound, Status
from bot.core.time_limits import TimeLimits
from bot.core.transcript import conversation_id
from bot.dialogue.output import HandoffRequest
from bot.flow.workers import Worker
from bot.store import inbox, timers, turns
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now
from bot.store.timers import Kind
from connectors.channels import twilio
from tests.flow.conftest import Path, make_path
from tests.flow.timing import pass_time, timers_left
from tests.scripted import inbound

DAY = timedelta(days=1)
WINDOW = Capabilities(1000, reply_windows=(("+", DAY),))


def handoff(_: object) -> HandoffRequest:
    return HandoffRequest(HandoffReason.CUSTOMER_REQUEST, {})


async def queue(path: Path, text: str = "human please") -> None:
    """The conversation waits for an agent."""
    path.brain.script = handoff
    await path.say(inbound(text))
    path.brain.script = lambda m: Content(f"re: {m.text}")


async def change(path: Path, *triggers: Trigger) -> None:
    """A helpdesk changes who owns the conversation."""
    async with path.database.write() as connection:
        row = await turns.conversation(connection, path.conversation, for_update=True)
        assert row is not None
        ownership: Ownership = row.ownership
        for trigger in triggers:
            ownership = ownership.after(trigger, agent=path.agent.id)
        await path.deadlines.change(connection, row, ownership, utc_now())


async def state(path: Path) -> State:
    return (await path.desk.summary(path.agent, path.conversation)).state


async def notes(path: Path) -> list[str]:
    """What agents alone read."""
    return [line.text for line in await path.transcript() if line.status is Status.NOTE]


class TestTheQueue:
    async def test_a_wait_that_is_too_long_ends_with_a_word(self, path: Path) -> None:
        await queue(path)
        assert not await path.timers.run(path.conversation)
        await pass_time(path.database, 25)
        assert await path.timers.run(path.conversation)
        assert not await path.timers.run(path.conversation)
        await path.deliveries.run(path.conversation)
        assert await state(path) is State.EXPIRED
        assert "no colleague was free" in path.channel.texts[-1]
        episode = (await path.desk.detail(path.agent, path.conversation)).episodes[0]
        assert (episode.outcome, episode.ended_at is not None) == ("expired", True)

    async def test_the_bot_answers_again(self, path: Path) -> None:
        await queue(path)
        await pass_time(path.database, 25)
        await path.timers.run(path.conversation)
        assert (await path.say(inbound("hello?")))[-1] == "re: hello?"
        await queue(path, "human please, again")
        assert ("queue", "") in await timers_left(path.database)

    @pytest.mark.parametrize("how", ["take", "resolve", "withdraw"])
    async def test_whatever_ends_the_wait_cancels_it(self, path: Path, how: str) -> None:
        await queue(path)
        if how == "withdraw":
            await change(path, Trigger.WITHDRAW)
        else:
            await getattr(path.desk, how)(path.agent, path.conversation)
        assert await timers_left(path.database) == []
        await pass_time(path.database, 25)
        assert not await path.timers.run(path.conversation)

    async def test_who_is_offered_and_declined_waits_as_before(self, path: Path) -> None:
        await queue(path)
        async with path.database.read() as connection:
            before = await timers.of(connection, path.conversation, Kind.QUEUE)
        await change(path, Trigger.OFFER)
        await change(path, Trigger.DECLINE)
        async with path.database.read() as connection:
            assert await timers.of(connection, path.conversation, Kind.QUEUE) == before

    @pytest.mark.parametrize("attempt", range(4))
    async def test_an_agent_who_comes_at_the_same_moment(self, path: Path, attempt: int) -> None:
        await queue(path)
        await pass_time(path.database, 25)
        await asyncio.gather(
            path.timers.run(path.conversation), path.desk.take(path.agent, path.conversation)
        )
        assert await state(path) is State.AGENT
        system = [m.text for m in await path.transcript() if m.author is Author.SYSTEM]
        outcomes = [
            e.outcome for e in (await path.desk.detail(path.agent, path.conversation)).episodes
        ]
        expired = [text for text in system if "no colleague was free" in text]
        # Told that nobody came exactly when the wait had ended before the agent did.
        assert len(expired) == outcomes.count("expired")
        assert "sam has joined" in system[-1]

    async def test_no_limit_is_no_timer(self, path: Path) -> None:
        free = make_path(path.database, path.agent, TimeLimits(None, None, None))
        free.channel.capabilities = WINDOW
        await queue(free)
        assert await timers_left(path.database) == []


async def test_a_parked_conversation_expires_and_one_that_goes_on_does_not(path: Path) -> None:
    await path.say(inbound("hello"))
    await change(path, Trigger.TAKE)
    await change(path, Trigger.PARK)
    await change(path, Trigger.RESUME)
    assert await timers_left(path.database) == []
    await change(path, Trigger.PARK)
    await pass_time(path.database, 8 * 24)
    assert await path.timers.run(path.conversation)
    await path.deliveries.run(path.conversation)
    assert await state(path) is State.EXPIRED
    assert "has rested" in path.channel.texts[-1]


class TestReplyWindows:
    @pytest.fixture(autouse=True)
    def limited(self, path: Path) -> None:
        path.channel.capabilities = WINDOW

    async def test_agents_are_told_before_it_closes(self, path: Path) -> None:
        await queue(path)
        assert ("reply_window", "") in await timers_left(path.database)
        await pass_time(path.database, 21.9)
        assert not await path.timers.run(path.conversation)
        await pass_time(path.database, 0.2)
        before = await path.seen()
        assert await path.timers.run(path.conversation)
        (note,) = await notes(path)
        assert "Free replies to this customer end on" in note
        await path.deliveries.run(path.conversation)
        assert await path.seen() == before, "the customer reads nothing of it"
        assert await state(path) is State.QUEUED

    async def test_each_message_opens_it_anew(self, path: Path) -> None:
        await queue(path)
        await path.desk.take(path.agent, path.conversation)
        await pass_time(path.database, 21)
        await path.say(inbound("are you there?"))
        await pass_time(path.database, 1.5)
        assert not await path.timers.run(path.conversation)
        assert await notes(path) == []

    async def test_one_warning_although_an_agent_takes_it_then(self, path: Path) -> None:
        await queue(path)
        await pass_time(path.database, 23)
        await path.timers.run(path.conversation)
        await path.desk.take(path.agent, path.conversation)
        assert not await path.timers.run(path.conversation)
        assert len(await notes(path)) == 1

    async def test_who_steps_in_late_reads_it_at_once(self, path: Path) -> None:
        await path.say(inbound("hello"))
        async with path.database.write() as connection:
            long_ago = utc_now() - timedelta(hours=30)
            await connection.execute(t.conversation.update().values(last_customer_at=long_ago))
        await path.desk.take(path.agent, path.conversation)
        assert await path.timers.run(path.conversation)
        assert "ended on" in (await notes(path))[0]

    async def test_none_while_the_bot_answers_or_nobody(self, path: Path) -> None:
        await path.say(inbound("hello"))
        assert await timers_left(path.database) == []
        await path.desk.take(path.agent, path.conversation)
        assert await timers_left(path.database) == [("reply_window", "")]
        await path.desk.give_back(path.agent, path.conversation)
        assert await timers_left(path.database) == []


def test_whatsapp_has_a_window_and_sms_has_none() -> None:
    credentials: dict[str, object] = {
        "account_sid": "AC" + "0" * 32, "auth_token": "0" * 32, "twilio_number": "+441134960000"
    }  # fmt: skip
    channel = twilio.create("twilio", credentials, "https://chat.shop.example")
    assert channel.capabilities.reply_window("whatsapp:+447700900123") == DAY
    assert channel.capabilities.reply_window("+447700900123") is None


async def test_replicas_that_race_fire_each_timer_once(path: Path) -> None:
    first = path.database
    second = first if first.is_sqlite else Database(first.url)
    waiting = [Address("scripted", "shop", f"+4477009{number:05}") for number in range(24)]
    due = utc_now() + timedelta(seconds=0.5)
    async with first.write() as connection:
        await inbox.accept(connection, [Inbound(a, a.sender, "hello") for a in waiting], utc_now())
        for address in waiting:
            row = await turns.conversation(connection, conversation_id(address), for_update=True)
            assert row is not None
            queued = row.ownership.after(Trigger.REQUEST).after(Trigger.ENQUEUE)
            await turns.set_ownership(connection, row.id, queued, utc_now())
            await timers.put(connection, row.id, Kind.QUEUE, due, utc_now())
    replicas = [make_path(database, path.agent) for database in (first, second, second)]
    workers = [
        Worker("timer", "timer", p.desk.hub, p.timers.waiting, p.timers.run, due_in=p.timers.due_in)
        for p in replicas
    ]
    for worker in workers:
        await worker.start()
    async with asyncio.timeout(30):
        while await timers_left(first):  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.1)
    for worker in workers:
        await worker.stop()
    async with first.read() as connection:
        rows = await connection.execute(
            select(t.message.c.conversation_id).where(t.message.c.author == Author.SYSTEM)
        )
        told = [row.conversation_id for row in rows]
    assert sorted(told) == sorted(conversation_id(address) for address in waiting)
    if second is not first:
        await second.aclose()


async def test_the_next_timer_is_known(path: Path) -> None:
    assert path.timers.due_in() == float("inf")
    await queue(path)
    assert await path.timers.waiting(10) == []
    assert 23 * 3600 < path.timers.due_in() <= 24 * 3600
    await pass_time(path.database, 25)
    assert await path.timers.waiting(10) == [path.conversation]
    assert path.timers.due_in() == float("inf")


async def test_one_conversation_with_many_timers_hides_no_other(path: Path) -> None:
    await queue(path)
    other = Address("scripted", "shop", "+447700900999")
    async with path.database.write() as connection:
        await inbox.accept(connection, [Inbound(other, "1", "hello")], utc_now())
        due = utc_now() - timedelta(hours=1)
        for number in range(50):
            await timers.put(
                connection, path.conversation, Kind.REMINDER, due, due, name=str(number)
            )
        later = due + timedelta(minutes=1)
        await timers.put(connection, conversation_id(other), Kind.REMINDER, later, due)
    found = await path.timers.waiting(4)
    assert found == [path.conversation, conversation_id(other)]


async def test_a_change_that_is_rolled_back_leaves_its_timers(path: Path) -> None:
    await queue(path)
    before = await timers_left(path.database)
    with contextlib.suppress(ConversationError):
        async with path.database.write() as connection:
            row = await turns.conversation(connection, path.conversation, for_update=True)
            assert row is not None
            taken = row.ownership.after(Trigger.TAKE, agent=path.agent.id)
            await path.deadlines.change(connection, row, taken, datetime.now(UTC))
            raise ConversationError
    assert await timers_left(path.database) == before

"""A platform that is down or strict, on both databases: waiting costs nothing but time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from bot.core.channel import Channel
from bot.core.errors import DeliveryError
from bot.flow.breaker import FAILURES_TO_OPEN, LONGEST_PAUSE, SHORTEST_PAUSE
from bot.flow.deliver import LONGEST_WAIT, MAX_ATTEMPTS, Deliveries
from bot.flow.hub import LocalHub
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now
from connectors.channels.twilio import create
from tests.flow.outages import (
    Platform,
    attempts,
    customers,
    delivering,
    make_due,
    say,
    statuses,
    until,
)
from tests.standins.twilio import Fault, Message, Rate, TwilioStandin
from tests.unit.test_breaker import Clock

DOWN = DeliveryError("no answer", permanent=False)
SHOP = "+447700900100"


def deliveries_of(
    database: Database, channel: Channel, clock: Clock | None = None, **rates: float
) -> Deliveries:
    channels = {channel.name: channel}
    if clock is None:
        return Deliveries(database, LocalHub(), channels, rates)
    return Deliveries(database, LocalHub(), channels, rates, clock=clock)


async def rounds(
    database: Database, deliveries: Deliveries, clock: Clock, count: int, seconds: float
) -> None:
    """Looks for work `count` times, at such distances, with every message's own pause over."""
    for _ in range(count):
        await make_due(database)
        for conversation in await deliveries.waiting(1000):
            await deliveries.run(conversation)
        clock.now += seconds


async def test_an_outage_costs_a_few_attempts_and_not_eight_of_each(database: Database) -> None:
    platform, clock = Platform(down={"shop": DOWN}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(20), "one", "two")
    await rounds(database, deliveries, clock, 40, LONGEST_PAUSE)
    assert sum(await attempts(database)) == FAILURES_TO_OPEN
    assert await statuses(database) == {"pending": 40}

    platform.down.clear()
    # A few go ahead, and then all.
    await rounds(database, deliveries, clock, 2, 0)
    assert await statuses(database) == {"sent": 40}
    for customer in customers(20):
        texts = [m.content.text for m in platform.sent if m.address == customer]
        assert texts == ["one", "two"]


async def test_an_open_breaker_asks_nothing_of_the_platform(database: Database) -> None:
    platform, clock = Platform(down={"shop": DOWN}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    conversations = await say(database, customers(12), "one")
    await rounds(database, deliveries, clock, 1, 0)
    tried = len(platform.tried)
    await make_due(database)
    assert await deliveries.waiting(100) == []
    assert 0 < deliveries.due_in() <= SHORTEST_PAUSE
    for conversation in conversations:
        assert await deliveries.run(conversation)
    assert len(platform.tried) == tried == FAILURES_TO_OPEN


async def test_other_accounts_go_on(database: Database) -> None:
    platform, clock = Platform(down={"shop": DOWN}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(12), "one")
    await say(database, customers(12, "branch"), "one")
    await rounds(database, deliveries, clock, 2, 0)
    assert await statuses(database) == {"pending": 12, "sent": 12}


async def test_a_limit_of_the_account_holds_back_all_its_messages(database: Database) -> None:
    limited = DeliveryError("slow down", permanent=False, retry_after=60, whole_account=True)
    platform, clock = Platform(down={"shop": limited}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(10), "one")
    await say(database, customers(2, "branch"), "one")
    await rounds(database, deliveries, clock, 5, 10)
    assert platform.tried.count("shop") == 1
    assert platform.tried.count("branch") == 2
    assert await attempts(database) == [1, 1, *[0] * 10]
    platform.down.clear()
    await rounds(database, deliveries, clock, 1, 0)
    assert platform.tried.count("shop") == 1, "five times ten seconds are not a minute"
    clock.now += 10
    await rounds(database, deliveries, clock, 2, 0)
    assert await statuses(database) == {"sent": 12}


async def test_a_refusal_for_the_message_s_own_sake_opens_nothing(database: Database) -> None:
    platform, clock = Platform(down={"shop": DeliveryError("no", permanent=True)}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(12), "one")
    await rounds(database, deliveries, clock, 1, 0)
    assert await statuses(database) == {"failed": 12}


async def test_one_bad_message_is_set_aside_and_holds_up_nobody(database: Database) -> None:
    platform, clock = Platform(), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(1, "bad"), "never")
    platform.down["bad"] = DOWN
    await rounds(database, deliveries, clock, MAX_ATTEMPTS, 0)
    assert await statuses(database) == {"failed": 1}


async def test_what_could_not_be_sent_for_a_day_is_set_aside(database: Database) -> None:
    limited = DeliveryError("slow down", permanent=False, whole_account=True)
    platform, clock = Platform(down={"shop": limited}), Clock()
    deliveries = deliveries_of(database, platform, clock)
    await say(database, customers(1), "one")
    await rounds(database, deliveries, clock, MAX_ATTEMPTS * 2, LONGEST_PAUSE)
    assert await statuses(database) == {"pending": 1}
    long_ago = utc_now().fromtimestamp(
        utc_now().timestamp() - LONGEST_WAIT - 1, tz=utc_now().tzinfo
    )
    async with database.write() as connection:
        await connection.execute(update(t.message).values(created_at=long_ago))
    await rounds(database, deliveries, clock, 1, 0)
    assert await statuses(database) == {"failed": 1}


async def test_a_rate_makes_others_of_the_account_wait_and_nobody_else(database: Database) -> None:
    platform, clock = Platform(), Clock()
    deliveries = deliveries_of(database, platform, clock, scripted=1.0)
    await say(database, customers(5), "one")
    await say(database, customers(2, "branch"), "one")
    async with delivering(deliveries, parallel=1):
        await until(lambda: platform.tried.count("branch") == 1)
        for sent in range(1, 5):
            await until(lambda sent=sent: platform.tried.count("shop") == sent)  # type: ignore[misc]
            await asyncio.sleep(0.1)
            assert platform.tried.count("shop") == sent
            clock.now += 1.0
    assert sum(await attempts(database)) == len(platform.sent)


async def test_who_waits_for_the_rate_is_woken_in_time(database: Database) -> None:
    platform = Platform()
    deliveries = deliveries_of(database, platform, scripted=20.0)
    await say(database, customers(10), "one", "two")
    async with delivering(deliveries):
        await until(lambda: len(platform.sent) == 20)
    assert await attempts(database) == [1] * 20


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as standin:
        yield standin


async def test_twilio_s_limit_costs_no_message_an_attempt(
    database: Database, twilio: TwilioStandin
) -> None:
    twilio.limit_rate(Rate(5))
    channel = create("twilio", twilio.credentials(SHOP), "http://127.0.0.1:9")
    await say(database, customers(15, SHOP, "twilio"), "one", "two")
    async with delivering(deliveries_of(database, channel)):
        await until(lambda: _sent(twilio) == 30, 60)
    await channel.aclose()
    assert await statuses(database) == {"sent": 30}
    assert await attempts(database) == [1] * 30


async def test_with_a_rate_twilio_never_has_to_refuse(
    database: Database, twilio: TwilioStandin
) -> None:
    twilio.limit_rate(Rate(12))
    channel = create("twilio", twilio.credentials(SHOP), "http://127.0.0.1:9")
    await say(database, customers(20, SHOP, "twilio"), "one")
    async with delivering(deliveries_of(database, channel, twilio=8.0)):
        await until(lambda: _sent(twilio) == 20)
    await channel.aclose()
    assert len(twilio.record.requests) == 20


async def test_broken_connections_to_twilio_lose_and_repeat_nothing(
    database: Database, twilio: TwilioStandin
) -> None:
    twilio.faults.add(*[Fault.reset(), Fault.error(503), Fault.reset(after=True)] * 2)
    channel = create("twilio", twilio.credentials(SHOP), "http://127.0.0.1:9")
    await say(database, customers(8, SHOP, "twilio"), "one", "two")
    async with delivering(deliveries_of(database, channel)):
        await until(lambda: _sent(twilio) >= 16, 60)
    await channel.aclose()
    assert await statuses(database) == {"sent": 16}
    for customer in customers(8):
        assert [m.body for m in _messages(twilio) if m.to == customer.sender] == ["one", "two"]


def _messages(twilio: TwilioStandin) -> list[Message]:
    return [m for m in twilio.record.messages if m.direction == "outbound-api"]


def _sent(twilio: TwilioStandin) -> int:
    return len(_messages(twilio))

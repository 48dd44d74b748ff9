"""Deliveries on both databases: order, retries, dead letters, crashes between send and commit."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from bot.core.errors import DeliveryError
from bot.core.messages import Receipt, Status
from bot.flow.deliver import MAX_ATTEMPTS
from bot.store import inbox
from bot.store import tables as t
from bot.store.rows import utc_now
from tests.flow.conftest import Path
from tests.scripted import ADDRESS, inbound


async def statuses(path: Path) -> list[str]:
    return [m.status.value for m in await path.transcript() if m.author.value == "bot"]


async def make_due(path: Path) -> None:
    async with path.database.write() as connection:
        await connection.execute(update(t.message).values(next_attempt_at=None))


async def test_a_temporary_failure_is_retried_and_keeps_order(path: Path) -> None:
    path.channel.failures = [DeliveryError("busy", permanent=False, retry_after=60)]
    await path.say(inbound("one"), inbound("two"))
    assert path.channel.texts == []
    assert await statuses(path) == ["pending", "pending"]
    assert not await path.deliveries.run(path.conversation), "it must wait as the platform asked"
    await make_due(path)
    await path.deliveries.run(path.conversation)
    assert path.channel.texts == ["re: one", "re: two"]


async def test_a_clock_that_is_set_back_delays_no_message(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.channel.failures = [DeliveryError("busy", permanent=False, retry_after=3600)]
    await path.say(inbound("one"))
    assert await path.deliveries.waiting(9) == [], "it must wait as the platform asked"
    an_hour_ago = time.time() - 3700
    monkeypatch.setattr("bot.flow.deliver.time.time", lambda: an_hour_ago)
    assert await path.deliveries.waiting(9) == [path.conversation]
    await path.deliveries.run(path.conversation)
    assert path.channel.texts == ["re: one"]


async def test_a_permanent_failure_is_set_aside_and_does_not_block(path: Path) -> None:
    path.channel.failures = [DeliveryError("opted out", permanent=True, code="21610")]
    await path.say(inbound("one"), inbound("two"))
    assert path.channel.texts == ["re: two"]
    assert await statuses(path) == ["failed", "sent"]


async def test_after_the_last_attempt_it_is_a_dead_letter(path: Path) -> None:
    await path.receive(inbound("one"))
    await path.turns.run(path.conversation)
    for _ in range(MAX_ATTEMPTS):
        path.channel.failures = [DeliveryError("down", permanent=False)]
        await make_due(path)
        await path.deliveries.run(path.conversation)
    assert await statuses(path) == ["failed"]


async def interrupt_after_sending(path: Path) -> str:
    """Leaves a row as a crash between sending and "sent" does; returns its id."""
    await path.receive(inbound("one"))
    await path.turns.run(path.conversation)
    async with path.database.write() as connection:
        await connection.execute(
            update(t.message).where(t.message.c.status == "pending").values(status="sending")
        )
        found = await connection.scalar(
            select(t.message.c.id).where(t.message.c.status == "sending")
        )
    return str(found)


async def test_an_ambiguous_send_that_the_platform_knows_is_not_repeated(path: Path) -> None:
    message = await interrupt_after_sending(path)
    path.channel.known[message] = "SM1"
    await path.deliveries.run(path.conversation)
    assert path.channel.texts == []
    assert await statuses(path) == ["sent"]


async def test_an_ambiguous_send_that_nobody_knows_is_repeated_once_and_marked(path: Path) -> None:
    message = await interrupt_after_sending(path)
    await path.deliveries.run(path.conversation)
    assert path.channel.texts == ["re: one"]
    async with path.database.read() as connection:
        resent = await connection.scalar(
            select(t.message.c.resent).where(t.message.c.id == message)
        )
    assert resent


async def test_an_equal_message_of_a_moment_before_is_not_taken_for_it(path: Path) -> None:
    await path.say(inbound("earlier"))
    message = await interrupt_after_sending(path)
    path.channel.known[message] = f"provider-{path.channel.sent[0].id}"
    await path.deliveries.run(path.conversation)
    assert path.channel.texts == ["re: earlier", "re: one"]


async def test_receipts_move_forward_and_never_back(path: Path) -> None:
    await path.say(inbound("one"))
    provider_id = f"provider-{path.channel.sent[0].id}"

    async def receipt(status: Status) -> str:
        note = Receipt(ADDRESS.channel, ADDRESS.account, provider_id, status)
        async with path.database.write() as connection:
            await inbox.note_receipts(connection, [note], utc_now())
        return (await statuses(path))[0]

    assert await receipt(Status.DELIVERED) == "delivered"
    assert await receipt(Status.SENT) == "delivered"
    assert await receipt(Status.READ) == "read"
    assert await receipt(Status.FAILED) == "read"


async def test_a_receipt_that_overtakes_the_commit_of_sent_is_not_lost(path: Path) -> None:
    await path.receive(inbound("one"))
    await path.turns.run(path.conversation)
    message = next(m for m in await path.transcript() if m.author.value == "bot")
    early = Receipt(ADDRESS.channel, ADDRESS.account, f"provider-{message.id}", Status.DELIVERED)
    async with path.database.write() as connection:
        await inbox.note_receipts(connection, [early], utc_now())
    await path.deliveries.run(path.conversation)
    assert await statuses(path) == ["delivered"]


async def test_the_customer_sees_only_what_was_sent(path: Path) -> None:
    await path.receive(inbound("one"))
    await path.turns.run(path.conversation)
    assert await path.seen() == ["one"]
    await path.deliveries.run(path.conversation)
    assert await path.seen() == ["one", "re: one"]

"""Receiving: a message is stored once, at its place, whichever way it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.core.channel import Channel
from bot.core.messages import Address, Attachment, Inbound, WebhookRequest, WebhookResult
from bot.core.transcript import conversation_id
from bot.flow.hub import LocalHub
from bot.flow.receive import Receiver
from bot.store import inbox
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now
from tests.scripted import ScriptedChannel

REQUEST = WebhookRequest("POST", "https://shop.example/", "", {}, b"")
HERE, THERE = Address("test", "shop", "ann"), Address("test", "shop", "ben")


class Receiving(ScriptedChannel):
    """Gives what a test puts in, whatever the request."""

    result = WebhookResult()

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        return self.result


class Desk:
    """One process that receives."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.receiver = Receiver(database, LocalHub())

    async def receive(self, *messages: Inbound) -> None:
        channel = Receiving()
        channel.result = WebhookResult(messages)
        await self.receiver.receive(_as_channel(channel), REQUEST)

    async def rows(self, table: Any, address: Address = HERE) -> list[Any]:
        key = table.c.id if table is t.conversation else table.c.conversation_id
        query = select(table).where(key == conversation_id(address))
        if table is t.message:
            query = query.order_by(table.c.seq)
        async with self.database.read() as connection:
            return list(await connection.execute(query))


def _as_channel(channel: Any) -> Channel:
    return channel  # type: ignore[no-any-return]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def test_messages_take_their_places(desk: Desk) -> None:
    for number in range(1, 4):
        await desk.receive(Inbound(HERE, f"m{number}", f"text {number}"))
    assert [(m.seq, m.text) for m in await desk.rows(t.message)] == [
        (1, "text 1"),
        (2, "text 2"),
        (3, "text 3"),
    ]
    (conversation,) = await desk.rows(t.conversation)
    assert conversation.last_seq == 3


async def test_what_was_stored_changes_nothing(desk: Desk) -> None:
    first, second = Inbound(HERE, "m1", "one"), Inbound(HERE, "m2", "two")
    await desk.receive(first)
    await desk.receive(second)
    before = await desk.rows(t.conversation), await desk.rows(t.message)
    await desk.receive(replace(first, text="another text", profile_name="Another"))
    await desk.receive(second)
    assert (await desk.rows(t.conversation), await desk.rows(t.message)) == before


async def test_the_name_that_the_platform_shows_is_kept_and_renewed(desk: Desk) -> None:
    names = []
    for number, name in enumerate(["Ann", "", "Ann B."]):
        await desk.receive(Inbound(HERE, f"m{number}", "hello", profile_name=name))
        (conversation,) = await desk.rows(t.conversation)
        names.append(conversation.profile_name)
    assert names == ["Ann", "Ann", "Ann B."]


@pytest.mark.parametrize(
    "message",
    [
        Inbound(HERE, "m", "hello"),
        Inbound(HERE, "m", 'a\x00b \ud83d 👍 "quotes" :colon %s {x}', profile_name="O'Neil"),
        Inbound(HERE, "m", attachments=(Attachment("https://x.example/1.jpg", "image/jpeg"),)),
        Inbound(HERE, "m", "Yes", button="token", verified_phone="+447700900123"),
    ],
    ids=["plain", "odd", "photo", "button"],
)
async def test_both_ways_store_the_same(desk: Desk, message: Inbound) -> None:
    await desk.receive(Inbound(HERE, "before", "hi"))
    await desk.receive(Inbound(THERE, "before-there", "hi"))
    await desk.receive(message)  # of a conversation that has begun
    there = replace(message, address=THERE, provider_id="n")
    async with desk.database.write() as connection:
        await inbox.accept(connection, [there], utc_now())
    here_row, there_row = [(await desk.rows(t.message, a))[-1]._asdict() for a in (HERE, THERE)]
    own = ("id", "conversation_id", "inbound_key", "created_at", "updated_at")
    assert all(here_row.pop(name) != there_row.pop(name) for name in own)
    assert here_row == there_row
    (conversation,) = await desk.rows(t.conversation)
    last = (await desk.rows(t.message))[-1]
    assert conversation.last_customer_at == conversation.updated_at == last.created_at


async def test_copies_at_the_same_time_are_one_message(desk: Desk) -> None:
    other = Desk(Database(desk.database.url)) if not desk.database.is_sqlite else desk
    messages = [Inbound(HERE, f"m{n}", str(n)) for n in range(20)]
    await asyncio.gather(
        *(one.receive(m) for m in messages for one in (desk, other) for _ in range(4))
    )
    rows = await desk.rows(t.message)
    assert sorted(row.text for row in rows) == sorted(m.text for m in messages)
    assert len({row.seq for row in rows}) == len(rows)
    if other is not desk:
        await other.database.aclose()


@pytest.fixture
async def statements(desk: Desk) -> AsyncIterator[list[str]]:
    """What the database is asked from now on."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = desk.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def test_on_postgresql_a_message_is_one_statement(desk: Desk, statements: list[str]) -> None:
    if desk.database.is_sqlite:
        pytest.skip("SQLite has no UPDATE inside of an INSERT")
    await desk.receive(Inbound(HERE, "m1", "one"))
    statements.clear()
    await desk.receive(Inbound(HERE, "m2", "two"))
    assert len(statements) == 1

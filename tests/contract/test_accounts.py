"""Agents' logins and tokens, on both databases."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.core.access import Agent, Role
from bot.core.errors import ConfigurationError
from bot.store import accounts
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import utc_now

PASSWORD = "a password that is long"


@pytest.fixture
async def sam(database: Database) -> Agent:
    return await hire(database, "sam")


async def hire(database: Database, name: str) -> Agent:
    async with database.write() as connection:
        return await accounts.add_agent(
            connection,
            email=f"{name}@Shop.example",
            name=name.title(),
            password=PASSWORD,
            role=Role.AGENT,
            now=utc_now(),
        )


async def login(database: Database, email: str, password: str, later: float = 0) -> Agent | None:
    now = utc_now() + timedelta(minutes=later)
    return (await accounts.log_in(database, email, password, now)).agent


async def test_the_right_password_logs_in_whatever_the_case_of_the_address(
    database: Database, sam: Agent
) -> None:
    assert await login(database, " SAM@shop.example ", PASSWORD) == sam


async def test_refusals_look_alike(database: Database, sam: Agent) -> None:
    for email in ("sam@shop.example", "nobody@shop.example", "", "a\x00b", "' --"):
        refused = await accounts.log_in(database, email, "wrong", utc_now())
        assert refused == accounts.Login(None)


async def test_a_refusal_takes_as_long_for_an_unknown_address(
    database: Database, sam: Agent
) -> None:
    async def seconds(email: str) -> float:
        # Of the processor: how long it waits for others is not what an address gives away.
        start = time.process_time()
        await login(database, email, "wrong")
        return time.process_time() - start

    await seconds("warm@shop.example")
    known = min([await seconds(sam.email) for _ in range(3)])
    unknown = min([await seconds("nobody@shop.example") for _ in range(3)])
    # Hashing takes tens of milliseconds; without it an answer takes two or three.
    assert unknown > known / 3


async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(
    database: Database, sam: Agent
) -> None:
    for _ in range(accounts.LOCK_AFTER):
        assert await login(database, sam.email, "wrong") is None
    assert await login(database, sam.email, PASSWORD) is None
    assert await login(database, sam.email, PASSWORD, later=14) is None
    assert await login(database, sam.email, PASSWORD, later=16) == sam


async def test_guesses_at_the_same_time_are_counted_one_by_one(
    database: Database, sam: Agent
) -> None:
    guesses = [login(database, sam.email, f"guess {n}") for n in range(accounts.LOCK_AFTER + 3)]
    assert await asyncio.gather(*guesses) == [None] * len(guesses)
    assert await login(database, sam.email, PASSWORD) is None


async def test_a_right_password_forgets_the_wrong_ones(database: Database, sam: Agent) -> None:
    for _ in range(2):
        for _ in range(accounts.LOCK_AFTER - 1):
            assert await login(database, sam.email, "wrong") is None
        assert await login(database, sam.email, PASSWORD) == sam


async def test_an_agent_who_left_cannot_come_in(database: Database, sam: Agent) -> None:
    async with database.write() as connection:
        token = await accounts.add_token(connection, sam.id, "laptop", utc_now())
        await connection.execute(update(t.agent).where(t.agent.c.id == sam.id).values(active=False))
    assert await login(database, sam.email, PASSWORD) is None
    assert await by_token(database, token) is None
    async with database.read() as connection:
        assert await accounts.agent_by_id(connection, sam.id) is None


async def by_token(database: Database, token: str, later: float = 0) -> Agent | None:
    async with database.read() as connection:
        now = utc_now() + timedelta(minutes=later)
        return await accounts.agent_by_token(connection, token, now)


async def test_tokens_expire_and_can_be_revoked(database: Database, sam: Agent) -> None:
    async with database.write() as connection:
        forever = await accounts.add_token(connection, sam.id, "program", utc_now())
        brief = await accounts.add_token(
            connection, sam.id, "session", utc_now(), timedelta(minutes=10)
        )
    assert forever != brief
    assert await by_token(database, brief, later=9) == sam
    assert await by_token(database, brief, later=11) is None
    assert await by_token(database, forever, later=60 * 24 * 400) == sam
    assert await by_token(database, "fd_unknown") is None
    async with database.write() as connection:
        await accounts.forget_expired_tokens(connection, utc_now() + timedelta(minutes=11))
        left = (await connection.scalars(select(t.api_token.c.label))).all()
        await accounts.revoke_token(connection, forever)
    assert left == ["program"]
    assert await by_token(database, forever) is None


async def test_neither_passwords_nor_tokens_are_kept(database: Database, sam: Agent) -> None:
    async with database.write() as connection:
        token = await accounts.add_token(connection, sam.id, "program", utc_now())
        kept = [
            *(await connection.execute(select(t.agent))).all(),
            *(await connection.execute(select(t.api_token))).all(),
        ]
    assert PASSWORD not in repr(kept)
    assert token not in repr(kept)


async def test_an_address_belongs_to_one_agent(database: Database, sam: Agent) -> None:
    with pytest.raises(ConfigurationError, match="exists"):
        await hire(database, "SAM")

"""Agents, their passwords and their API tokens."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.access import Agent, Role
from bot.core.errors import ConfigurationError
from bot.store import tables as t
from bot.store.database import Database
from bot.store.rows import new_id

LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
_hasher = PasswordHasher()
# Hashing takes 64 MB and a core for a moment: many logins at once wait here, not the event loop.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="login")


@dataclass(frozen=True, slots=True)
class Login:
    """The result of a login: an agent, or None for every kind of refusal."""

    agent: Agent | None


def _agent(row: Row[Any]) -> Agent:
    return Agent(row.id, row.email, row.name, Role(row.role), row.active)


async def add_agent(
    connection: AsyncConnection, *, email: str, name: str, password: str, role: Role, now: datetime
) -> Agent:
    """Creates an agent.

    Raises:
        ConfigurationError: The address is taken.
    """
    values = {"id": new_id(), "email": email.lower(), "name": name, "role": role, "active": True}
    try:
        await connection.execute(
            t.agent.insert().values(**values, password_hash=_hasher.hash(password), created_at=now)
        )
    except IntegrityError as error:
        raise ConfigurationError(
            "agent e-mail", "an agent with this address exists", "Choose another address.", email
        ) from error
    return Agent(values["id"], values["email"], name, role)  # type: ignore[arg-type]


async def has_agents(connection: AsyncConnection) -> bool:
    """Whether anybody can log in."""
    return (await connection.scalar(select(t.agent.c.id).limit(1))) is not None


async def agent_by_id(connection: AsyncConnection, identifier: str) -> Agent | None:
    """An agent at work; None when unknown or no longer active."""
    query = select(t.agent).where(t.agent.c.id == identifier, t.agent.c.active)
    row = (await connection.execute(query)).first()
    return None if row is None else _agent(row)


async def log_in(database: Database, email: str, password: str, now: datetime) -> Login:
    """Checks a password; five wrong ones lock the account for a quarter of an hour.

    Every attempt is counted before its password is looked at, so that attempts at the same time
    count one by one. No transaction is open while the password is hashed.

    Raises:
        StoreUnavailableError: The database does not answer.
    """
    async with database.write() as connection:
        row = await _count_attempt(connection, email.strip().lower(), now)
    right = await _verify(row.password_hash if row else None, password)
    if row is None or not right:
        return Login(None)
    async with database.write() as connection:
        await connection.execute(
            update(t.agent).where(t.agent.c.id == row.id).values(failed_logins=0, locked_until=None)
        )
    return Login(_agent(row))


async def _count_attempt(connection: AsyncConnection, email: str, now: datetime) -> Row[Any] | None:
    """The account; None when it is unknown, locked or closed."""
    # PostgreSQL refuses text with NUL; no account has such an address.
    query = select(t.agent).where(t.agent.c.email == email.replace("\x00", "")).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None or not row.active or (row.locked_until and row.locked_until > now):
        return None
    attempts = row.failed_logins + 1
    locked = attempts >= LOCK_AFTER
    await connection.execute(
        update(t.agent)
        .where(t.agent.c.id == row.id)
        .values(
            failed_logins=0 if locked else attempts,
            locked_until=now + LOCK_FOR if locked else None,
        )
    )
    return row


async def _verify(password_hash: str | None, password: str) -> bool:
    """Takes as long for an unknown account (None) as for a known one."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_hashing, _matches, password_hash, password)


def _matches(password_hash: str | None, password: str) -> bool:
    # Made for every account, else the first unknown one of a process would take longer.
    dummy = _dummy_hash()
    try:
        return _hasher.verify(password_hash or dummy, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def add_token(
    connection: AsyncConnection,
    agent: str,
    label: str,
    now: datetime,
    lifetime: timedelta | None = None,
) -> str:
    """Issues an API token; only its digest is kept, so this is the one time it can be read."""
    token = f"fd_{secrets.token_urlsafe(32)}"
    await connection.execute(
        t.api_token.insert().values(
            digest=_digest(token),
            agent_id=agent,
            label=label,
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
    )
    return token


async def agent_by_token(connection: AsyncConnection, token: str, now: datetime) -> Agent | None:
    """The agent at work whom a token belongs to; None when it is unknown or has expired."""
    query = (
        select(t.agent)
        .join(t.api_token, t.api_token.c.agent_id == t.agent.c.id)
        .where(
            t.api_token.c.digest == _digest(token),
            t.agent.c.active,
            or_(t.api_token.c.expires_at.is_(None), t.api_token.c.expires_at > now),
        )
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _agent(row)


async def revoke_token(connection: AsyncConnection, token: str) -> None:
    """Ends a token at once; nothing happens when it is unknown."""
    await connection.execute(delete(t.api_token).where(t.api_token.c.digest == _digest(token)))


async def forget_expired_tokens(connection: AsyncConnection, now: datetime) -> None:
    """Removes tokens that are of no use any more."""
    await connection.execute(delete(t.api_token).where(t.api_token.c.expires_at <= now))

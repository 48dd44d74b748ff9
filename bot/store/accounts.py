"""Agents, their passwords and their API tokens."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.access import Agent, Role
from bot.core.errors import ConfigurationError
from bot.store import tables as t
from bot.store.rows import new_id

LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
_hasher = PasswordHasher()
# Verified when an address is unknown, so that an answer takes as long as for a known one.
_DUMMY_HASH = _hasher.hash(secrets.token_hex(16))


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


async def log_in(connection: AsyncConnection, email: str, password: str, now: datetime) -> Login:
    """Checks a password; five wrong ones lock the account for a quarter of an hour."""
    query = select(t.agent).where(t.agent.c.email == email.strip().lower())
    row = (await connection.execute(query)).first()
    right = _verify(row.password_hash if row else _DUMMY_HASH, password)
    if row is None or not row.active or (row.locked_until and row.locked_until > now):
        return Login(None)
    failed = 0 if right else row.failed_logins + 1
    locked = now + LOCK_FOR if failed >= LOCK_AFTER else None
    await connection.execute(
        update(t.agent)
        .where(t.agent.c.id == row.id)
        .values(failed_logins=0 if locked else failed, locked_until=locked)
    )
    return Login(_agent(row) if right else None)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


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

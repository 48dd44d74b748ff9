"""The registry of trained models: versions, which one is active, and who runs which.

The archives are kept here too, in parts, so that replicas need no disk in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.errors import ConfigurationError
from bot.store import tables as t
from bot.store.rows import insert_once

# So many of the newest archives are kept, besides the active one and the one before it.
KEPT_ARCHIVES = 5
# A replica that was not seen for so long has ended.
SEEN_WITHIN = timedelta(seconds=60)
_FORGOTTEN_AFTER = timedelta(hours=1)
_LONGEST_FAILURE = 512
_REPLICA = insert_once(t.replica, "name", "version", "file", "seen_at")


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model.

    Attributes:
        sha256, size: Of the archive; size in bytes.
        made_of: Digest of the files it was trained from; empty when unknown.
        active: Whether replicas are to run it.
        chosen_for: Digest of the assistant's files for which it became the active one: a start
            with the same files keeps it.
        previous: The version that a rollback goes back to.
        failure: Why a replica refused it; empty when none did since it became active.
    """

    version: int
    file: str
    sha256: str
    size: int
    made_of: str
    note: str
    trained_at: datetime | None
    registered_at: datetime
    active: bool
    activated_at: datetime | None
    chosen_for: str
    previous: int | None
    failure: str
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Replica:
    """A process that runs: its name, and the version and file of its model."""

    name: str
    version: int | None
    file: str


def _model(row: Row[Any]) -> Model:
    return Model(**row._mapping)


async def register(
    connection: AsyncConnection,
    *,
    file: str,
    sha256: str,
    size: int,
    parts: Iterable[bytes],
    now: datetime,
    trained_at: datetime | None = None,
    made_of: str = "",
    note: str = "",
) -> Model:
    """Gives an archive the next version, or finds the version that it has.

    Args:
        parts: The archive's bytes, in pieces that the database can hold.
    """
    await _lock(connection)
    known = await by_digest(connection, sha256)
    if known is None:
        last = await connection.scalar(select(func.max(t.model.c.version)))
        version = int(last or 0) + 1
        await connection.execute(
            t.model.insert().values(
                version=version,
                file=file,
                sha256=sha256,
                size=size,
                made_of=made_of,
                note=note,
                trained_at=trained_at,
                registered_at=now,
            )
        )
    else:
        version = known.version
        changed = {"made_of": made_of or known.made_of, "note": note or known.note}
        await _set(connection, version, **changed)
    if not await has_archive(connection, version):
        for number, data in enumerate(parts):
            values = {"version": version, "number": number, "data": data}
            await connection.execute(t.model_part.insert().values(values))
    await _prune(connection)
    return await by_version(connection, version)


async def _prune(connection: AsyncConnection) -> None:
    """Forgets old archives; their rows stay."""
    newest = select(t.model.c.version).order_by(t.model.c.version.desc()).limit(KEPT_ARCHIVES)
    kept = set(await connection.scalars(newest))
    current = await active(connection)
    if current is not None:
        kept |= {current.version, current.previous}
    await connection.execute(
        delete(t.model_part).where(t.model_part.c.version.not_in([v for v in kept if v]))
    )


async def has_archive(connection: AsyncConnection, version: int) -> bool:
    """Whether the database still has the archive."""
    first = select(t.model_part.c.number).where(t.model_part.c.version == version).limit(1)
    return (await connection.scalar(first)) is not None


async def part(connection: AsyncConnection, version: int, number: int) -> bytes | None:
    """One piece of an archive; None after the last."""
    found = await connection.scalar(
        select(t.model_part.c.data).where(
            t.model_part.c.version == version, t.model_part.c.number == number
        )
    )
    return None if found is None else bytes(found)


async def listed(connection: AsyncConnection) -> list[Model]:
    """All models, the newest first."""
    rows = await connection.execute(select(t.model).order_by(t.model.c.version.desc()))
    return [_model(row) for row in rows]


async def active(connection: AsyncConnection) -> Model | None:
    """The model that replicas are to run; None before the first start."""
    return await _one(connection, t.model.c.active)


async def by_digest(connection: AsyncConnection, sha256: str) -> Model | None:
    """The model with this archive."""
    return await _one(connection, t.model.c.sha256 == sha256)


async def made_of(connection: AsyncConnection, digest: str) -> Model | None:
    """The newest model that was trained from these files."""
    return await _one(connection, t.model.c.made_of == digest)


async def by_version(connection: AsyncConnection, version: int) -> Model:
    """One model.

    Raises:
        ConfigurationError: There is no such version.
    """
    found = await _one(connection, t.model.c.version == version)
    if found is None:
        raise ConfigurationError(
            "model", "there is no such version", "frontdesk models lists them.", version
        )
    return found


async def _one(connection: AsyncConnection, condition: Any) -> Model | None:
    query = select(t.model).where(condition).order_by(t.model.c.version.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return None if row is None else _model(row)


async def activate(
    connection: AsyncConnection, version: int, now: datetime, chosen_for: str = ""
) -> Model:
    """Makes a version the one that replicas are to run.

    Args:
        chosen_for: The digest of the assistant's files; without it, that of the active model's.

    Raises:
        ConfigurationError: There is no such version.
    """
    await _lock(connection)
    target, current = await by_version(connection, version), await active(connection)
    previous = target.previous
    if current is not None and current.version != version:
        # One that replicas refuse is nothing to go back to.
        previous = current.previous if current.failure else current.version
    inherited = current.chosen_for if current else target.made_of
    await _switch(connection, version, previous, chosen_for or inherited, now)
    return await by_version(connection, version)


async def rollback(connection: AsyncConnection, now: datetime) -> Model:
    """Goes back to the model that was active before; again, to the one before that.

    Raises:
        ConfigurationError: There is none.
    """
    await _lock(connection)
    current = await active(connection)
    if current is None or current.previous is None:
        raise ConfigurationError(
            "model", "no other was active before", "Choose one: frontdesk models activate VERSION."
        )
    target = await by_version(connection, current.previous)
    await _switch(connection, target.version, target.previous, current.chosen_for, now)
    return await by_version(connection, target.version)


async def _switch(
    connection: AsyncConnection,
    version: int,
    previous: int | None,
    chosen_for: str,
    now: datetime,
) -> None:
    await connection.execute(update(t.model).where(t.model.c.active).values(active=False))
    await _set(
        connection,
        version,
        active=True,
        activated_at=now,
        previous=previous,
        chosen_for=chosen_for,
        failure="",
        failed_at=None,
    )


async def fail(
    connection: AsyncConnection, version: int, replica: str, reason: str, now: datetime
) -> None:
    """Notes that a replica refused a model, and stays with the one it has."""
    text = f"{replica}: {reason}"[:_LONGEST_FAILURE]
    await _set(connection, version, failure=text, failed_at=now)


async def _set(connection: AsyncConnection, version: int, **values: object) -> None:
    await connection.execute(update(t.model).where(t.model.c.version == version).values(**values))


async def _lock(connection: AsyncConnection) -> None:
    """Lets one change of the registry at a time pass; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("LOCK TABLE model IN SHARE ROW EXCLUSIVE MODE")


async def see(
    connection: AsyncConnection, name: str, version: int | None, file: str, now: datetime
) -> None:
    """Notes that a replica lives, and what it runs; forgets those that ended without a word."""
    await connection.execute(delete(t.replica).where(t.replica.c.seen_at < now - _FORGOTTEN_AFTER))
    values = {"version": version, "file": file, "seen_at": now}
    await connection.execute(_REPLICA, {"name": name, **values})
    await connection.execute(update(t.replica).where(t.replica.c.name == name).values(**values))


async def leave(connection: AsyncConnection, name: str) -> None:
    """Notes that a replica ends."""
    await connection.execute(delete(t.replica).where(t.replica.c.name == name))


async def replicas(connection: AsyncConnection, now: datetime) -> list[Replica]:
    """The replicas that live."""
    query = (
        select(t.replica.c.name, t.replica.c.version, t.replica.c.file)
        .where(t.replica.c.seen_at >= now - SEEN_WITHIN)
        .order_by(t.replica.c.name)
    )
    return [Replica(row.name, row.version, row.file) for row in await connection.execute(query)]

"""A model's archive on this machine, whichever machine it was trained on."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.core.errors import ModelError
from bot.dialogue.archive import digest_of, inspect, parts_of
from bot.store import models
from bot.store.database import Database
from bot.store.models import Model
from bot.store.rows import utc_now

_KEPT = 3


class ModelLibrary:
    """Registers archives, and finds them again by their digest.

    Args:
        folders: Where trained models are, to be looked at first.
        cache: Where archives from the database are put.
    """

    def __init__(self, database: Database, folders: Sequence[Path], cache: Path) -> None:
        self._database, self._folders, self._cache = database, folders, cache

    async def add(self, path: Path, *, made_of: str = "", note: str = "") -> Model:
        """Registers an archive, or finds the version that it has.

        Raises:
            ModelError: It is broken or of another version of Rasa.
            StoreUnavailableError: The database does not answer.
        """
        archive = await asyncio.to_thread(inspect, path)
        async with self._database.write() as connection:
            return await models.register(
                connection,
                file=path.name,
                sha256=archive.sha256,
                size=archive.size,
                parts=parts_of(path),
                now=utc_now(),
                trained_at=archive.trained_at,
                made_of=made_of,
                note=note,
            )

    async def path(self, model: Model) -> Path:
        """The archive, fetched from the database where this machine does not have it unaltered.

        Raises:
            ModelError: The database does not have it either, or altered.
            StoreUnavailableError: The database does not answer.
        """
        cached = self._cache / f"{model.sha256}.tar.gz"
        # The registered name comes from another machine: only its last part counts here.
        for path in (*(folder / Path(model.file).name for folder in self._folders), cached):
            if await asyncio.to_thread(_is, path, model):
                return path
        await self._fetch(model, cached)
        return cached

    async def _fetch(self, model: Model, target: Path) -> None:
        parts: list[bytes] = []
        while (data := await self._part(model.version, len(parts))) is not None:
            parts.append(data)
        if not parts:
            raise ModelError(f"The database no longer has the archive of version {model.version}.")
        if not await asyncio.to_thread(_write, target, parts, model):
            raise ModelError(f"The archive of version {model.version} was altered in the database.")

    async def _part(self, version: int, number: int) -> bytes | None:
        async with self._database.read() as connection:
            return await models.part(connection, version, number)


def _is(path: Path, model: Model) -> bool:
    """Whether a file is this model's archive, byte for byte."""
    try:
        return path.stat().st_size == model.size and digest_of(path) == model.sha256
    except (OSError, ModelError):
        return False


def _write(target: Path, parts: list[bytes], model: Model) -> bool:
    """Puts the archive in the cache, whole or not at all; False where it is another one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        temporary = Path(file.name)
        try:
            file.writelines(parts)
            file.flush()
            if not _is(temporary, model):
                return False
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    _tidy(target.parent)
    return True


def _tidy(cache: Path) -> None:
    files = sorted(cache.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)

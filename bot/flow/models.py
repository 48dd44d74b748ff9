"""The model in use, and its change while turns go on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from datetime import datetime
from pathlib import Path

from rasa.utils.endpoints import EndpointConfig

from bot.core.errors import ModelError, StoreUnavailableError
from bot.dialogue.brain import Brain
from bot.dialogue.loading import give_back_memory, load_beside, load_checked
from bot.flow.model_library import ModelLibrary
from bot.store import models
from bot.store.database import Database
from bot.store.models import Model
from bot.store.rows import utc_now

logger = logging.getLogger(__name__)

TOPIC = "models"
_FIRST_MESSAGE = "hello"
_SAY_ALIVE_SECONDS = 15.0
# The longest that a turn may still use the old model; its memory is given back then.
_LAST_TURNS_SECONDS = 30.0
_LOOK_SECONDS = 0.05


class Models:
    """Loads the active model, follows the registry, and never gives up a model that works.

    `find` and `work` are a `bot.flow.workers.Worker`'s: hints and a poll make them run.

    Args:
        replica: This process's name in `frontdesk models`.
    """

    def __init__(
        self, database: Database, library: ModelLibrary, actions: EndpointConfig, replica: str
    ) -> None:
        self._database, self._library = database, library
        self._actions, self._replica = actions, replica
        self.brain: Brain | None = None
        self._running: Model | None = None
        self._pinned: Path | None = None
        # Versions that failed, each as of its activation: tried again when activated again.
        self._refused: set[tuple[int, datetime | None]] = set()
        self._follows = False
        self._said_alive = float("-inf")

    @property
    def loaded(self) -> dict[str, object] | None:
        """Version, file and digest of the model in use, for ``/readyz``; None until one is loaded.

        A model that FRONTDESK_MODEL names has no version here.
        """
        if self._running is not None:
            return {
                "version": self._running.version,
                "file": self._running.file,
                "sha256": self._running.sha256,
            }
        return {"version": None, "file": self._pinned.name} if self._pinned else None

    async def load_pinned(self, path: Path) -> None:
        """Loads one file, and stays with it.

        Raises:
            ModelError: It cannot be loaded.
        """
        brain = await asyncio.to_thread(Brain.load, path, self._database, self._actions)
        # The first message that a model reads takes several times as long as the next.
        await brain.parse(_FIRST_MESSAGE)
        self.brain, self._pinned = brain, path

    async def load_active(self) -> None:
        """Loads the active model, or the one before it where that is broken; then follows.

        Raises:
            ModelError: None can be loaded.
            StoreUnavailableError: The database does not answer.
        """
        model, tried = await self._active(), set[int]()
        while model is not None and self.brain is None and model.version not in tried:
            tried.add(model.version)
            await self._try(model)
            model = await self._before(model)
        if self.brain is None:
            raise ModelError(
                "No registered model can be loaded; the lines above say why. "
                "Train a new one: frontdesk train."
            )
        self._follows = True

    async def find(self, _limit: int) -> list[str]:
        """The version to load, if another one is active; also says that this process lives."""
        if self.brain is None:
            return []
        if time.monotonic() - self._said_alive > _SAY_ALIVE_SECONDS:
            await self._say_alive()
        if not self._follows:
            return []
        active = await self._active()
        return [str(active.version)] if active is not None and self._wants(active) else []

    async def work(self, _version: str) -> bool:
        """Loads the active model beside the running turns, and puts it in the old one's place."""
        active = await self._active()
        if active is None or not self._wants(active):
            return False
        await self._try(active)
        return True

    async def stop(self) -> None:
        """This process runs no model any more."""
        with contextlib.suppress(StoreUnavailableError):
            async with self._database.write() as connection:
                await models.leave(connection, self._replica)

    def _wants(self, active: Model) -> bool:
        is_running = self._running is not None and self._running.version == active.version
        return not is_running and (active.version, active.activated_at) not in self._refused

    async def _active(self) -> Model | None:
        async with self._database.read() as connection:
            return await models.active(connection)

    async def _before(self, model: Model) -> Model | None:
        if model.previous is None:
            return None
        async with self._database.read() as connection:
            return await models.by_version(connection, model.previous)

    async def _try(self, model: Model) -> None:
        try:
            path = await self._library.path(model)
            load = load_checked if self.brain is None else load_beside
            brain = await asyncio.to_thread(load, path, model.sha256, self._database, self._actions)
        except ModelError as error:
            await self._refuse(model, error)
            return
        old = weakref.ref(self.brain) if self.brain is not None else None
        # One assignment: turns that run keep the model that they began with.
        self.brain, self._running = brain, model
        logger.info("model version %s (%s) is in use", model.version, model.file)
        await self._say_alive()
        if old is not None:
            await self._give_back(old)

    async def _refuse(self, model: Model, error: ModelError) -> None:
        self._refused.add((model.version, model.activated_at))
        stays = f"version {self._running.version} stays" if self._running else "none is loaded"
        logger.error("model version %s is refused, %s: %s", model.version, stays, error)
        async with self._database.write() as connection:
            await models.fail(connection, model.version, self._replica, str(error), utc_now())

    async def _say_alive(self) -> None:
        version = self._running.version if self._running else None
        file = str((self.loaded or {}).get("file", ""))
        async with self._database.write() as connection:
            await models.see(connection, self._replica, version, file, utc_now())
        self._said_alive = time.monotonic()

    async def _give_back(self, old: weakref.ref[Brain]) -> None:
        """Waits for the turns that still use the old model, then frees its memory."""
        deadline = time.monotonic() + _LAST_TURNS_SECONDS
        # A turn ends without telling: nothing to wait for but its reference.
        while old() is not None and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.to_thread(give_back_memory)

"""Background workers: find conversations that have something to do, and do it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from bot.core.errors import StoreUnavailableError
from bot.core.transcript import Hub

logger = logging.getLogger(__name__)

# Hints come through the hub; this poll finds what a lost hint left, and retries that fall due.
POLL_SECONDS = 1.0
_PAUSE_AFTER_FAILURE = 1.0
DRAIN_SECONDS = 25.0


class Worker:
    """Runs one kind of work for many conversations, a conversation at a time.

    Args:
        name: For logs.
        topic: The hub's topic that wakes it.
        find: Gives conversations that have work, at most as many as asked for.
        work: Does the work of one conversation.
        parallel: How many conversations at once.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        hub: Hub,
        find: Callable[[int], Awaitable[list[str]]],
        work: Callable[[str], Awaitable[bool]],
        parallel: int = 8,
    ) -> None:
        self._name, self._topic, self._hub = name, topic, hub
        self._find, self._work, self._parallel = find, work, parallel
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to work."""
        self._tasks = [
            asyncio.create_task(self._listen(), name=f"{self._name}-listen"),
            asyncio.create_task(self._loop(), name=f"{self._name}-loop"),
        ]

    async def stop(self) -> None:
        """Claims nothing more, and lets what runs finish."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running.values(), timeout=DRAIN_SECONDS)

    async def _listen(self) -> None:
        async with self._hub.subscribe(self._topic) as events:
            async for _ in events:
                self._wake.set()

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            started = await self._start_work()
            if not started:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _start_work(self) -> bool:
        free = self._parallel - len(self._running)
        if free <= 0:
            return False
        try:
            found = await self._find(self._parallel * 2)
        except StoreUnavailableError as error:
            logger.warning("%s: %s", self._name, error)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
            return False
        fresh = [c for c in found if c not in self._running][:free]
        for conversation in fresh:
            task = asyncio.create_task(self._guarded(conversation), name=f"{self._name}-work")
            self._running[conversation] = task
        return bool(fresh)

    async def _guarded(self, conversation: str) -> None:
        try:
            worked = await self._work(conversation)
            if not worked:
                # Another replica has it: leave it alone until the next poll.
                await asyncio.sleep(POLL_SECONDS / 4)
        except StoreUnavailableError as error:
            logger.warning("%s: %s", self._name, error)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        except Exception as error:
            logger.exception("%s failed: %s", self._name, type(error).__name__)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            self._running.pop(conversation, None)
            self._wake.set()

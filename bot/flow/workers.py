"""Background workers: find conversations that have something to do, and do it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import islice
from math import inf

from bot.core.errors import StoreUnavailableError
from bot.core.log_context import log_ids
from bot.core.transcript import Hub
from bot.flow.failures import log_failure

logger = logging.getLogger(__name__)

# Hints come through the hub; this poll finds what a lost hint left, and retries that fall due.
POLL_SECONDS = 1.0
# The same for what other processes have hinted at, while this one has more hints of its own than it
# can follow: they are at it, and two processes must not take each other's work.
POLL_SECONDS_WHEN_BUSY = 5.0
_PAUSE_AFTER_FAILURE = 1.0
# Another replica has the conversation, or nothing in it is due yet.
_PAUSE_WHEN_HELD = 0.25
# A hint from another replica, which is at the work by itself: many of them make one search, and it
# finds what is left over.
_PAUSE_BEFORE_SEARCH = 0.05
# Timers may end a little early: without it the loop would look again until they are due.
_SHORTEST_WAIT = 0.02
# With the three seconds for open connections: a process ends within 25 s.
DRAIN_SECONDS = 20.0


class Worker:
    """Runs one kind of work for many conversations, a conversation at a time.

    Args:
        name: For logs.
        topic: The hub's topic that wakes it.
        find: Gives conversations that have work, at most as many as asked for.
        work: Does the work of one conversation; False when it is to be looked for again later.
        parallel: How many conversations at once.
        due_in: Seconds until conversations may have work that have none now; infinite when that is
            not known.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        hub: Hub,
        find: Callable[[int], Awaitable[list[str]]],
        work: Callable[[str], Awaitable[bool]],
        parallel: int = 8,
        due_in: Callable[[], float] = lambda: inf,
    ) -> None:
        self._name, self._topic, self._hub = name, topic, hub
        self._find, self._work, self._parallel = find, work, parallel
        self._due_in = due_in
        self._running: dict[str, asyncio.Task[None]] = {}
        self._put_off: dict[str, float] = {}
        # Conversations of which hints said that they have work, first hint first.
        self._hinted: dict[str, None] = {}
        # Whether others may have work too, which only the store knows: something fell due here.
        self._look = True
        # The same because the last search found as many as it asked for.
        self._is_more = False
        self._look_at = inf
        self._looked_at = -inf
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self) -> None:
        """Begins to work."""
        self._tasks = [
            asyncio.create_task(self._listen(), name=f"{self._name}-listen"),
            asyncio.create_task(self._loop(), name=f"{self._name}-loop"),
        ]

    def stop_claiming(self) -> None:
        """Begins no more work; may be called from a signal handler."""
        self._closing = True

    async def stop(self) -> None:
        """Claims nothing more, and lets what runs finish."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            # What is cancelled is rolled back, and done after the next start.
            await asyncio.gather(*late, return_exceptions=True)

    async def _listen(self) -> None:
        async with self._hub.subscribe(self._topic) as events:
            async for event in events:
                if event.conversation:
                    self._hinted[event.conversation] = None
                    self._put_off.pop(event.conversation, None)
                elif self._look_at == inf:
                    self._look_at = time.monotonic() + _PAUSE_BEFORE_SEARCH
                self._wake.set()

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            try:
                started = await self._start_work()
            except StoreUnavailableError as error:
                logger.warning("%s: %s", self._name, error)
                started = await self._pause()
            except Exception as error:
                # Whatever it was, a worker that ends would be silence for every customer.
                log_failure(logger, f"{self._name} cannot look for work", error)
                started = await self._pause()
            if not started:
                # Not wait_for: on Python 3.11 it drops a cancellation that comes with the wake-up.
                try:
                    async with asyncio.timeout(self._until_next_look()):
                        await self._wake.wait()
                except TimeoutError:
                    self._look = True

    async def _pause(self) -> bool:
        await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        self._look = True
        return True

    def _until_next_look(self) -> float:
        soonest = min(self._put_off.values(), default=inf) - time.monotonic()
        # Whoever ends wakes the loop: there is nothing to look for before.
        search = self._look_at - time.monotonic() if self._free() else inf
        return max(_SHORTEST_WAIT, min(POLL_SECONDS, soonest, search, self._due_in()))

    async def _start_work(self) -> bool:
        now = time.monotonic()
        still = {c: until for c, until in self._put_off.items() if until > now}
        self._look = self._look or len(still) < len(self._put_off)
        self._put_off = still
        if self._is_time_to_look(now):
            await self._find_more()
        # What runs stays hinted: the hint may be about something newer.
        chosen = [] if self._closing else self._next()
        for conversation in chosen:
            del self._hinted[conversation]
            task = asyncio.create_task(self._guarded(conversation), name=f"{self._name}-work")
            self._running[conversation] = task
        return bool(chosen)

    def _is_time_to_look(self, now: float) -> bool:
        free, waited = self._free(), now - self._looked_at
        if not free:
            return False
        if len(self._next()) == free:
            return waited >= (POLL_SECONDS if self._look else POLL_SECONDS_WHEN_BUSY)
        return self._look or self._is_more or now >= self._look_at or waited >= POLL_SECONDS

    def _next(self) -> list[str]:
        """What hints allow to begin now, as many as there is room for."""
        waiting = (c for c in self._hinted if c not in self._running and c not in self._put_off)
        return list(islice(waiting, self._free()))

    def _free(self) -> int:
        return self._parallel - len(self._running)

    async def _find_more(self) -> None:
        """Adds what the store knows to the hints, behind them."""
        # Those that are put off still stand first in the list: look behind them.
        limit = self._parallel * 2 + len(self._put_off)
        # What is hinted at from now on may not be found.
        self._look_at, self._looked_at = inf, time.monotonic()
        found = await self._find(limit)
        self._look, self._is_more = False, len(found) >= limit
        for conversation in found:
            if conversation not in self._running and conversation not in self._put_off:
                self._hinted.setdefault(conversation)

    async def _guarded(self, conversation: str) -> None:
        with log_ids(conversation=conversation):
            await self._do(conversation)

    async def _do(self, conversation: str) -> None:
        pause = 0.0
        try:
            if not await self._work(conversation):
                pause = _PAUSE_WHEN_HELD
        except StoreUnavailableError as error:
            logger.warning("%s: %s", self._name, error)
            pause = _PAUSE_AFTER_FAILURE
        except Exception as error:
            log_failure(logger, f"{self._name} failed", error)
            pause = _PAUSE_AFTER_FAILURE
        finally:
            if pause:
                self._put_off[conversation] = time.monotonic() + pause
            self._running.pop(conversation, None)
            self._wake.set()

"""Whether this process should get traffic, and if not, why."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from bot.core.errors import StoreUnavailableError
from bot.flow.failures import log_failure
from bot.store import queues
from bot.store.database import Database

logger = logging.getLogger(__name__)

# Probes of several watchers within this time share one look at the database.
CACHE_SECONDS = 1.0
# A database that is slower than this is as good as none; probes want an answer within five seconds.
LIMIT_SECONDS = 3.0
# A message that nobody took up for so long: the workers do not keep up, or do not work.
OLDEST_INBOX_SECONDS = 30.0


class Health:
    """Looks for what keeps this process from serving customers.

    Args:
        model_problem: Says what is wrong with the model in this process; empty when it is ready.
        now: A monotonic clock in seconds.
    """

    def __init__(
        self,
        database: Database,
        model_problem: Callable[[], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._model_problem, self._now = database, model_problem, now
        self._looked_at: float | None = None
        self._found: list[str] = []
        self._looking: asyncio.Task[list[str]] | None = None

    async def problems(self) -> Sequence[str]:
        """What is wrong, in words for an operator; empty when webhooks may be sent here.

        Costs one small transaction a second at most, and answers within five seconds.
        """
        found = list(await self._of_database())
        if problem := self._model_problem():
            found.append(problem)
        return found

    async def _of_database(self) -> Sequence[str]:
        if self._looked_at is not None and self._now() - self._looked_at < CACHE_SECONDS:
            return self._found
        looking = self._looking = self._looking or asyncio.create_task(self._look(), name="health")
        # Not cancelled when it is late: a driver that waits for a dead server would not let go.
        done, _ = await asyncio.wait({looking}, timeout=LIMIT_SECONDS)
        if not done:
            return [f"the database did not answer within {LIMIT_SECONDS:g} s"]
        if self._looking is looking:
            self._looking = None
            self._found, self._looked_at = looking.result(), self._now()
        return self._found

    async def _look(self) -> list[str]:
        try:
            async with self._database.write() as connection:
                await queues.write_probe(connection)
            async with self._database.read() as connection:
                waiting = await queues.inbox(connection)
        except StoreUnavailableError:
            return ["the database cannot be written"]
        except Exception as error:
            log_failure(logger, "the check of the database failed", error)
            return [f"the check of the database failed with {type(error).__name__}"]
        if waiting.oldest <= OLDEST_INBOX_SECONDS:
            return []
        return [f"the oldest message without an answer has waited for {waiting.oldest:.0f} s"]

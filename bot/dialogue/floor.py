"""One turn computes at a time, and lets others while it waits for the shop's systems.

Turns are computed in the event loop's thread. Eight that are ready at once would run one after the
other without a break, and a webhook that came meanwhile would wait for all of them; so the next
one begins in the loop's next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

# A webhook needs so many rounds of the event loop, each of them short, from its first byte to its
# acknowledgement: whoever has come is through before a turn takes the thread for milliseconds.
_ROUNDS_FOR_OTHERS = 5


async def let_others_through() -> None:
    """Lets the event loop do what is short: webhooks, and what comes back from the shop's systems.

    A burst of messages is a turn of seconds: without it between them, lookups of other turns would
    seem to take as long, and end in their time-out.
    """
    for _ in range(_ROUNDS_FOR_OTHERS):
        await asyncio.sleep(0)


class Floor:
    """Who has it may compute."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Has the floor inside; `left` may be used there."""
        await self._lock.acquire()
        holder = _Holder(self._lock)
        token = _holder.set(holder)
        try:
            await let_others_through()
            yield
        finally:
            _holder.reset(token)
            holder.give_up()


class _Holder:
    """One turn's hold of the floor."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock, self._has_it = lock, True

    def give_up(self) -> None:
        if self._has_it:
            self._has_it = False
            self._lock.release()

    async def come_back(self) -> None:
        await self._lock.acquire()
        self._has_it = True


_holder: ContextVar[_Holder | None] = ContextVar("holder", default=None)


@asynccontextmanager
async def floor_left() -> AsyncIterator[None]:
    """Others may compute inside. Where nobody has the floor, it does nothing."""
    holder = _holder.get()
    if holder is None:
        yield
        return
    holder.give_up()
    try:
        yield
    finally:
        await holder.come_back()

"""Following what changes: hints of the hub, and a slow look behind them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bot.core.transcript import Event, Hub

SLOW_POLL = 5.0
# A burst of hints (a turn gives three) is one look.
_GATHER = 0.05
# However much happens, a page looks so often and no oftener.
_REST = 0.2


class Live:
    """Calls `look` whenever something may have changed, one call at a time.

    Args:
        look: Reads the store and shows what it finds.
        typing: Told who is typing in the watched conversation.
    """

    def __init__(
        self, hub: Hub, look: Callable[[], Awaitable[None]], typing: Callable[[Event], None]
    ) -> None:
        self._hub, self._look, self._typing = hub, look, typing
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._over = False

    def watch(self, conversation: str | None) -> None:
        """Follows this conversation beside the queue, and looks at once."""
        if self._over:
            return  # the window was closed while its last click was on the way
        if self._watching:
            self._watching.cancel()
        topics = ("desk", f"conversation:{conversation}") if conversation else ("desk",)
        self._watching = asyncio.create_task(self._listen(topics), name="desk-hints")
        self._changed.set()

    def hurry(self) -> None:
        """Looks at once."""
        self._changed.set()

    async def run(self) -> None:
        """Looks until it is cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_REST)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SLOW_POLL):
                        await self._changed.wait()
                await asyncio.sleep(_GATHER)
                self._changed.clear()
        finally:
            self._over = True
            if self._watching:
                self._watching.cancel()

    async def _listen(self, topics: tuple[str, ...]) -> None:
        async with self._hub.subscribe(*topics) as events:
            async for event in events:
                if event.kind == "typing":
                    self._typing(event)
                else:
                    self._changed.set()

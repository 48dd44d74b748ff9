"""The live stream of one conversation, as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator

from bot.core.errors import StoreUnavailableError
from bot.core.messages import Author
from bot.core.transcript import Event, Hub, Transcript
from connectors.channels.webchat.view import read

HEARTBEAT = 15.0
LIFE = 3_600.0
# While a message is on its way it is looked for soon and then ever more slowly: its delivery may
# be hinted at on another replica only.
_FIRST_LOOK, _SLOWEST_LOOK = 0.2, 5.0
_SILENCE = Event("", "silence")


def topic_of(conversation: str) -> str:
    """The hub's topic of a conversation."""
    return f"conversation:{conversation}"


async def stream(
    transcript: Transcript,
    hub: Hub,
    conversation: str,
    after: int,
    *,
    heartbeat: float = HEARTBEAT,
    life: float = LIFE,
) -> AsyncGenerator[str, None]:
    """Events for one visitor, until the connection or the stream's life ends.

    Yields ``messages`` (a page as `view.read` gives it; its id is the last place), ``typing`` (who
    types: ``bot`` or ``agent``), ``state`` (somebody else owns the conversation now) and comments
    as heartbeat. With every heartbeat the transcript is read again, since a hub may lose a hint.

    Args:
        after: The last place in the transcript that the visitor knows.
        heartbeat: Longest silence in seconds.
        life: Seconds after which the stream ends; the widget comes back with its token.
    """
    end = time.monotonic() + life
    reader = _Reader(transcript, conversation, after, heartbeat)
    async with hub.subscribe(topic_of(conversation)) as events:
        yield ": connected\n\n"
        upcoming = asyncio.create_task(_next(events))
        hint: Event | None = Event("", "messages")
        try:
            while hint and time.monotonic() < end:
                if said := await reader.answer(hint):
                    yield said
                # The task outlives a silence: cancelling it would end the subscription.
                done, _ = await asyncio.wait({upcoming}, timeout=reader.pause)
                hint = upcoming.result() if done else _SILENCE
                if done:
                    upcoming = asyncio.create_task(_next(events))
        except StoreUnavailableError:
            return  # the widget comes back, as after any lost connection
        finally:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)


class _Reader:
    """What one visitor has been told, and when to look again (`pause`, in seconds)."""

    def __init__(
        self, transcript: Transcript, conversation: str, after: int, heartbeat: float
    ) -> None:
        self._transcript, self._conversation, self._after = transcript, conversation, after
        self._heartbeat, self._look = heartbeat, _FIRST_LOOK
        self.pause = heartbeat

    async def answer(self, hint: Event) -> str:
        """The events to send after this hint; may be empty."""
        if hint.kind == "typing":
            # The visitor's own typing comes back by the hub as well: it is no news here.
            own = hint.author == Author.CUSTOMER
            return "" if own else _event("typing", {"author": hint.author})
        said = _event("state", {}) if hint.kind == "state" else ""
        said += await self._news()
        return said or (": still here\n\n" if hint is _SILENCE else "")

    async def _news(self) -> str:
        said, more, held = "", True, False
        while more:
            page = await read(self._transcript, self._conversation, self._after)
            self._after, more, held = page.last, page.more, page.held
            if page.messages:
                said += f"id: {page.last}\n" + _event("messages", {"messages": page.messages})
                self._look = _FIRST_LOOK
        self.pause = min(self._look, self._heartbeat) if held else self._heartbeat
        self._look = min(self._look * 2, _SLOWEST_LOOK) if held else _FIRST_LOOK
        return said


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


def _event(kind: str, data: dict[str, object]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"

"""Following what changes, without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.core.transcript import Event
from bot.flow.hub import LocalHub
from desk.pages import live
from desk.pages.live import Live


class Window:
    """Counts looks, and keeps who was typing."""

    def __init__(self) -> None:
        self.hub = LocalHub()
        self.looks = 0
        self.typing: list[str] = []
        self.live = Live(self.hub, self.look, lambda event: self.typing.append(event.author))

    async def look(self) -> None:
        self.looks += 1

    async def tell(self, topic: str, kind: str = "messages", author: str = "") -> None:
        await self.hub.publish(Event(topic, kind, author))


@pytest.fixture
async def window(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Window]:
    monkeypatch.setattr(live, "_REST", 0.01)
    monkeypatch.setattr(live, "_GATHER", 0.01)
    monkeypatch.setattr(live, "SLOW_POLL", 60.0)
    opened = Window()
    opened.live.watch("one")
    running = asyncio.create_task(opened.live.run())
    await settled()
    yield opened
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def settled() -> None:
    await asyncio.sleep(0.1)


async def test_a_burst_of_hints_is_one_look(window: Window) -> None:
    before = window.looks
    for topic in ("conversation:one", "desk", "conversation:one"):
        await window.tell(topic)
    await settled()
    assert window.looks == before + 1


async def test_other_conversations_are_no_news(window: Window) -> None:
    before = window.looks
    await window.tell("conversation:two")
    await settled()
    assert window.looks == before
    window.live.watch("two")
    await settled()
    assert window.looks == before + 1
    await window.tell("conversation:one")
    await settled()
    assert window.looks == before + 1
    await window.tell("conversation:two")
    await settled()
    assert window.looks == before + 2


async def test_typing_is_told_without_a_look(window: Window) -> None:
    before = window.looks
    await window.tell("conversation:one", "typing", "customer")
    await settled()
    assert window.typing == ["customer"]
    assert window.looks == before


async def test_a_lost_hint_is_made_up_for(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SLOW_POLL", 0.02)
    window.live.hurry()
    await settled()
    before = window.looks
    await settled()
    assert window.looks > before


async def test_a_closed_window_listens_to_nothing() -> None:
    opened = Window()
    opened.live.watch("one")
    running = asyncio.create_task(opened.live.run())
    await settled()
    assert opened.hub._queues
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    opened.live.watch("two")
    await settled()
    assert not opened.hub._queues

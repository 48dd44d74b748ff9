"""Workers: nothing stops them, nobody waits behind what others hold, and they end cleanly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.core.errors import StoreUnavailableError
from bot.core.transcript import Event
from bot.flow import workers
from bot.flow.hub import LocalHub
from bot.flow.workers import Worker


class Work:
    """Conversations that wait, and what was done."""

    def __init__(self, *waiting: str) -> None:
        self.waiting, self.asked, self.tried = list(waiting), 0, list[str]()

    async def find(self, limit: int) -> list[str]:
        self.asked += 1
        return self.waiting[:limit]

    async def do(self, conversation: str) -> bool:
        self.tried.append(conversation)
        self.waiting.remove(conversation)
        return True


@asynccontextmanager
async def running(
    find: Callable[[int], Awaitable[list[str]]],
    do: Callable[[str], Awaitable[bool]],
    parallel: int = 2,
) -> AsyncIterator[LocalHub]:
    hub = LocalHub()
    worker = Worker("test", "inbox", hub, find, do, parallel)
    await worker.start()
    await asyncio.sleep(0)
    yield hub
    await worker.stop()


async def until(true: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        # What is waited for has no event of its own.
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_PAUSE_AFTER_FAILURE", 0.05)


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), RuntimeError("a bug")])
async def test_a_search_that_fails_does_not_end_the_worker(error: Exception) -> None:
    work, failures = Work("a"), [error, error]

    async def find(limit: int) -> list[str]:
        if failures:
            raise failures.pop()
        return await work.find(limit)

    async with running(find, work.do):
        await until(lambda: work.tried == ["a"])


async def test_work_that_fails_is_tried_again_and_quotes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work, failures = Work("a"), [ValueError("call me on 07700 900123")]

    async def do(conversation: str) -> bool:
        if failures:
            raise failures.pop()
        return await work.do(conversation)

    with caplog.at_level(logging.INFO):
        async with running(work.find, do):
            await until(lambda: work.tried == ["a"])
    assert "ValueError" in caplog.text
    assert "07700" not in caplog.text


async def test_nobody_waits_behind_what_another_replica_holds() -> None:
    work = Work(*(f"held-{i}" for i in range(9)), "free")

    async def do(conversation: str) -> bool:
        return False if conversation.startswith("held") else await work.do(conversation)

    async with running(work.find, do, parallel=2):
        await until(lambda: "free" in work.tried, 1.0)


async def test_what_another_replica_holds_is_not_asked_for_all_the_time() -> None:
    work = Work("held")

    async def do(conversation: str) -> bool:
        work.tried.append(conversation)
        return False

    async with running(work.find, do):
        await asyncio.sleep(0.6)
    assert 2 <= len(work.tried) <= 5
    assert work.asked <= 12


async def test_a_hint_wakes_at_once() -> None:
    work = Work()
    async with running(work.find, work.do) as hub:
        await until(lambda: work.asked == 1)
        work.waiting.append("a")
        await hub.publish(Event("inbox", "messages"))
        await until(lambda: work.tried == ["a"], 0.5)


async def test_many_hints_without_a_place_are_one_search() -> None:
    work = Work()
    async with running(work.find, work.do) as hub:
        await until(lambda: work.asked == 1)
        for _ in range(20):
            await hub.publish(Event("inbox", "messages"))
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)
    assert work.asked == 2


async def test_a_hint_with_its_place_needs_no_search() -> None:
    work = Work()
    async with running(work.find, work.do) as hub:
        await until(lambda: work.asked == 1)
        work.waiting.append("a")
        await hub.publish(Event("inbox", "messages", conversation="a"))
        await until(lambda: work.tried == ["a"], 0.5)
    assert work.asked == 1


async def test_who_has_enough_to_do_leaves_others_work_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "POLL_SECONDS_WHEN_BUSY", 1.0)
    work, tried = Work(), list[str]()

    async def do(conversation: str) -> bool:
        tried.append(conversation)
        await asyncio.sleep(0.02)
        return True

    async with running(work.find, do, parallel=1) as hub:
        await until(lambda: work.asked == 1)
        for number in range(90):  # two seconds' work
            await hub.publish(Event("inbox", "messages", conversation=f"own-{number}"))
        work.waiting.append("left-over")
        while "left-over" not in tried and len(tried) < 85:
            await hub.publish(Event("inbox", "messages"))  # another replica has work
            await asyncio.sleep(0.01)
            if "own-15" not in tried:
                assert work.asked == 1, "it looks for what others do"
        # Whoever had it may have died: it is found while there is still enough to do.
        assert 2 <= work.asked <= 5
        await until(lambda: "left-over" in tried)
        assert tried.index("left-over") >= 85, "it goes behind what waits longer"


async def test_it_looks_every_second_also_when_hints_never_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.2)
    work, tried = Work(), list[str]()

    async def do(conversation: str) -> bool:
        tried.append(conversation)
        return True

    async with running(work.find, do) as hub:
        await until(lambda: work.asked == 1)
        work.waiting.append("left-over")
        for number in range(50):
            await hub.publish(Event("inbox", "messages", conversation=f"own-{number}"))
            await asyncio.sleep(0.01)
    assert "left-over" in tried


async def test_a_newer_message_in_what_runs_keeps_nobody_from_looking() -> None:
    work, begun, go_on = Work(), asyncio.Event(), asyncio.Event()

    async def do(conversation: str) -> bool:
        if conversation == "long":
            begun.set()
            await go_on.wait()
            return True
        return await work.do(conversation)

    async with running(work.find, do, parallel=2) as hub:
        await hub.publish(Event("inbox", "messages", conversation="long"))
        await begun.wait()
        await hub.publish(Event("inbox", "messages", conversation="long"))
        work.waiting.append("other")
        await hub.publish(Event("inbox", "messages"))
        await until(lambda: work.tried == ["other"], 0.5)
        go_on.set()


async def test_a_hint_about_what_runs_is_followed_afterwards() -> None:
    work, begun, go_on = Work(), asyncio.Event(), asyncio.Event()

    async def do(conversation: str) -> bool:
        work.tried.append(conversation)
        begun.set()
        await go_on.wait()
        return True

    async with running(work.find, do) as hub:
        await until(lambda: work.asked == 1)
        hint = Event("inbox", "messages", conversation="a")
        await hub.publish(hint)
        await begun.wait()
        await hub.publish(hint)
        await asyncio.sleep(0.05)
        assert work.tried == ["a"]
        go_on.set()
        await until(lambda: work.tried == ["a", "a"], 0.5)


async def test_it_is_idle_when_nothing_waits() -> None:
    work = Work()
    async with running(work.find, work.do):
        await asyncio.sleep(0.3)
    assert work.asked == 1


async def test_what_runs_is_finished_before_the_end() -> None:
    done = []

    async def slow(conversation: str) -> bool:
        await asyncio.sleep(0.2)
        done.append(conversation)
        return True

    async with running(Work("a").find, slow):
        await asyncio.sleep(0.05)
    assert done == ["a"]


@pytest.mark.parametrize("ticks", range(8))
async def test_it_ends_whatever_wakes_it_meanwhile(ticks: int) -> None:
    hub = LocalHub()
    worker = Worker("test", "inbox", hub, Work().find, Work().do)
    await worker.start()
    await asyncio.sleep(0.05)
    await hub.publish(Event("inbox", "messages"))
    for _ in range(ticks):
        await asyncio.sleep(0)
    async with asyncio.timeout(1.0):
        await worker.stop()


async def test_what_does_not_finish_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "DRAIN_SECONDS", 0.1)
    ended = []

    async def endless(conversation: str) -> bool:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(conversation)
        return True

    async with running(Work("a").find, endless):
        await asyncio.sleep(0.05)
    assert ended == ["a"]

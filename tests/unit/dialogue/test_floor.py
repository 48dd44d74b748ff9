"""One turn computes at a time, and steps aside while it waits."""

from __future__ import annotations

import asyncio

import pytest

from bot.dialogue.floor import Floor, floor_left


async def test_the_next_one_begins_when_the_first_has_ended() -> None:
    floor, order = Floor(), []

    async def turn(name: str) -> None:
        async with floor.taken():
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(turn("a"), turn("b"))
    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_others_go_on_while_one_waits_for_the_shop() -> None:
    floor, order = Floor(), []
    shop_answers = asyncio.Event()

    async def slow() -> None:
        async with floor.taken():
            async with floor_left():
                await shop_answers.wait()
            order.append("slow")

    async def quick() -> None:
        async with floor.taken():
            order.append("quick")
        shop_answers.set()

    async with asyncio.timeout(1):
        await asyncio.gather(slow(), quick())
    assert order == ["quick", "slow"]


@pytest.mark.parametrize("waiting", [False, True])
async def test_who_is_cancelled_does_not_keep_it(waiting: bool) -> None:
    floor = Floor()

    async def turn() -> None:
        async with floor.taken():
            if waiting:
                async with floor_left():
                    await asyncio.sleep(60)
            await asyncio.sleep(60)

    task = asyncio.create_task(turn())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(1), floor.taken():
        pass


async def test_who_is_cancelled_on_the_way_back_does_not_keep_it() -> None:
    floor, shop_answers = Floor(), asyncio.Event()

    async def turn() -> None:
        async with floor.taken(), floor_left():
            await shop_answers.wait()

    task = asyncio.create_task(turn())
    await asyncio.sleep(0)
    async with floor.taken():
        shop_answers.set()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(1), floor.taken():
        pass


async def test_without_a_floor_nothing_is_left() -> None:
    async with floor_left():
        pass

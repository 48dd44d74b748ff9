"""A burst of messages is one long turn, and keeps the event loop from nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.bootstrap import connect_actions
from bot.dialogue.brain import Brain
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.flow.conftest import add_agent, make_path
from tests.process import trained_model
from tests.scripted import inbound

# Of the event loop: a lookup in the shop needs about so many.
ROUNDS = 5


async def test_lookups_of_other_turns_go_on_between_the_messages_of_a_burst(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    await migrate(database)
    brain = Brain.load(trained_model(), database, connect_actions({}))
    path = make_path(database, await add_agent(database, "sam"), real=brain)
    said = ["hello", "thanks", "are you a robot?", "you are great", "goodbye", "hello again"]
    await path.receive(*(inbound(text) for text in said))
    rounds = 0

    async def others() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    going = asyncio.create_task(others())
    await path.turns.run(path.conversation)
    going.cancel()
    assert len(await path.transcript()) == 2 * len(said)
    assert rounds >= ROUNDS * len(said)
    await database.aclose()

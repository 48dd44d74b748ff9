"""The message path with a scripted brain, channel and shop on real databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from bot.core.access import Agent, Role
from bot.core.messages import Inbound
from bot.core.shop import Crm, Pos
from bot.core.time_limits import TimeLimits
from bot.core.transcript import TranscriptMessage, conversation_id
from bot.dialogue.brain import Brain
from bot.flow.deadlines import Deadlines
from bot.flow.deliver import Deliveries
from bot.flow.desk import Desk
from bot.flow.hub import LocalHub
from bot.flow.notices import Notices
from bot.flow.reminders import Reminders
from bot.flow.timers import Timers
from bot.flow.turn import Shop, Turns
from bot.store import accounts, inbox
from bot.store import desk as queries
from bot.store.database import Database
from bot.store.rows import utc_now
from connectors.handoff.desk import DeskHandoff
from tests.scripted import ADDRESS, ScriptedBrain, ScriptedChannel


@dataclass
class Path:
    """The pieces of one message path."""

    database: Database
    brain: ScriptedBrain
    channel: ScriptedChannel
    turns: Turns
    deliveries: Deliveries
    desk: Desk
    agent: Agent
    timers: Timers
    deadlines: Deadlines
    hub: LocalHub
    conversation: str = conversation_id(ADDRESS)

    async def receive(self, *messages: Inbound) -> list[str]:
        """Stores messages as a webhook does."""
        async with self.database.write() as connection:
            return await inbox.accept(connection, messages, utc_now())

    async def say(self, *messages: Inbound) -> list[str]:
        """Receives, answers and delivers; returns everything sent so far."""
        await self.receive(*messages)
        await self.turns.run(self.conversation)
        await self.deliveries.run(self.conversation)
        return self.channel.texts

    async def transcript(self) -> list[TranscriptMessage]:
        """The whole transcript."""
        async with self.database.read() as connection:
            return await queries.transcript(connection, self.conversation)

    async def seen(self) -> list[str]:
        """What the customer may read."""
        async with self.database.read() as connection:
            lines = await queries.transcript(connection, self.conversation, for_customer=True)
        return [line.text for line in lines]


async def add_agent(database: Database, name: str, role: Role = Role.AGENT) -> Agent:
    """An agent who can log in."""
    async with database.write() as connection:
        return await accounts.add_agent(
            connection,
            email=f"{name}@shop.example",
            name=name,
            password="a long password",
            role=role,
            now=utc_now(),
        )


@pytest.fixture
async def path(database: Database) -> Path:
    """A message path on an empty database of each kind."""
    return make_path(database, await add_agent(database, "sam"))


def make_path(
    database: Database,
    agent: Agent,
    limits: TimeLimits | None = None,
    real: Brain | None = None,
) -> Path:
    """The pieces of one replica.

    Args:
        real: Answers in place of the scripted brain.
    """
    brain, channel, hub = ScriptedBrain(), ScriptedChannel(), LocalHub()
    answering = real or cast(Brain, brain)
    notices = Notices(lambda: {})
    # The scripted brain looks nothing up; identity by phone has tests of its own with a real CRM.
    shop = Shop(cast(Crm, None), cast(Pos, None), "Europe/London")
    channels = {channel.name: channel}
    deadlines = Deadlines(limits or TimeLimits(), channels)
    turns = Turns(
        database,
        hub,
        lambda: answering,
        shop,
        channels,
        DeskHandoff(),
        notices,
        deadlines=deadlines,
    )
    reminders = Reminders(lambda: answering, shop, turns.record)
    return Path(
        database,
        brain,
        channel,
        turns,
        Deliveries(database, hub, channels),
        Desk(database, hub, shop.crm, shop.pos, notices, deadlines),
        agent,
        Timers(database, hub, reminders, deadlines, notices, shop.timezone),
        deadlines,
        hub,
    )

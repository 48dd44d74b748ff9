"""A reminder that is due: its intent is triggered in the conversation, as a turn of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.faults import fault_point
from bot.dialogue.brain import Brain, Person
from bot.dialogue.reminders import Reminder
from bot.dialogue.tracker_store import TurnMemory
from bot.flow.deadlines import WITH_HUMANS
from bot.flow.turn import Shop
from bot.flow.turn_record import TurnRecord
from bot.store import events, timers, turns
from bot.store.database import LockedSession
from bot.store.rows import new_id, utc_now
from bot.store.timers import Timer


@asynccontextmanager
async def firing(session: LockedSession) -> AsyncIterator[AsyncConnection]:
    """The transaction in which a timer does what it is for, and is deleted."""
    async with session.write() as connection:
        yield connection
        fault_point("timer.before_commit")


class Reminders:
    """Fires reminders.

    Args:
        brain: Gives the brain in use now.
        record: Writes the turn.
    """

    def __init__(self, brain: Callable[[], Brain], shop: Shop, record: TurnRecord) -> None:
        self._brain, self._shop, self._record = brain, shop, record

    async def fire(self, session: LockedSession, row: turns.ConversationRow, timer: Timer) -> bool:
        """Says what the bot has to say, and deletes the timer.

        Returns:
            False when it must wait, because the customer has written and was not answered yet.
        """
        if row.ownership.owner in WITH_HUMANS:
            # The bot is silent, and what it wanted to say will be out of place later.
            async with firing(session) as connection:
                await timers.take(connection, timer)
            return True
        async with session.read() as connection:
            # The turn comes first: the message may end the reminder.
            if await turns.unprocessed(connection, row.id):
                return False
            brain = self._brain()
            memory = brain.recall(row.id, row.last_event)
            memory = memory or TurnMemory(row.id, await events.load(connection, row.id))
        reminder = Reminder.from_json(timer.name, timer.due_at, timer.data)
        context = self._shop.context(timer.id, utc_now(), row.address.channel)
        person = Person(row.identity, row.customer_id)
        answer = await brain.remind(memory, reminder, person, context)
        brief = await self._record.brief(session, row, [], answer)
        name = await self._record.name(row, answer.person)
        async with firing(session) as connection:
            if not await timers.take(connection, timer):
                return True
            written = await self._record.write(connection, row, [], answer, brief, name, new_id())
        brain.keep(answer, written.last_event)
        return True

"""Timers that are due: each is handled and deleted in one transaction, so it fires once.

Who fires one holds the conversation's lock, as a turn does, and nobody else works on it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import Trigger
from bot.core.errors import StoreUnavailableError
from bot.core.faults import fault_point
from bot.core.messages import Author, Content, Status
from bot.core.transcript import Event, Hub
from bot.flow.deadlines import STATES, WITH_HUMANS, Deadlines
from bot.flow.failures import log_failure
from bot.flow.notices import Notices
from bot.flow.reminders import Reminders, firing
from bot.store import desk as queries
from bot.store import outbox, timers, turns
from bot.store.database import Database, LockedSession
from bot.store.rows import utc_now
from bot.store.timers import Kind, Timer

logger = logging.getLogger(__name__)

# A reminder that failed so often is given up.
MAX_ATTEMPTS = 3
_PAUSE_AFTER_FAILURE = timedelta(seconds=20)
_LONGEST_PAUSE = timedelta(hours=1)


class Timers:
    """Finds and fires timers.

    Args:
        timezone: IANA name of the shop's time zone, in which agents read times.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        reminders: Reminders,
        deadlines: Deadlines,
        notices: Notices,
        timezone: str,
    ) -> None:
        self._database, self._hub, self._reminders = database, hub, reminders
        self._deadlines, self._notices = deadlines, notices
        self._timezone = ZoneInfo(timezone)
        self._next: datetime | None = None

    async def waiting(self, limit: int) -> list[str]:
        """Conversations with a timer that is due, longest due first."""
        async with self._database.read() as connection:
            found, self._next = await timers.due(connection, utc_now(), limit)
        return found

    def due_in(self) -> float:
        """Seconds until the next timer that `waiting` saw; infinite where there is none."""
        return inf if self._next is None else (self._next - utc_now()).total_seconds()

    async def run(self, conversation: str) -> bool:
        """Fires the conversation's timer that is due for longest.

        Returns:
            False when another worker has the conversation, when no timer is due, when it must wait
            for a turn and when it failed: not to be tried again at once.

        Raises:
            StoreUnavailableError: Nothing was changed.
        """
        async with self._database.try_lock("turn", conversation) as session:
            if session is None:
                return False
            async with session.read() as connection:
                row = await turns.conversation(connection, conversation)
                timer = await timers.first_due(connection, conversation, utc_now())
            if row is None or timer is None:
                return False
            fault_point("timer.claimed")
            if not await self._guarded(session, row, timer):
                return False
            fault_point("timer.after_commit")
        await self._hub.publish(Event("outbox", "messages", conversation=conversation))
        await self._hub.publish(Event(f"conversation:{conversation}", "messages"))
        await self._hub.publish(Event("desk", "state"))
        return True

    async def _guarded(
        self, session: LockedSession, row: turns.ConversationRow, timer: Timer
    ) -> bool:
        try:
            if timer.kind is Kind.REMINDER:
                return await self._reminders.fire(session, row, timer)
            async with firing(session) as connection:
                await self._fire(connection, row.id, timer)
        except StoreUnavailableError:
            raise
        except Exception as error:
            log_failure(logger, f"a timer ({timer.kind}) failed", error)
            await self._failed(session, timer)
            return False
        return True

    async def _failed(self, session: LockedSession, timer: Timer) -> None:
        """Has it fall due again later; a reminder is given up at last."""
        attempts = timer.attempts + 1
        async with session.write() as connection:
            if timer.kind is Kind.REMINDER and attempts >= MAX_ATTEMPTS:
                logger.error("a reminder was given up after %d attempts", attempts)
                await timers.take(connection, timer)
                return
            pause = min(_PAUSE_AFTER_FAILURE * 2 ** min(attempts, 10), _LONGEST_PAUSE)
            await timers.put_off(connection, timer, utc_now() + pause)

    async def _fire(self, connection: AsyncConnection, conversation: str, timer: Timer) -> None:
        # The row first: an agent who is just taking the conversation cancels the timer.
        row = await turns.conversation(connection, conversation, for_update=True)
        if row is None or not await timers.take(connection, timer):
            return
        if timer.kind is Kind.REPLY_WINDOW:
            await self._warn(connection, row, timer, utc_now())
        elif row.ownership.state in STATES[timer.kind]:
            await self._expire(connection, row, timer, utc_now())

    async def _expire(
        self, connection: AsyncConnection, row: turns.ConversationRow, timer: Timer, now: datetime
    ) -> None:
        """Ends the wait for a human: the customer is told, and the bot answers from now on."""
        ownership = row.ownership.after(Trigger.EXPIRE)
        await self._deadlines.change(connection, row, ownership, now)
        await queries.change_episode(connection, row.id, outcome="expired", ended_at=now)
        notice = self._notices.expired(parked=timer.kind is Kind.PARKED)
        draft = outbox.Draft(notice, Author.SYSTEM)
        await outbox.write(connection, row.id, [draft], epoch=ownership.epoch, now=now)

    async def _warn(
        self, connection: AsyncConnection, row: turns.ConversationRow, timer: Timer, now: datetime
    ) -> None:
        """Notes for agents that free replies end soon."""
        if row.ownership.owner not in WITH_HUMANS:
            return
        end = datetime.fromtimestamp(timer.data["end"], UTC)
        shown = f"{end.astimezone(self._timezone):%d %b, %H:%M}"
        text = (
            f"Free replies to this customer end on {shown}, unless they write again."
            if end > now
            else f"Free replies to this customer ended on {shown}; they must write first."
        )
        draft = outbox.Draft(Content(text), Author.SYSTEM, status=Status.NOTE)
        await outbox.write(connection, row.id, [draft], epoch=row.ownership.epoch, now=now)

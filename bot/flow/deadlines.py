"""The timers that follow from who owns a conversation: set and cancelled with each change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.channel import Channel
from bot.core.conversation import WAITING_STATES, Owner, Ownership, State
from bot.core.messages import Address
from bot.core.time_limits import TimeLimits
from bot.store import timers, turns
from bot.store.timers import Kind

# In which states the timer of a kind runs.
STATES = {Kind.QUEUE: WAITING_STATES, Kind.PARKED: (State.PARKED,)}
WITH_HUMANS = (Owner.QUEUE, Owner.AGENT)


class Deadlines:
    """Writes changes of ownership, and the timers that go with them.

    Args:
        channels: Tell how long after a customer's message the shop may write freely.
    """

    def __init__(self, limits: TimeLimits, channels: Mapping[str, Channel]) -> None:
        self._limits, self._channels = limits, channels

    async def change(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        ownership: Ownership,
        now: datetime,
    ) -> None:
        """Writes who owns the conversation from now on.

        Args:
            row: The conversation as it was, its row locked.
        """
        await turns.set_ownership(connection, row.id, ownership, now)
        for kind, limit in ((Kind.QUEUE, self._limits.queue), (Kind.PARKED, self._limits.parked)):
            if ownership.state not in STATES[kind]:
                await timers.cancel(connection, row.id, kind)
            # One who is offered and declined waits as before.
            elif row.ownership.state not in STATES[kind] and limit is not None:
                await timers.put(connection, row.id, kind, now + limit, now)
        if ownership.owner not in WITH_HUMANS:
            await timers.cancel(connection, row.id, Kind.REPLY_WINDOW)
        elif row.ownership.owner not in WITH_HUMANS:
            await self.heard(connection, row, now)

    async def heard(
        self, connection: AsyncConnection, row: turns.ConversationRow, now: datetime
    ) -> None:
        """The customer of a conversation that humans own wrote: the reply window opens anew."""
        window, said = self.reply_window(row.address), row.last_customer_at
        if window is None or said is None or self._limits.warning is None:
            return
        end = said + window
        warn = max(now, end - self._limits.warning)
        data = {"end": end.timestamp()}
        await timers.put(connection, row.id, Kind.REPLY_WINDOW, warn, now, data=data)

    def reply_window(self, address: Address) -> timedelta | None:
        """How long after a customer's message the shop may write freely; None: always."""
        channel = self._channels.get(address.channel)
        return channel.capabilities.reply_window(address.sender) if channel else None

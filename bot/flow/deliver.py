"""Deliver: outbound rows, in order per conversation, until the platform has each."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping

from bot.core.channel import Channel
from bot.core.errors import DeliveryError
from bot.core.faults import fault_point
from bot.core.messages import Author, Status
from bot.core.observer import DeliveryOutcome, DeliveryWatch, Observer, Unobserved
from bot.core.transcript import Event, Hub
from bot.store import inbox, outbox
from bot.store.database import Database, LockedSession
from bot.store.rows import provider_key, utc_now

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
_BACKOFF_LIMIT = 300.0


class Deliveries:
    """Sends what waits in the outbox."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        channels: Mapping[str, Channel],
        observer: Observer | None = None,
    ) -> None:
        self._database, self._hub, self._channels = database, hub, channels
        self._observer = observer or Unobserved()

    async def run(self, conversation: str) -> bool:
        """Sends the messages of one conversation that are due.

        Returns:
            False when another worker has the conversation, or nothing was due.
        """
        sent_any = False
        async with self._database.try_lock("deliver", conversation) as session:
            if session is None:
                return False
            while await self._next(session, conversation):
                sent_any = True
                await self._hub.publish(Event(f"conversation:{conversation}", "messages"))
        return sent_any

    async def _next(self, session: LockedSession, conversation: str) -> bool:
        async with self._database.read() as connection:
            queued = await outbox.head(connection, conversation, time.time())
            epoch = await outbox.current_epoch(connection, conversation)
        if queued is None:
            return False
        with self._observer.delivery(queued.outgoing.address.channel) as watch:
            return await self._deliver(session, queued, epoch, watch)

    async def _deliver(
        self, session: LockedSession, queued: outbox.Queued, epoch: int, watch: DeliveryWatch
    ) -> bool:
        if queued.outgoing.author is Author.BOT and queued.epoch < epoch:
            await self._mark(session, queued, Status.DROPPED)
            watch.ended(DeliveryOutcome.DROPPED)
            return True
        channel = self._channels.get(queued.outgoing.address.channel)
        if channel is None:
            await self._mark(session, queued, Status.FAILED, error="the channel is not connected")
            watch.ended(DeliveryOutcome.FAILED)
            return True
        if queued.ambiguous and await self._reconcile(session, channel, queued):
            watch.ended(DeliveryOutcome.FOUND)
            return True
        await self._mark(
            session, queued, Status.SENDING, attempts=queued.attempts + 1, resent=queued.ambiguous
        )
        fault_point("deliver.before_send")
        outcome = await self._send(session, channel, queued)
        watch.ended(outcome)
        return outcome is not DeliveryOutcome.RETRIED

    async def _send(
        self, session: LockedSession, channel: Channel, queued: outbox.Queued
    ) -> DeliveryOutcome:
        try:
            provider_id = await channel.send(queued.outgoing)
        except DeliveryError as error:
            return await self._put_off(session, queued, error)
        except Exception as error:
            logger.error("%s: sending failed: %s", channel.name, type(error).__name__)
            unexpected = DeliveryError(type(error).__name__, permanent=False)
            return await self._put_off(session, queued, unexpected)
        fault_point("deliver.after_send")
        await self._sent(session, queued, provider_id)
        fault_point("deliver.after_commit")
        return DeliveryOutcome.SENT

    async def _sent(self, session: LockedSession, queued: outbox.Queued, provider_id: str) -> None:
        address = queued.outgoing.address
        key = provider_key(address.channel, address.account, provider_id)
        now = utc_now()
        async with session.write() as connection:
            await outbox.mark(
                connection, queued.outgoing.id, Status.SENT, now, provider_key=key, error=None
            )
            await inbox.apply_early_receipts(connection, key, now)

    async def _reconcile(
        self, session: LockedSession, channel: Channel, queued: outbox.Queued
    ) -> bool:
        """Asks the platform about a message that a crash left between sending and "sent"."""
        try:
            found = await channel.find_sent(queued.outgoing, queued.last_attempt)
        except DeliveryError:
            return False
        # An equal text that went out a moment before is another message's.
        if found is None or await self._is_taken(queued, found):
            return False
        await self._sent(session, queued, found)
        return True

    async def _is_taken(self, queued: outbox.Queued, provider_id: str) -> bool:
        address = queued.outgoing.address
        key = provider_key(address.channel, address.account, provider_id)
        async with self._database.read() as connection:
            return await outbox.is_taken(connection, key)

    async def _put_off(
        self, session: LockedSession, queued: outbox.Queued, error: DeliveryError
    ) -> DeliveryOutcome:
        """Plans another attempt, or sets the message aside for a human to see."""
        attempts = queued.attempts + 1
        if error.permanent or attempts >= MAX_ATTEMPTS:
            logger.warning(
                "message %s is set aside: %s", queued.outgoing.id, error.code or "failed"
            )
            await self._mark(session, queued, Status.FAILED, error=error.reason[:256])
            await self._hub.publish(Event("desk", "state"))
            return DeliveryOutcome.FAILED
        wait = error.retry_after or min(_BACKOFF_LIMIT, 2.0**attempts) * random.uniform(0.5, 1.0)
        await self._mark(
            session,
            queued,
            Status.PENDING,
            error=error.reason[:256],
            next_attempt_at=time.time() + wait,
        )
        return DeliveryOutcome.RETRIED

    async def _mark(
        self, session: LockedSession, queued: outbox.Queued, status: Status, **changes: object
    ) -> None:
        async with session.write() as connection:
            await outbox.mark(connection, queued.outgoing.id, status, utc_now(), **changes)

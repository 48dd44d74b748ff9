"""Deliver: outbound rows, in order per conversation, until the platform has each."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from enum import Enum

from bot.core.channel import Channel
from bot.core.dead_letters import GAVE_UP, NOT_CONNECTED
from bot.core.errors import DeliveryError
from bot.core.faults import fault_point
from bot.core.messages import Author, Status
from bot.core.observer import DeliveryOutcome, Observer, Unobserved
from bot.core.transcript import Event, Hub
from bot.flow.gates import Account, Gates, Passage
from bot.store import inbox, outbox
from bot.store.database import Database, LockedSession
from bot.store.rows import provider_key, utc_now

logger = logging.getLogger(__name__)


class _Step(Enum):
    """What became of a conversation's next message."""

    ON = "it is done with, and the one behind it may follow"
    LAST = "it is done with, and nothing stood behind it"
    NOTHING = "none is due"
    HELD = "its account must wait"


MAX_ATTEMPTS = 8
_BACKOFF_LIMIT = 300.0
# What costs no attempt may go on for long: after a day nobody waits for the message any more.
LONGEST_WAIT = 86_400.0


class Deliveries:
    """Sends what waits in the outbox.

    Args:
        rates: Messages a second of each account, by channel; one that is not named has no limit.
        clock: Seconds that only grow; what accounts wait by.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        channels: Mapping[str, Channel],
        rates: Mapping[str, float] | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._hub, self._channels = database, hub, channels
        self._observer = observer or Unobserved()
        self._gates = Gates(rates or {}, clock)
        self._held: list[Account] = []

    async def waiting(self, limit: int) -> list[str]:
        """Conversations with a message that may be sent now, longest waiting first."""
        self._held = held = self._gates.held()
        async with self._database.read() as connection:
            found = await outbox.conversations_waiting(connection, time.time(), limit, held)
        return self._gates.admitted(found)

    def due_in(self) -> float:
        """Seconds until an account that `waiting` last left out may send; else infinite."""
        return self._gates.opens_in(self._held)

    async def run(self, conversation: str) -> bool:
        """Sends the messages of one conversation that are due.

        Returns:
            False when another worker has the conversation, or nothing was due. True also when its
            account must wait: `waiting` does not name it until then.
        """
        moved = False
        async with self._database.try_lock("deliver", conversation) as session:
            if session is None:
                return False
            step = _Step.ON
            while step is _Step.ON:
                step = await self._next(session, conversation)
                if step in (_Step.ON, _Step.LAST):
                    moved = True
                    await self._hub.publish(Event(f"conversation:{conversation}", "messages"))
        if step is _Step.HELD:
            self._held = self._gates.held()
        return moved or step is _Step.HELD

    async def _next(self, session: LockedSession, conversation: str) -> _Step:
        async with session.read() as connection:
            queued = await outbox.head(connection, conversation, time.time())
        if queued is None:
            return _Step.NOTHING
        with self._observer.delivery(queued.outgoing.address.channel) as watch:
            outcome = await self._deliver(session, conversation, queued)
            if outcome is None:
                return _Step.HELD
            watch.ended(outcome)
        if outcome is DeliveryOutcome.RETRIED:
            return _Step.NOTHING
        return _Step.LAST if queued.last else _Step.ON

    async def _deliver(
        self, session: LockedSession, conversation: str, queued: outbox.Queued
    ) -> DeliveryOutcome | None:
        """What became of a message; None when its account must wait."""
        if queued.outgoing.author is Author.BOT and queued.overtaken:
            await self._mark(session, queued, Status.DROPPED)
            return DeliveryOutcome.DROPPED
        channel = self._channels.get(queued.outgoing.address.channel)
        if channel is None:
            error = DeliveryError(
                "the channel is not connected", permanent=True, code=NOT_CONNECTED
            )
            return await self._set_aside(session, queued, error)
        with self._gates.of(queued.outgoing.address).passing(conversation) as passage:
            if passage is None:
                return None
            if queued.ambiguous and await self._reconcile(session, channel, queued):
                return DeliveryOutcome.FOUND
            if not channel.capabilities.reads_transcript:
                await self._mark(
                    session,
                    queued,
                    Status.SENDING,
                    attempts=queued.attempts + 1,
                    resent=queued.ambiguous,
                )
            fault_point("deliver.before_send")
            return await self._send(session, channel, queued, passage)

    async def _send(
        self, session: LockedSession, channel: Channel, queued: outbox.Queued, passage: Passage
    ) -> DeliveryOutcome:
        try:
            provider_id = await channel.send(queued.outgoing)
        except DeliveryError as error:
            if error.permanent:
                passage.answered()
                return await self._set_aside(session, queued, error)
            free = passage.failed(error)
            return await self._put_off(session, queued, error, free=free)
        except Exception as error:
            # A mistake of the connector's says nothing of the platform.
            logger.error("%s: sending failed: %s", channel.name, type(error).__name__)
            unexpected = DeliveryError(type(error).__name__, permanent=False)
            return await self._put_off(session, queued, unexpected, free=False)
        passage.answered()
        fault_point("deliver.after_send")
        await self._sent(session, queued, provider_id, attempts=queued.attempts + 1)
        fault_point("deliver.after_commit")
        return DeliveryOutcome.SENT

    async def _sent(
        self, session: LockedSession, queued: outbox.Queued, provider_id: str, *, attempts: int
    ) -> None:
        address = queued.outgoing.address
        key = provider_key(address.channel, address.account, provider_id)
        now = utc_now()
        async with session.write() as connection:
            await outbox.mark(
                connection,
                queued.outgoing.id,
                Status.SENT,
                now,
                provider_key=key,
                attempts=attempts,
                error=None,
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
        if found is None or await self._is_taken(session, queued, found):
            return False
        await self._sent(session, queued, found, attempts=queued.attempts)
        return True

    async def _is_taken(
        self, session: LockedSession, queued: outbox.Queued, provider_id: str
    ) -> bool:
        address = queued.outgoing.address
        key = provider_key(address.channel, address.account, provider_id)
        async with session.read() as connection:
            return await outbox.is_taken(connection, key)

    async def _put_off(
        self, session: LockedSession, queued: outbox.Queued, error: DeliveryError, *, free: bool
    ) -> DeliveryOutcome:
        """Plans another attempt, or sets the message aside after the last one.

        Args:
            free: Whether this attempt does not count.
        """
        attempts = queued.attempts + (0 if free else 1)
        if attempts >= MAX_ATTEMPTS or time.time() - queued.written_at > LONGEST_WAIT:
            return await self._set_aside(session, queued, error)
        asked = min(outbox.LONGEST_RETRY_AFTER, error.retry_after or 0.0)
        backoff = min(_BACKOFF_LIMIT, 2.0 ** max(1, attempts)) * random.uniform(0.5, 1.0)
        await self._mark(
            session,
            queued,
            Status.PENDING,
            attempts=attempts,
            error=error.reason[:256],
            next_attempt_at=time.time() + (asked or backoff),
        )
        return DeliveryOutcome.RETRIED

    async def _set_aside(
        self, session: LockedSession, queued: outbox.Queued, error: DeliveryError
    ) -> DeliveryOutcome:
        """Makes the message a dead letter, for a human to see."""
        code = (error.code or "") if error.permanent else GAVE_UP
        logger.warning("message %s is set aside: %s", queued.outgoing.id, code or "failed")
        await self._mark(
            session,
            queued,
            Status.FAILED,
            error=error.reason[:256],
            error_code=code[:64] or None,
            dead_since=utc_now(),
        )
        await self._hub.publish(Event("desk", "state"))
        return DeliveryOutcome.FAILED

    async def _mark(
        self, session: LockedSession, queued: outbox.Queued, status: Status, **changes: object
    ) -> None:
        async with session.write() as connection:
            await outbox.mark(connection, queued.outgoing.id, status, utc_now(), **changes)

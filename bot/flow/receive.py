"""Receive: verify, parse, store, and only then acknowledge."""

from __future__ import annotations

from bot.core.channel import Channel
from bot.core.faults import fault_point
from bot.core.messages import WebhookRequest, WebhookResult
from bot.core.observer import Observer, Unobserved
from bot.core.transcript import Event, Hub
from bot.store import inbox
from bot.store.database import Database
from bot.store.rows import utc_now


class Receiver:
    """Takes webhook requests of all channels."""

    def __init__(self, database: Database, hub: Hub, observer: Observer | None = None) -> None:
        self._database, self._hub = database, hub
        self._observer = observer or Unobserved()

    async def receive(self, channel: Channel, request: WebhookRequest) -> WebhookResult:
        """Stores what one webhook brings; the result may be acknowledged.

        Raises:
            SignatureError, PayloadError: As the connector judged.
            StoreUnavailableError: Nothing was stored; the platform must send it again.
        """
        with self._observer.webhook(channel.name) as watch:
            result = await self._receive(channel, request)
            watch.answered(result.status)
        return result

    async def _receive(self, channel: Channel, request: WebhookRequest) -> WebhookResult:
        result = await channel.receive(request)
        if result.inbound or result.receipts:
            new, moved = await self._store(result)
            fault_point("receive.after_commit")
            self._observer.repeated(channel.name, len(result.inbound) - len(new))
            for conversation in {*new, *moved}:
                await self._hub.publish(Event(f"conversation:{conversation}", "messages"))
            for conversation in set(new):
                await self._hub.publish(Event("inbox", "messages", conversation=conversation))
        return result

    async def _store(self, result: WebhookResult) -> tuple[list[str], list[str]]:
        """The conversations of what is new, and those in which a receipt changed something."""
        now = utc_now()
        if len(result.inbound) == 1 and not result.receipts and not self._database.is_sqlite:
            _before_commit()
            async with self._database.write_at_once() as connection:
                conversation = await inbox.accept_next(connection, result.inbound[0], now)
            if conversation is not None:
                return [conversation], []
        async with self._database.write() as connection:
            new = await inbox.accept(connection, result.inbound, now)
            moved = await inbox.note_receipts(connection, result.receipts, now)
            _before_commit()
        return new, moved


def _before_commit() -> None:
    """Where a crash suite may kill the process, whichever way a message is stored."""
    fault_point("receive.before_commit")

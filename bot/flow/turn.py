"""Turn: all unanswered messages of one conversation, answered and stored in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import ActionContext
from bot.core.channel import Channel
from bot.core.conversation import HandoffReason, Owner
from bot.core.errors import ShopError, StoreUnavailableError
from bot.core.faults import fault_point
from bot.core.handoff import Handoff
from bot.core.identity import Identity
from bot.core.log_context import log_ids
from bot.core.messages import Author
from bot.core.observer import Observer, TurnOutcome, TurnWatch, Unobserved
from bot.core.shop import Crm, Pos
from bot.core.time_limits import TimeLimits
from bot.core.transcript import Event, Hub
from bot.dialogue.brain import Answer, Brain, Person
from bot.dialogue.output import HandoffRequest
from bot.dialogue.tracker_store import TurnMemory
from bot.flow.deadlines import Deadlines
from bot.flow.failures import log_failure
from bot.flow.notices import Notices
from bot.flow.turn_outcome import count_sent, count_turn
from bot.flow.turn_record import LOOKUP_SECONDS, TurnRecord, Written
from bot.store import events, turns
from bot.store.database import Database, LockedSession
from bot.store.rows import new_id, utc_now

logger = logging.getLogger(__name__)

# After so many failed turns the messages are set aside and a human is asked.
MAX_TURN_ATTEMPTS = 3
# Most answers come sooner, and a sign that only flickers says nothing.
_TYPING_AFTER = 0.3


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's systems and its time zone."""

    crm: Crm
    pos: Pos
    timezone: str

    def context(self, key: str, now: datetime, channel: str) -> ActionContext:
        """What actions get in a turn; `key` makes their writes the same when it runs again."""
        return ActionContext(
            crm=self.crm,
            pos=self.pos,
            key=key,
            now=now,
            channel=channel,
            timeout=LOOKUP_SECONDS,
            timezone=self.timezone,
        )


class Turns:
    """Runs turns.

    Args:
        brain: Gives the brain in use now; asked once a turn, so that a new model may come between.
        observer: Is told of steps, outcomes and handoffs.

    Attributes:
        record: Writes a turn.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        brain: Callable[[], Brain],
        shop: Shop,
        channels: Mapping[str, Channel],
        handoff: Handoff,
        notices: Notices,
        observer: Observer | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._database, self._hub, self._brain = database, hub, brain
        self._shop, self._channels, self._notices = shop, channels, notices
        self._observer = observer or Unobserved()
        self._publishing: set[asyncio.Task[None]] = set()
        follow = deadlines or Deadlines(TimeLimits(), channels)
        self.record = TurnRecord(shop.crm, handoff, notices, follow, channels)

    async def run(self, conversation: str) -> bool:
        """Answers what waits in one conversation.

        Returns:
            False when another worker has the conversation, when nothing waits, and when the turn
            failed and is to be tried again: not at once, in all three cases.

        Raises:
            StoreUnavailableError: Nothing was changed.
        """
        turn_id = new_id()
        with log_ids(turn=turn_id), self._observer.turn(turn_id) as watch:
            return await self._run(conversation, turn_id, watch)

    async def _run(self, conversation: str, turn_id: str, watch: TurnWatch) -> bool:
        async with self._database.try_lock("turn", conversation) as session:
            if session is None:
                return False
            async with session.read() as connection:
                row = await turns.conversation(connection, conversation)
                messages = await turns.unprocessed(connection, conversation)
                if row is None or not messages:
                    return False
                messages = await self._resolve_numbers(connection, row, messages)
                brain = self._brain()
                memory = await self._memory(connection, brain, row)
            watch.passed("claim")
            fault_point("turn.claimed")
            with self._typing(conversation):
                answer = await self._answer(session, brain, row, messages, memory)
            if answer is None:
                watch.ended(TurnOutcome.FAILED)
                return False
            watch.passed("answer")
            try:
                written = await self._finish(session, row, messages, answer, turn_id)
            except StoreUnavailableError:
                raise
            except Exception as error:
                if answer.failure:
                    raise
                log_failure(logger, "a turn could not be stored", error)
                failed = await self._failed(session, messages, answer.person, error)
                if failed is None:
                    watch.ended(TurnOutcome.FAILED)
                    return False
                answer = failed
                written = await self._finish(session, row, messages, answer, turn_id)
            brain.keep(answer, written.last_event)
            fault_point("turn.after_commit")
            watch.passed("commit")
            watch.ended(count_turn(self._observer, answer, silent=memory is None))
            count_sent(self._observer, row.address.channel, written.sent)
        await self._tell(conversation, waits=not written.sent)
        if any(event["event"] == "reminder" for event in answer.events):
            await self._hub.publish(Event("timer", "timers"))
        return True

    async def _finish(
        self,
        session: LockedSession,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
        answer: Answer,
        turn_id: str,
    ) -> Written:
        """Stores the whole turn, or nothing."""
        brief = await self.record.brief(session, row, messages, answer)
        name = await self.record.name(row, answer.person)
        fault_point("turn.answered")
        async with session.write() as connection:
            written = await self.record.write(
                connection, row, messages, answer, brief, name, turn_id
            )
            fault_point("turn.before_commit")
        return written

    @contextmanager
    def _typing(self, conversation: str) -> Iterator[None]:
        """Says that the bot is at it, where the customer would have time to see that."""
        loop = asyncio.get_running_loop()
        event = Event(f"conversation:{conversation}", "typing", Author.BOT)
        later = loop.call_later(_TYPING_AFTER, self._publish_soon, event)
        try:
            yield
        finally:
            later.cancel()

    def _publish_soon(self, event: Event) -> None:
        task = asyncio.create_task(self._hub.publish(event))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _tell(self, conversation: str, *, waits: bool) -> None:
        """Wakes those whom a turn concerns; `waits` for delivery, too."""
        if waits:
            await self._hub.publish(Event("outbox", "messages", conversation=conversation))
        await self._hub.publish(Event(f"conversation:{conversation}", "messages"))
        await self._hub.publish(Event("desk", "state"))

    async def _resolve_numbers(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
    ) -> list[turns.StoredInbound]:
        """Reads "2" as the second button where buttons were written as a numbered list."""
        channel = self._channels.get(row.address.channel)
        if channel is None or channel.capabilities.buttons:
            return messages
        resolved = []
        for message in messages:
            digit = message.text.strip().rstrip(".)")
            payload = message.payload
            if payload is None and len(digit) == 1 and digit.isdecimal():
                payload = await turns.numbered_payload(connection, row.id, int(digit), message.seq)
            resolved.append(replace(message, payload=payload))
        return resolved

    async def _memory(
        self, connection: AsyncConnection, brain: Brain, row: turns.ConversationRow
    ) -> TurnMemory | None:
        """What the bot knows of the conversation; None where the bot does not answer."""
        if row.ownership.owner in (Owner.AGENT, Owner.QUEUE):
            return None
        known = brain.recall(row.id, row.last_event)
        return known or TurnMemory(row.id, await events.load(connection, row.id))

    async def _answer(
        self,
        session: LockedSession,
        brain: Brain,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
        memory: TurnMemory | None,
    ) -> Answer | None:
        """What to say; None when the turn failed and was counted as such."""
        person = Person(row.identity, row.customer_id)
        if memory is None:
            return Answer(person)
        now = utc_now()
        contexts = {m.id: self._shop.context(m.id, now, row.address.channel) for m in messages}
        try:
            person = await self._recognise(person, messages)
            answer = await brain.answer(memory, messages, person, contexts)
        except Exception as error:
            log_failure(logger, "a turn failed", error)
            return await self._failed(session, messages, person, error)

        if _is_silence(answer):
            answer.contents.append(self._notices.unanswered())
        return answer

    async def _recognise(self, person: Person, messages: list[turns.StoredInbound]) -> Person:
        """Knows the customer by the phone number that the channel vouches for."""
        phone = next((m.verified_phone for m in messages if m.verified_phone), None)
        if phone is None or person.identity is Identity.CHANNEL_VERIFIED:
            return person
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                customer = await self._shop.crm.customer_by_phone(phone)
        except (ShopError, TimeoutError):
            # The question may need no identity; one that does will say that the lookup failed.
            logger.warning("the CRM could not tell who is writing")
            return person
        return person if customer is None else Person(Identity.CHANNEL_VERIFIED, customer.id)

    async def _failed(
        self,
        session: LockedSession,
        messages: list[turns.StoredInbound],
        person: Person,
        error: Exception,
    ) -> Answer | None:
        if min(m.attempts for m in messages) + 1 < MAX_TURN_ATTEMPTS:
            async with session.write() as connection:
                await turns.count_failure(connection, messages, type(error).__name__)
            return None
        evidence = {"error": type(error).__name__, "attempts": MAX_TURN_ATTEMPTS}
        return Answer(
            person,
            contents=[self._notices.apology()],
            handoff=HandoffRequest(HandoffReason.ENGINE_ERROR, evidence),
            failure=type(error).__name__,
        )


def _is_silence(answer: Answer) -> bool:
    """Nothing was said, and no action chose to say nothing."""
    said = answer.contents or answer.handoff
    acted = any(isinstance(u, Mapping) and u.get("actions") for u in answer.understood.values())
    return not said and not acted

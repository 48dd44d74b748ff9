"""Turn: all unanswered messages of one conversation, answered and stored in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import ActionContext
from bot.core.channel import Channel
from bot.core.conversation import CLOSED_STATES, HandoffReason, Owner, Ownership, Trigger
from bot.core.errors import ShopError, StoreUnavailableError
from bot.core.faults import fault_point
from bot.core.handoff import Handoff, HandoffCase
from bot.core.identity import Identity
from bot.core.log_context import log_ids
from bot.core.messages import Author, Content
from bot.core.observer import Observer, TurnOutcome, TurnWatch, Unobserved
from bot.core.shop import Crm, Pos
from bot.core.transcript import Event, Hub
from bot.dialogue.brain import Answer, Brain, Person
from bot.dialogue.output import HandoffRequest
from bot.dialogue.tracker_store import TurnMemory
from bot.flow.failures import log_failure
from bot.flow.notices import Notices
from bot.flow.turn_outcome import count_turn
from bot.store import events, outbox, turns
from bot.store.database import Database, LockedSession
from bot.store.rows import new_id, utc_now

logger = logging.getLogger(__name__)

# After so many failed turns the messages are set aside and a human is asked.
MAX_TURN_ATTEMPTS = 3
_LOOKUP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's systems and its time zone."""

    crm: Crm
    pos: Pos
    timezone: str


class Turns:
    """Runs turns.

    Args:
        brain: Gives the brain in use now; asked once a turn, so that a new model may come between.
        observer: Is told of steps, outcomes and handoffs.
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
    ) -> None:
        self._database, self._hub, self._brain = database, hub, brain
        self._shop, self._channels, self._notices = shop, channels, notices
        self._handoff, self._observer = handoff, observer or Unobserved()

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
            async with self._database.read() as connection:
                row = await turns.conversation(connection, conversation)
                messages = await turns.unprocessed(connection, conversation)
                if row is None or not messages:
                    return False
                messages = await self._resolve_numbers(connection, row, messages)
                brain = self._brain()
                memory = await self._memory(connection, brain, row)
            watch.passed("claim")
            fault_point("turn.claimed")
            await self._hub.publish(Event(f"conversation:{conversation}", "typing", Author.BOT))
            answer = await self._answer(session, brain, row, messages, memory)
            if answer is None:
                watch.ended(TurnOutcome.FAILED)
                return False
            watch.passed("answer")
            try:
                last_event = await self._finish(session, row, messages, answer, turn_id)
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
                last_event = await self._finish(session, row, messages, answer, turn_id)
            brain.keep(answer, last_event)
            fault_point("turn.after_commit")
            watch.passed("commit")
            watch.ended(count_turn(self._observer, answer, silent=memory is None))
        await self._tell(conversation)
        return True

    async def _finish(
        self,
        session: LockedSession,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
        answer: Answer,
        turn_id: str,
    ) -> int:
        """Stores the whole turn, or nothing; returns the number of its last event."""
        brief = await self._brief(row, messages, answer)
        name = await self._name(row, answer.person)
        fault_point("turn.answered")
        async with session.write() as connection:
            last_event = await self._commit(connection, row, messages, answer, brief, name, turn_id)
            fault_point("turn.before_commit")
        return last_event

    async def _tell(self, conversation: str) -> None:
        for event in (
            Event("outbox", "messages"),
            Event(f"conversation:{conversation}", "messages"),
            Event("desk", "state"),
        ):
            await self._hub.publish(event)

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
        contexts = {m.id: self._context(m, row, now) for m in messages}
        try:
            person = await self._recognise(person, messages)
            answer = await brain.answer(memory, messages, person, contexts)
        except Exception as error:
            log_failure(logger, "a turn failed", error)
            return await self._failed(session, messages, person, error)

        if _is_silence(answer):
            answer.contents.append(self._notices.unanswered())
        return answer

    def _context(
        self, message: turns.StoredInbound, row: turns.ConversationRow, now: datetime
    ) -> ActionContext:
        return ActionContext(
            crm=self._shop.crm,
            pos=self._shop.pos,
            key=message.id,
            now=now,
            channel=row.address.channel,
            timeout=_LOOKUP_SECONDS,
            timezone=self._shop.timezone,
        )

    async def _recognise(self, person: Person, messages: list[turns.StoredInbound]) -> Person:
        """Knows the customer by the phone number that the channel vouches for."""
        phone = next((m.verified_phone for m in messages if m.verified_phone), None)
        if phone is None or person.identity is Identity.CHANNEL_VERIFIED:
            return person
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
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

    async def _brief(
        self,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
        answer: Answer,
    ) -> str:
        """What the agent reads first; empty when no human is needed."""
        if answer.handoff is None:
            return ""
        async with self._database.read() as connection:
            earlier = await turns.recently_said(connection, row.id, messages[0].seq)
        now = [(m.text, _intent(answer.understood.get(m.id))) for m in messages]
        said = [*earlier, *now]
        return await self._handoff.accept(
            HandoffCase(
                conversation=row.id,
                reason=answer.handoff.reason,
                evidence=answer.handoff.evidence,
                asked=[text for text, _ in said],
                intents=[intent for _, intent in said if intent],
                identity=answer.person.identity,
                profile_name=row.profile_name,
            )
        )

    async def _name(self, row: turns.ConversationRow, person: Person) -> str:
        """What agents call the customer in their queue: the channel's name, else the CRM's."""
        if row.profile_name or person.customer_id in (None, row.customer_id):
            return row.profile_name
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                customer = await self._shop.crm.customer(str(person.customer_id))
        except (ShopError, TimeoutError):
            # The desk reads the name again with the customer's card.
            return ""
        return customer.name if customer else ""

    async def _commit(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        messages: list[turns.StoredInbound],
        answer: Answer,
        brief: str,
        name: str,
        turn_id: str,
    ) -> int:
        """Writes the whole turn; returns the number of the conversation's last event."""
        now = utc_now()
        fresh = await turns.conversation(connection, row.id, for_update=True)
        ownership = row.ownership
        overtaken = fresh is None or fresh.ownership.epoch != ownership.epoch
        drafts = [outbox.Draft(content, Author.BOT) for content in answer.contents]
        if not overtaken:
            ownership, notices = await self._hand_over(connection, row, answer, brief, now)
            drafts += [outbox.Draft(notice, Author.SYSTEM) for notice in notices]
        await turns.mark_processed(connection, messages, answer.understood, turn_id, now)
        if answer.failure:
            await turns.set_aside(connection, messages, answer.failure, now)
        last = await events.append(connection, row.id, row.last_event + 1, answer.events)
        if answer.snapshot is not None:
            await events.write_snapshot(connection, row.id, last, answer.snapshot)
        if answer.person != Person(row.identity, row.customer_id):
            person = answer.person
            await turns.set_identity(connection, row.id, person.identity, person.customer_id, name)
        # Overtaken by an agent: the drafts carry the old epoch, and delivery drops them.
        await outbox.write(
            connection, row.id, drafts, epoch=ownership.epoch, now=now, turn_id=turn_id
        )
        return last

    async def _hand_over(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        answer: Answer,
        brief: str,
        now: datetime,
    ) -> tuple[Ownership, list[Content]]:
        """Reopens a closed conversation and queues one that needs a human."""
        ownership, notices = row.ownership, []
        if ownership.state in CLOSED_STATES:
            ownership = ownership.after(Trigger.REOPEN)
        if answer.handoff is not None:
            ownership = ownership.after(Trigger.REQUEST).after(Trigger.ENQUEUE)
            await turns.open_episode(
                connection, row.id, answer.handoff.reason, answer.handoff.evidence, brief, now
            )
            notices.append(await self._notices.queued(connection))
        if ownership != row.ownership:
            await turns.set_ownership(connection, row.id, ownership, now)
        return ownership, notices


def _is_silence(answer: Answer) -> bool:
    """Nothing was said, and no action chose to say nothing."""
    said = answer.contents or answer.handoff
    acted = any(isinstance(u, Mapping) and u.get("actions") for u in answer.understood.values())
    return not said and not acted


def _intent(understood: object) -> str:
    name = understood.get("intent") if isinstance(understood, Mapping) else None
    return str(name or "")

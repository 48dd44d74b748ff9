"""What a turn writes: events, answers, ownership and timers, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.channel import Channel
from bot.core.conversation import CLOSED_STATES, Ownership, Trigger
from bot.core.errors import ShopError
from bot.core.handoff import Handoff, HandoffCase
from bot.core.messages import Author, Content, Status
from bot.core.shop import Crm
from bot.dialogue.brain import Answer, Person
from bot.dialogue.reminders import Reminder, standing
from bot.flow.deadlines import WITH_HUMANS, Deadlines
from bot.flow.notices import Notices
from bot.store import events, outbox, timers, turns
from bot.store.database import LockedSession
from bot.store.rows import utc_now
from bot.store.timers import Kind

LOOKUP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Written:
    """A turn that was stored.

    Attributes:
        last_event: The number of the conversation's last event.
        sent: How many messages the customer reads without delivery.
    """

    last_event: int
    sent: int


class TurnRecord:
    """Writes turns: those of customers' messages, and those of reminders."""

    def __init__(
        self,
        crm: Crm,
        handoff: Handoff,
        notices: Notices,
        deadlines: Deadlines,
        channels: Mapping[str, Channel],
    ) -> None:
        self._crm, self._handoff = crm, handoff
        self._notices, self._deadlines, self._channels = notices, deadlines, channels

    async def brief(
        self,
        session: LockedSession,
        row: turns.ConversationRow,
        messages: Sequence[turns.StoredInbound],
        answer: Answer,
    ) -> str:
        """What the agent reads first; empty when no human is needed."""
        if answer.handoff is None:
            return ""
        async with session.read() as connection:
            before = messages[0].seq if messages else None
            earlier = await turns.recently_said(connection, row.id, before)
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

    async def name(self, row: turns.ConversationRow, person: Person) -> str:
        """What agents call the customer in their queue: the channel's name, else the CRM's."""
        if row.profile_name or person.customer_id in (None, row.customer_id):
            return row.profile_name
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                customer = await self._crm.customer(str(person.customer_id))
        except (ShopError, TimeoutError):
            # The desk reads the name again with the customer's card.
            return ""
        return customer.name if customer else ""

    async def write(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        messages: Sequence[turns.StoredInbound],
        answer: Answer,
        brief: str,
        name: str,
        turn_id: str,
    ) -> Written:
        """Writes the whole turn.

        Args:
            messages: What was answered; empty where the customer wrote nothing.
            brief, name: From the methods of that name.
        """
        now = utc_now()
        fresh = await turns.conversation(connection, row.id, for_update=True)
        ownership = row.ownership
        overtaken = fresh is None or fresh.ownership.epoch != ownership.epoch
        # Overtaken by an agent: the drafts carry the old epoch, and delivery drops them.
        status = Status.SENT if self._read_at_once(row) and not overtaken else Status.PENDING
        drafts = [outbox.Draft(c, Author.BOT, status=status) for c in answer.contents]
        if not overtaken:
            speaks = bool(messages or answer.contents)
            ownership, notices = await self._hand_over(connection, row, answer, brief, now, speaks)
            drafts += [outbox.Draft(n, Author.SYSTEM, status=status) for n in notices]
        await turns.mark_processed(connection, messages, answer.understood, turn_id, now)
        if answer.failure:
            await turns.set_aside(connection, messages, answer.failure, now)
        if messages and fresh is not None and fresh.ownership.owner in WITH_HUMANS:
            await self._deadlines.heard(connection, fresh, now)
        await _set_reminders(connection, fresh or row, answer, now, written=bool(messages))
        last = await events.insert(connection, row.id, row.last_event + 1, answer.events)
        if answer.snapshot is not None:
            await events.write_snapshot(connection, row.id, last, answer.snapshot)
        if answer.person != Person(row.identity, row.customer_id):
            person = answer.person
            await turns.set_identity(connection, row.id, person.identity, person.customer_id, name)
        await outbox.write(
            connection,
            row.id,
            drafts,
            epoch=ownership.epoch,
            now=now,
            turn_id=turn_id,
            changes={"last_event": last} if answer.events else None,
        )
        return Written(last, sent=len(drafts) if status is Status.SENT else 0)

    def _read_at_once(self, row: turns.ConversationRow) -> bool:
        """Whether the customer reads what is stored, so that nothing is left to deliver."""
        channel = self._channels.get(row.address.channel)
        return channel is not None and channel.capabilities.reads_transcript

    async def _hand_over(
        self,
        connection: AsyncConnection,
        row: turns.ConversationRow,
        answer: Answer,
        brief: str,
        now: datetime,
        speaks: bool,
    ) -> tuple[Ownership, list[Content]]:
        """Reopens a closed conversation and queues one that needs a human."""
        ownership, notices = row.ownership, []
        if ownership.state in CLOSED_STATES and (speaks or answer.handoff is not None):
            ownership = ownership.after(Trigger.REOPEN)
        if answer.handoff is not None:
            ownership = ownership.after(Trigger.REQUEST).after(Trigger.ENQUEUE)
            await turns.open_episode(
                connection, row.id, answer.handoff.reason, answer.handoff.evidence, brief, now
            )
            notices.append(await self._notices.queued(connection))
        if ownership != row.ownership:
            await self._deadlines.change(connection, row, ownership, now)
        return ownership, notices


async def _set_reminders(
    connection: AsyncConnection,
    row: turns.ConversationRow,
    answer: Answer,
    now: datetime,
    *,
    written: bool,
) -> None:
    """Sets and cancels timers as the turn's events say."""
    conversation = row.id
    known = await timers.of(connection, conversation, Kind.REMINDER) if row.reminders else []
    before = {
        timer.name: Reminder.from_json(timer.name, timer.due_at, timer.data) for timer in known
    }
    after = standing(before, answer.events, written=written)
    for name in before.keys() - after.keys():
        await timers.cancel(connection, conversation, Kind.REMINDER, name)
    for name, reminder in after.items():
        if reminder is not before.get(name):
            await timers.put(
                connection, conversation, Kind.REMINDER, reminder.at, now,
                name=name, data=reminder.as_json(),
            )  # fmt: skip


def _intent(understood: object) -> str:
    name = understood.get("intent") if isinstance(understood, Mapping) else None
    return str(name or "")

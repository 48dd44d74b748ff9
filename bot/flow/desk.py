"""What agents do with conversations: the same operations for the desk's pages and for the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.access import Agent, check_may_see, check_may_write
from bot.core.conversation import Owner, Ownership, State, Trigger
from bot.core.dead_letters import Explain
from bot.core.errors import NotVisibleError, ShopError, TakenError
from bot.core.messages import Author, Content, Status
from bot.core.shop import Crm, Customer, Order, Pos
from bot.core.time_limits import TimeLimits
from bot.core.transcript import Event, Hub, TranscriptMessage
from bot.flow.dead_letters import DeadLetters, Explained
from bot.flow.deadlines import Deadlines
from bot.flow.notices import Notices
from bot.store import desk as queries
from bot.store import outbox, turns
from bot.store.database import Database
from bot.store.outbox import Draft
from bot.store.rows import agent_names, utc_now

logger = logging.getLogger(__name__)
_CARD_SECONDS = 3.0
# The longest text an agent may send at once; channels split what is too long for them.
LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Card:
    """The customer beside the chat.

    Attributes:
        customer: None when nobody is known.
        problem: Set when the shop's systems did not answer: the card is then incomplete.
    """

    customer: Customer | None = None
    orders: Sequence[Order] = field(default=())
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """A conversation for an agent.

    Attributes:
        messages: The newest ones, oldest first.
        earlier: Whether there are messages before them.
        episodes: All, newest first.
        dead_letters: The messages of the conversation that failed for good.
    """

    summary: queries.Summary
    messages: Sequence[TranscriptMessage]
    episodes: Sequence[queries.Episode]
    earlier: bool = False
    dead_letters: Sequence[Explained] = field(default=())


class Desk:
    """The operations. Each raises NotVisibleError for a conversation the agent may not see.

    Args:
        explains: Who knows the error codes of a channel, by channel.

    Attributes:
        dead_letters: What is done with messages that failed for good.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        crm: Crm,
        pos: Pos,
        notices: Notices,
        deadlines: Deadlines | None = None,
        explains: Mapping[str, Explain] | None = None,
    ) -> None:
        self._database, self.hub = database, hub
        self._crm, self._pos, self._notices = crm, pos, notices
        self._deadlines = deadlines or Deadlines(TimeLimits(), {})
        self.dead_letters = DeadLetters(database, hub, explains or {})

    async def list(
        self,
        agent: Agent,
        states: Sequence[State] | None = None,
        limit: int = 100,
        *,
        mine: bool = False,
    ) -> list[queries.Summary]:
        """Conversations in these states (all when None); waiting ones come longest first.

        Args:
            mine: Only those that the agent owns.
        """
        check_may_see(agent)
        assignee = agent.id if mine else None
        async with self._database.read(long=True) as connection:
            return await queries.summaries(connection, states, limit, assignee=assignee)

    async def summary(self, agent: Agent, conversation: str) -> queries.Summary:
        """One conversation as a line of a list."""
        check_may_see(agent)
        async with self._database.read(long=True) as connection:
            return await _summary(connection, conversation)

    async def detail(
        self, agent: Agent, conversation: str, *, before: int | None = None, limit: int = 200
    ) -> Detail:
        """The conversation with its newest messages, or those before a place in the transcript."""
        check_may_see(agent)
        async with self._database.read(long=True) as connection:
            summary = await _summary(connection, conversation)
            messages = await queries.latest(
                connection, conversation, before=before, limit=limit + 1
            )
            episodes = await queries.episodes(connection, conversation)
        dead = await self.dead_letters.list(agent, limit, conversation=conversation)
        return Detail(summary, messages[-limit:], episodes, len(messages) > limit, dead)

    async def card(self, agent: Agent, summary: queries.Summary) -> Card:
        """The customer and the last orders, from CRM and POS."""
        check_may_see(agent)
        if summary.customer_id is None:
            return Card()
        try:
            async with asyncio.timeout(_CARD_SECONDS):
                customer = await self._crm.customer(summary.customer_id)
                orders = await self._pos.orders_of(summary.customer_id)
        except (ShopError, TimeoutError):
            return Card(problem="The shop's systems did not answer.")
        return Card(customer, orders)

    async def take(self, agent: Agent, conversation: str) -> None:
        """Makes the agent the owner.

        Raises:
            TakenError: Another agent was faster.
        """
        check_may_see(agent)
        async with self._changing(conversation) as (connection, row, now):
            ownership = row.ownership
            if ownership.owner is Owner.AGENT:
                if ownership.assignee == agent.id:
                    return
                names = await agent_names(connection, {ownership.assignee or ""})
                winner = names.get(ownership.assignee or "", "Another agent")
                raise TakenError(f"{winner} has this conversation already")
            if ownership.state in (State.RESOLVED, State.EXPIRED):
                ownership = ownership.after(Trigger.REOPEN)
            ownership = ownership.after(Trigger.TAKE, agent=agent.id)
            await self._deadlines.change(connection, row, ownership, now)
            await queries.change_episode(connection, conversation, agent_id=agent.id, taken_at=now)
            notice = self._notices.joined(agent.name)
            await self._say(connection, conversation, ownership, notice, now)

    async def reply(self, agent: Agent, conversation: str, text: str) -> str:
        """Writes to the customer; returns the message's id."""
        async with self._changing(conversation) as (connection, row, now):
            check_may_write(agent, row.ownership)
            draft = Draft(Content(_storable(text)), Author.AGENT, agent.id)
            ids = await outbox.write(
                connection, conversation, [draft], epoch=row.ownership.epoch, now=now
            )
            await queries.note_first_reply(connection, conversation, now)
        return ids[0]

    async def note(self, agent: Agent, conversation: str, text: str) -> str:
        """Writes a note that only agents see; returns its id."""
        check_may_see(agent)
        async with self._changing(conversation) as (connection, row, now):
            draft = Draft(Content(_storable(text)), Author.AGENT, agent.id, Status.NOTE)
            ids = await outbox.write(
                connection, conversation, [draft], epoch=row.ownership.epoch, now=now
            )
        return ids[0]

    async def give_back(self, agent: Agent, conversation: str) -> None:
        """The bot answers again, and the customer is told."""
        async with self._changing(conversation) as (connection, row, now):
            check_may_write(agent, row.ownership)
            ownership = row.ownership.after(Trigger.GIVE_BACK).after(Trigger.RETURNED)
            await self._deadlines.change(connection, row, ownership, now)
            await queries.change_episode(connection, conversation, outcome="returned", ended_at=now)
            notice = self._notices.back(agent.name)
            await self._say(connection, conversation, ownership, notice, now)

    async def resolve(self, agent: Agent, conversation: str) -> None:
        """Closes the conversation; the bot answers when the customer writes again."""
        async with self._changing(conversation) as (connection, row, now):
            if row.ownership.owner is Owner.AGENT:
                check_may_write(agent, row.ownership)
            else:
                check_may_see(agent)
            ownership = row.ownership.after(Trigger.RESOLVE)
            await self._deadlines.change(connection, row, ownership, now)
            await queries.change_episode(connection, conversation, outcome="resolved", ended_at=now)
            notice = self._notices.resolved(agent.name)
            await self._say(connection, conversation, ownership, notice, now)

    async def typing(self, agent: Agent, conversation: str) -> None:
        """Shows the customer that the agent writes."""
        check_may_see(agent)
        await self.hub.publish(Event(f"conversation:{conversation}", "typing", Author.AGENT))

    @asynccontextmanager
    async def _changing(
        self, conversation: str
    ) -> AsyncIterator[tuple[AsyncConnection, turns.ConversationRow, datetime]]:
        """A transaction on one conversation, and word of it to pages and workers afterwards."""
        async with self._database.write() as connection:
            row = await turns.conversation(connection, conversation, for_update=True)
            if row is None:
                raise NotVisibleError("no such conversation")
            yield connection, row, utc_now()
        await self.hub.publish(Event("outbox", "messages", conversation=conversation))
        await self.hub.publish(Event(f"conversation:{conversation}", "messages"))
        await self.hub.publish(Event("desk", "state"))

    async def _say(
        self,
        connection: AsyncConnection,
        conversation: str,
        ownership: Ownership,
        notice: Content,
        now: datetime,
    ) -> None:
        draft = Draft(notice, Author.SYSTEM)
        await outbox.write(connection, conversation, [draft], epoch=ownership.epoch, now=now)


async def _summary(connection: AsyncConnection, conversation: str) -> queries.Summary:
    found = await queries.summaries(connection, None, 1, conversation)
    if not found:
        raise NotVisibleError("no such conversation")
    return found[0]


def _storable(text: str) -> str:
    # PostgreSQL cannot keep NUL in text, and nobody can read it.
    return text.replace("\x00", "")


class StoredTranscript:
    """`bot.core.transcript.Transcript` on the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible(
        self, conversation: str, after: int = 0, limit: int = 200
    ) -> list[TranscriptMessage]:
        """What the customer may see."""
        async with self._database.read() as connection:
            return await queries.transcript(
                connection, conversation, after=after, limit=limit, for_customer=True
            )

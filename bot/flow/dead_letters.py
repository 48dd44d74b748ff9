"""What failed for good: seen, explained, and tried again, from the desk and the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.access import Agent, check_may_replay, check_may_see
from bot.core.conversation import (
    CLOSED_STATES,
    WAITING_STATES,
    HandoffReason,
    Owner,
    Ownership,
    Trigger,
)
from bot.core.dead_letters import DeadLetter, Explain, Explanation, explain
from bot.core.errors import NotReplayableError, NotVisibleError
from bot.core.transcript import Event, Hub
from bot.store import dead_letters as queries
from bot.store import desk, outbox, turns
from bot.store.database import Database
from bot.store.outbox import Draft
from bot.store.rows import utc_now

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Explained:
    """A dead letter with what it means."""

    letter: DeadLetter
    explanation: Explanation


class DeadLetters:
    """The operations.

    Args:
        explains: Who knows the codes of a channel, by channel.
    """

    def __init__(self, database: Database, hub: Hub, explains: Mapping[str, Explain]) -> None:
        self._database, self._hub, self._explains = database, hub, explains

    async def list(
        self,
        agent: Agent,
        limit: int = 100,
        *,
        channel: str | None = None,
        conversation: str | None = None,
    ) -> list[Explained]:
        """Dead letters, oldest first; only those of a channel or conversation where one is named.

        Raises:
            NotVisibleError: The agent may not see conversations.
        """
        check_may_see(agent)
        async with self._database.read(long=True) as connection:
            found = await queries.listed(
                connection, limit, channel=channel, conversation=conversation
            )
        return [self._explained(letter) for letter in found]

    async def show(self, agent: Agent, message: str) -> Explained:
        """One dead letter.

        Raises:
            NotVisibleError: There is none, or none for this agent.
        """
        check_may_see(agent)
        async with self._database.read() as connection:
            return self._explained(await _found(connection, message))

    async def replay(self, agent: Agent, message: str) -> str:
        """Tries again what failed; the record says who did it and when.

        What could not be sent goes out as the conversation's next message, after all that stands
        before it. What the bot failed on is given to the bot again.

        Returns:
            The id of the message that is on its way now.

        Raises:
            NotVisibleError: There is no such dead letter, or none for this agent.
            NotReplayableError: It was replayed already, or a human has the question by now.
            TakenError: It belongs to a chat of another agent.
        """
        check_may_see(agent)
        async with self._database.write() as connection:
            letter = await _found(connection, message)
            row = await turns.conversation(connection, letter.conversation, for_update=True)
            if row is None:
                raise NotVisibleError("no such conversation")
            check_may_replay(agent, row.ownership)
            now = utc_now()
            # Only one of two replays gets past this: the other waited for the conversation's row.
            if not await queries.note_replay(connection, message, agent.id or None, now):
                raise NotReplayableError("this message was sent again already")
            if letter.inbound:
                await self._ask_again(connection, letter, row, now)
                replayed = message
            else:
                replayed = await _send_again(connection, letter, row, now)
        logger.info("dead letter %s is replayed as %s", message, replayed)
        await self._tell(letter)
        return replayed

    async def _ask_again(
        self,
        connection: AsyncConnection,
        letter: DeadLetter,
        row: turns.ConversationRow,
        now: datetime,
    ) -> None:
        """The bot gets the message again, and the conversation where only its failure is open."""
        ownership = row.ownership
        [summary] = await desk.summaries(connection, None, 1, row.id)
        if not may_be_asked_again(ownership, summary.reason):
            raise NotReplayableError(
                "a human has this conversation, has dealt with it, or is wanted for another reason"
            )
        if ownership.state in WAITING_STATES:
            ownership = ownership.after(Trigger.WITHDRAW)
            await turns.set_ownership(connection, row.id, ownership, now)
            await desk.change_episode(connection, row.id, outcome="replayed", ended_at=now)
        await queries.receive_again(connection, letter.id, now)

    def _explained(self, letter: DeadLetter) -> Explained:
        return Explained(letter, explain(letter, self._explains))

    async def _tell(self, letter: DeadLetter) -> None:
        for event in (
            Event("inbox" if letter.inbound else "outbox", "messages"),
            Event(f"conversation:{letter.conversation}", "messages"),
            Event("desk", "state"),
        ):
            await self._hub.publish(event)


def may_be_asked_again(ownership: Ownership, reason: str | None) -> bool:
    """Whether the bot may still answer what it failed on.

    Args:
        reason: Why the conversation is with humans; None when it is not.
    """
    if ownership.state in WAITING_STATES:
        return reason == HandoffReason.ENGINE_ERROR
    return ownership.owner is Owner.BOT and ownership.state not in CLOSED_STATES


async def _found(connection: AsyncConnection, message: str) -> DeadLetter:
    letter = await queries.find(connection, message)
    if letter is None:
        raise NotVisibleError("no such dead letter")
    return letter


async def _send_again(
    connection: AsyncConnection, letter: DeadLetter, row: turns.ConversationRow, now: datetime
) -> str:
    """A copy at the end of the transcript, under today's owner: else it would be dropped."""
    content, author_id = await queries.content(connection, letter.id)
    draft = Draft(content, letter.author, author_id)
    [copy] = await outbox.write(
        connection, letter.conversation, [draft], epoch=row.ownership.epoch, now=now
    )
    await queries.link_replay(connection, copy, letter.id)
    return copy

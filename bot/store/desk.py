"""What the desk reads: the queue, and whole conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import WAITING_STATES, State
from bot.core.identity import Identity
from bot.core.messages import Author, Status
from bot.core.transcript import TranscriptMessage
from bot.store import tables as t
from bot.store.rows import agent_names, transcript_message

# What a customer never sees: notes, what is not sent yet, and what will not be sent.
_SEEN_BY_CUSTOMER = (
    Status.RECEIVED, Status.PROCESSED, Status.SENT, Status.DELIVERED, Status.READ,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Episode:
    """One passage of a conversation to humans and back."""

    id: str
    reason: str
    evidence: dict[str, object]
    brief: str
    agent_id: str | None
    outcome: str | None
    requested_at: datetime
    taken_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as a line of a list.

    Attributes:
        last_text, last_author: The newest message that is not a note.
        reason: Why it is with humans now; None when no episode is open.
        waiting_since: Since when the customer waits for a human; None when nobody waits.
    """

    id: str
    channel: str
    sender: str
    profile_name: str
    customer_id: str | None
    identity: Identity
    state: State
    owner_epoch: int
    assignee: str | None
    assignee_name: str
    last_text: str
    last_author: Author | None
    last_at: datetime | None
    reason: str | None
    waiting_since: datetime | None
    updated_at: datetime


async def summaries(
    connection: AsyncConnection,
    states: Sequence[State] | None,
    limit: int,
    identifier: str | None = None,
    *,
    assignee: str | None = None,
) -> list[Summary]:
    """Conversations, those that wait longest first, then the newest.

    Args:
        states: Only these; all when None.
        identifier: Only this one.
        assignee: Only those that this agent owns.
    """
    query = select(t.conversation).limit(limit)
    if assignee is not None:
        query = query.where(t.conversation.c.assignee == assignee)
    if identifier is not None:
        query = query.where(t.conversation.c.id == identifier)
    if states is not None:
        query = query.where(t.conversation.c.state.in_(states))
    waits = states is not None and set(states) <= set(WAITING_STATES)
    order = t.conversation.c.waiting_since if waits else t.conversation.c.updated_at.desc()
    rows = (await connection.execute(query.order_by(order))).all()
    ids = [row.id for row in rows]
    newest, reasons = await _newest_messages(connection, ids), await _reasons(connection, ids)
    names = await agent_names(connection, {row.assignee for row in rows if row.assignee})
    return [_summary(row, newest.get(row.id), reasons.get(row.id), names) for row in rows]


def _summary(
    row: Row[Any], newest: Row[Any] | None, reason: str | None, names: dict[str, str]
) -> Summary:
    return Summary(
        id=row.id,
        channel=row.channel,
        sender=row.sender,
        profile_name=row.profile_name,
        customer_id=row.customer_id,
        identity=Identity(row.identity),
        state=State(row.state),
        owner_epoch=row.owner_epoch,
        assignee=row.assignee,
        assignee_name=names.get(row.assignee or "", ""),
        last_text=newest.text if newest else "",
        last_author=Author(newest.author) if newest else None,
        last_at=newest.created_at if newest else None,
        reason=reason,
        waiting_since=row.waiting_since if State(row.state) in WAITING_STATES else None,
        updated_at=row.updated_at,
    )


async def _newest_messages(connection: AsyncConnection, ids: list[str]) -> dict[str, Row[Any]]:
    newest = (
        select(t.message.c.conversation_id, func.max(t.message.c.seq).label("seq"))
        .where(
            t.message.c.conversation_id.in_(ids),
            t.message.c.status != Status.NOTE,
            t.message.c.author != Author.SYSTEM,
        )
        .group_by(t.message.c.conversation_id)
        .subquery()
    )
    rows = await connection.execute(
        select(t.message).join(
            newest,
            (t.message.c.conversation_id == newest.c.conversation_id)
            & (t.message.c.seq == newest.c.seq),
        )
    )
    return {row.conversation_id: row for row in rows}


async def _reasons(connection: AsyncConnection, ids: list[str]) -> dict[str, str]:
    rows = await connection.execute(
        select(t.episode.c.conversation_id, t.episode.c.reason)
        .where(t.episode.c.conversation_id.in_(ids), t.episode.c.ended_at.is_(None))
        .order_by(t.episode.c.requested_at)
    )
    return {row.conversation_id: row.reason for row in rows}


_TRANSCRIPT = (
    select(t.message)
    .where(
        t.message.c.conversation_id == bindparam("for_conversation"),
        t.message.c.seq > bindparam("behind"),
    )
    .order_by(t.message.c.seq)
    .limit(bindparam("at_most"))
)
_CUSTOMERS_TRANSCRIPT = _TRANSCRIPT.where(t.message.c.status.in_(_SEEN_BY_CUSTOMER))


async def transcript(
    connection: AsyncConnection,
    identifier: str,
    *,
    after: int = 0,
    limit: int = 500,
    for_customer: bool = False,
) -> list[TranscriptMessage]:
    """Messages of a conversation, oldest first.

    Args:
        for_customer: Only what the customer may see; then nothing internal is filled in.
    """
    query = _CUSTOMERS_TRANSCRIPT if for_customer else _TRANSCRIPT
    place = {"for_conversation": identifier, "behind": after, "at_most": limit}
    rows = (await connection.execute(query, place)).all()
    names = await agent_names(connection, {row.author_id for row in rows if row.author_id})
    lines = [transcript_message(row, names.get(row.author_id or "", "")) for row in rows]
    return [_public(line) for line in lines] if for_customer else lines


async def latest(
    connection: AsyncConnection, identifier: str, *, before: int | None, limit: int
) -> list[TranscriptMessage]:
    """The newest messages before a place in the transcript (its end when None), oldest first."""
    query = select(t.message).where(t.message.c.conversation_id == identifier)
    if before is not None:
        query = query.where(t.message.c.seq < before)
    rows = (await connection.execute(query.order_by(t.message.c.seq.desc()).limit(limit))).all()
    names = await agent_names(connection, {row.author_id for row in rows if row.author_id})
    return [transcript_message(row, names.get(row.author_id or "", "")) for row in reversed(rows)]


def _public(line: TranscriptMessage) -> TranscriptMessage:
    buttons = tuple(replace(b, payload="") for b in line.buttons)
    return replace(line, understood=None, buttons=buttons)


async def episodes(connection: AsyncConnection, identifier: str) -> list[Episode]:
    """All episodes of a conversation, newest first."""
    rows = await connection.execute(
        select(t.episode)
        .where(t.episode.c.conversation_id == identifier)
        .order_by(t.episode.c.requested_at.desc())
    )
    return [
        Episode(
            row.id, row.reason, row.evidence, row.brief, row.agent_id, row.outcome,
            row.requested_at, row.taken_at, row.ended_at,
        )
        for row in rows
    ]  # fmt: skip


async def note_first_reply(connection: AsyncConnection, identifier: str, now: datetime) -> None:
    """Keeps when a human first answered in the open episode; later replies change nothing."""
    await connection.execute(
        update(t.episode)
        .where(
            t.episode.c.conversation_id == identifier,
            t.episode.c.ended_at.is_(None),
            t.episode.c.first_reply_at.is_(None),
        )
        .values(first_reply_at=now)
    )


async def change_episode(connection: AsyncConnection, identifier: str, **changes: object) -> None:
    """Writes to the conversation's open episode; nothing happens when none is open."""
    newest = (
        select(t.episode.c.id)
        .where(t.episode.c.conversation_id == identifier, t.episode.c.ended_at.is_(None))
        .order_by(t.episode.c.requested_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    await connection.execute(update(t.episode).where(t.episode.c.id == newest).values(**changes))

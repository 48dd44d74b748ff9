"""What a turn reads and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import HandoffReason, Ownership
from bot.core.identity import Identity
from bot.core.messages import Address, Attachment, Author, Status
from bot.store import tables as t
from bot.store.rows import address_of, new_id, ownership_of
from bot.store.timers import Kind


@dataclass(frozen=True, slots=True)
class StoredInbound:
    """A customer's message that waits for its turn.

    Attributes:
        payload: What the pressed button means; None when none was pressed.
        attempts: Turns that failed on it so far.
    """

    id: str
    seq: int
    text: str
    attachments: tuple[Attachment, ...]
    payload: str | None
    verified_phone: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as a turn finds it.

    Attributes:
        last_event: The number of its last tracker event.
        reminders: Whether any are set.
    """

    id: str
    address: Address
    ownership: Ownership
    identity: Identity
    customer_id: str | None
    last_event: int
    profile_name: str
    last_customer_at: datetime | None
    reminders: bool


async def waiting(connection: AsyncConnection, limit: int) -> list[str]:
    """Conversations with unprocessed messages, longest waiting first."""
    rows = await connection.execute(
        select(t.message.c.conversation_id)
        .where(t.is_unprocessed)
        .group_by(t.message.c.conversation_id)
        .order_by(func.min(t.message.c.created_at))
        .limit(limit)
    )
    return [row.conversation_id for row in rows]


def _conversation(row: Row[Any]) -> ConversationRow:
    return ConversationRow(
        id=row.id,
        address=address_of(row),
        ownership=ownership_of(row),
        identity=Identity(row.identity),
        customer_id=row.customer_id,
        last_event=row.last_event,
        profile_name=row.profile_name,
        last_customer_at=row.last_customer_at,
        reminders=row.reminders,
    )


_REMINDERS = exists().where(
    t.timer.c.conversation_id == t.conversation.c.id, t.timer.c.kind == Kind.REMINDER
)
_CONVERSATION = select(t.conversation, _REMINDERS.label("reminders")).where(
    t.conversation.c.id == bindparam("for_conversation")
)
_CONVERSATION_FOR_UPDATE = _CONVERSATION.with_for_update()


async def conversation(
    connection: AsyncConnection, identifier: str, *, for_update: bool = False
) -> ConversationRow | None:
    """One conversation; with `for_update` its row stays locked until the transaction ends."""
    query = _CONVERSATION_FOR_UPDATE if for_update else _CONVERSATION
    row = (await connection.execute(query, {"for_conversation": identifier})).first()
    return None if row is None else _conversation(row)


_UNPROCESSED = (
    select(t.message, t.button.c.payload)
    .outerjoin(
        t.button,
        (t.button.c.token == t.message.c.button)
        & (t.button.c.conversation_id == t.message.c.conversation_id),
    )
    .where(t.message.c.conversation_id == bindparam("for_conversation"), t.is_unprocessed)
    .order_by(t.message.c.seq)
)


async def unprocessed(connection: AsyncConnection, identifier: str) -> list[StoredInbound]:
    """The customer's messages that no turn has answered, in order."""
    rows = await connection.execute(_UNPROCESSED, {"for_conversation": identifier})
    return [
        StoredInbound(
            id=row.id,
            seq=row.seq,
            text=row.text,
            attachments=tuple(Attachment(**a) for a in row.content.get("attachments", ())),
            payload=row.payload,
            verified_phone=row.content.get("verified_phone"),
            attempts=row.attempts,
        )
        for row in rows
    ]


async def numbered_payload(
    connection: AsyncConnection, identifier: str, position: int, before_seq: int
) -> str | None:
    """What "2" means where buttons are written as a numbered list.

    Returns:
        The payload of that choice in the newest list before `before_seq`; None when the customer
        has written since, or when that list had no such choice.
    """
    last_said = (
        select(func.coalesce(func.max(t.message.c.seq), 0))
        .where(
            t.message.c.conversation_id == identifier,
            t.message.c.seq < before_seq,
            t.message.c.author == Author.CUSTOMER,
        )
        .scalar_subquery()
    )
    newest = (
        select(t.message.c.id)
        .join(t.button, t.button.c.message_id == t.message.c.id)
        .where(
            t.message.c.conversation_id == identifier,
            t.button.c.conversation_id == identifier,
            t.message.c.seq < before_seq,
            t.message.c.seq > last_said,
        )
        .order_by(t.message.c.seq.desc())
        .limit(1)
    )
    found = await connection.scalar(
        select(t.button.c.payload).where(
            t.button.c.conversation_id == identifier,
            t.button.c.message_id == newest.scalar_subquery(),
            t.button.c.position == position,
        )
    )
    return None if found is None else str(found)


async def recently_said(
    connection: AsyncConnection, identifier: str, before_seq: int | None, limit: int = 4
) -> list[tuple[str, str]]:
    """The customer's latest messages before a place in the transcript (its end when None).

    Returns:
        Text and intent of each, oldest first.
    """
    query = select(t.message.c.text, t.message.c.understood).where(
        t.message.c.conversation_id == identifier, t.message.c.author == Author.CUSTOMER
    )
    if before_seq is not None:
        query = query.where(t.message.c.seq < before_seq)
    rows = await connection.execute(query.order_by(t.message.c.seq.desc()).limit(limit))
    said = [(row.text, str((row.understood or {}).get("intent") or "")) for row in rows]
    return said[::-1]


_PROCESSED = update(t.message).where(t.message.c.id == bindparam("for_message"))


async def mark_processed(
    connection: AsyncConnection,
    messages: Sequence[StoredInbound],
    understood: Mapping[str, object],
    turn_id: str | None,
    now: datetime,
) -> None:
    """Ends the wait of these messages, with what the bot understood of each."""
    rows = [
        {
            "for_message": message.id,
            "status": Status.PROCESSED,
            "understood": understood.get(message.id),
            "turn_id": turn_id,
            "updated_at": now,
        }
        for message in messages
    ]
    if rows:
        await connection.execute(_PROCESSED, rows)


async def count_failure(
    connection: AsyncConnection, messages: Sequence[StoredInbound], error: str
) -> None:
    """Notes that a turn failed on these messages; they stay unprocessed."""
    await connection.execute(
        update(t.message)
        .where(t.message.c.id.in_([m.id for m in messages]))
        .values(attempts=t.message.c.attempts + 1, error=error[:256])
    )


async def set_aside(
    connection: AsyncConnection, messages: Sequence[StoredInbound], error: str, now: datetime
) -> None:
    """Makes dead letters of messages on which the last turn failed too."""
    await count_failure(connection, messages, error)
    await connection.execute(
        update(t.message).where(t.message.c.id.in_([m.id for m in messages])).values(dead_since=now)
    )


async def set_ownership(
    connection: AsyncConnection, identifier: str, ownership: Ownership, now: datetime
) -> None:
    """Writes who owns the conversation."""
    await connection.execute(
        update(t.conversation)
        .where(t.conversation.c.id == identifier)
        .values(
            state=ownership.state,
            owner_epoch=ownership.epoch,
            assignee=ownership.assignee,
            updated_at=now,
        )
    )


async def set_identity(
    connection: AsyncConnection,
    identifier: str,
    identity: Identity,
    customer_id: str | None,
    name: str = "",
) -> None:
    """Writes what is known about who is writing; an empty name changes none."""
    values: dict[str, object] = {"identity": int(identity), "customer_id": customer_id}
    if name:
        values["profile_name"] = name
    await connection.execute(
        update(t.conversation).where(t.conversation.c.id == identifier).values(**values)
    )


async def open_episode(
    connection: AsyncConnection,
    identifier: str,
    reason: HandoffReason,
    evidence: Mapping[str, object],
    brief: str,
    now: datetime,
) -> str:
    """Begins an episode: one passage of the conversation to humans and back."""
    episode = new_id()
    await connection.execute(
        t.episode.insert().values(
            id=episode,
            conversation_id=identifier,
            reason=reason,
            evidence=dict(evidence),
            brief=brief,
            requested_at=now,
        )
    )
    await connection.execute(
        update(t.conversation).where(t.conversation.c.id == identifier).values(waiting_since=now)
    )
    return episode

"""Writing and claiming what goes out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.messages import Address, Author, Button, Content, Outgoing, Status
from bot.store import tables as t
from bot.store.rows import address_of, content_of, new_id, reserve_seqs

_INSERT, _INSERT_BUTTON = t.message.insert(), t.button.insert()
# However long a platform asks to wait, it is asked again after so many seconds. What seems to be
# planned for later was planned by a clock that has been set back since, and is due.
LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is about to be written to the transcript."""

    content: Content
    author: Author
    author_id: str | None = None
    status: Status = Status.PENDING


@dataclass(frozen=True, slots=True)
class Queued:
    """An outbound row at the head of its conversation.

    Attributes:
        overtaken: Somebody else owns the conversation since it was written.
        last: Nothing waits behind it.
        ambiguous: A crash left it between sending and "sent".
        attempts: How often it was tried before.
        last_attempt: Unix time of the last attempt.
        written_at: Unix time at which it was written.
    """

    outgoing: Outgoing
    overtaken: bool
    last: bool
    ambiguous: bool
    attempts: int
    last_attempt: float
    written_at: float


async def write(
    connection: AsyncConnection,
    conversation: str,
    drafts: Sequence[Draft],
    *,
    epoch: int,
    now: datetime,
    turn_id: str | None = None,
    changes: Mapping[str, object] | None = None,
) -> list[str]:
    """Appends messages to the transcript, with tokens for their buttons.

    Args:
        changes: What else of the conversation's row changes, by column.

    Returns:
        The new messages' ids, in order.
    """
    rows, choices = _rows(conversation, drafts, epoch, now, turn_id)

    def insert(connection: Connection) -> None:
        first = reserve_seqs(connection, conversation, len(rows), **(changes or {})) or 1
        for seq, row in enumerate(rows, start=first):
            row["seq"] = seq
        if rows:
            connection.execute(_INSERT, rows)
        if choices:
            connection.execute(_INSERT_BUTTON, choices)

    if rows or changes:
        await connection.run_sync(insert)
    return [str(row["id"]) for row in rows]


def _rows(
    conversation: str, drafts: Sequence[Draft], epoch: int, now: datetime, turn_id: str | None
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Drafts as rows of messages, without their places, and of buttons."""
    rows: list[dict[str, object]] = []
    choices: list[dict[str, object]] = []
    for draft in drafts:
        content = replace(
            draft.content, buttons=tuple(_with_token(b) for b in draft.content.buttons)
        )
        row: dict[str, object] = {
            "id": new_id(),
            "conversation_id": conversation,
            "author": draft.author,
            "author_id": draft.author_id,
            "status": draft.status,
            "attempts": 1 if draft.status is Status.SENT else 0,
            "text": content.text,
            "content": content.as_json(),
            "owner_epoch": epoch,
            "turn_id": turn_id,
            "created_at": now,
            "updated_at": now,
        }
        rows.append(row)
        choices += _choices(conversation, str(row["id"]), content)
    return rows, choices


def _with_token(button: Button) -> Button:
    return button if button.url else replace(button, token=secrets.token_urlsafe(12))


def _choices(conversation: str, message: str, content: Content) -> list[dict[str, object]]:
    # Links are not counted: where buttons become a numbered list, they stand above it.
    choices = [button for button in content.buttons if button.token]
    return [
        {
            "token": button.token,
            "conversation_id": conversation,
            "message_id": message,
            "position": position,
            "title": button.title,
            "payload": button.payload,
        }
        for position, button in enumerate(choices, start=1)
    ]


async def conversations_waiting(
    connection: AsyncConnection, now: float, limit: int, held: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, Address]]:
    """Conversations whose first unsent message may be tried now, with their addresses.

    Args:
        now: Unix time.
        held: Channels and accounts that may send nothing now.
    """
    next_attempt = t.message.c.next_attempt_at
    due = or_(next_attempt.is_(None), next_attempt <= now, next_attempt > now + LONGEST_RETRY_AFTER)
    heads = (
        select(t.message.c.conversation_id, func.min(t.message.c.seq).label("seq"))
        .where(t.is_unsent)
        .group_by(t.message.c.conversation_id)
        .subquery()
    )
    query = (
        select(t.conversation)
        .join(heads, heads.c.conversation_id == t.conversation.c.id)
        .join(
            t.message,
            (t.message.c.conversation_id == heads.c.conversation_id)
            & (t.message.c.seq == heads.c.seq),
        )
        .where(due)
        .order_by(t.message.c.created_at)
        .limit(limit)
    )
    if held:
        account = tuple_(t.conversation.c.channel, t.conversation.c.account)
        query = query.where(account.not_in(held))
    rows = await connection.execute(query)
    return [(row.id, address_of(row)) for row in rows]


# The first that waits, and whether there is a second.
_HEAD = (
    select(
        t.message,
        t.conversation.c.channel,
        t.conversation.c.account,
        t.conversation.c.sender,
        t.conversation.c.owner_epoch.label("current_epoch"),
    )
    .join(t.conversation, t.conversation.c.id == t.message.c.conversation_id)
    .where(t.message.c.conversation_id == bindparam("for_conversation"), t.is_unsent)
    .order_by(t.message.c.seq)
    .limit(2)
)


async def head(connection: AsyncConnection, conversation: str, now: float) -> Queued | None:
    """The first unsent message of a conversation; None when there is none, or none that is due."""
    rows = (await connection.execute(_HEAD, {"for_conversation": conversation})).all()
    if not rows or 0 < (rows[0].next_attempt_at or 0) - now <= LONGEST_RETRY_AFTER:
        return None
    return _queued(rows[0], last=len(rows) == 1)


def _queued(row: Row[Any], *, last: bool) -> Queued:
    return Queued(
        Outgoing(row.id, address_of(row), content_of(row), Author(row.author), row.seq),
        overtaken=row.owner_epoch < row.current_epoch,
        last=last,
        ambiguous=row.status == Status.SENDING,
        attempts=row.attempts,
        last_attempt=row.updated_at.timestamp(),
        written_at=row.created_at.timestamp(),
    )


async def is_taken(connection: AsyncConnection, key: str) -> bool:
    """Whether a message counts as sent under this provider key."""
    known = select(t.message.c.id).where(t.message.c.provider_key == key)
    return await connection.scalar(known) is not None


# The columns that change are those that get parameters.
_MARK = update(t.message).where(t.message.c.id == bindparam("for_message"))


async def mark(
    connection: AsyncConnection, message: str, status: Status, now: datetime, **changes: object
) -> None:
    """Sets a message's status and the columns that go with it."""
    values = {"status": status, "updated_at": now, **changes}
    await connection.execute(_MARK, {"for_message": message, **values})

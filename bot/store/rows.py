"""Small pieces that several queries share: ids, inserts, and rows as values."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import Ownership, State
from bot.core.messages import Address, Author, Content, Status
from bot.core.transcript import TranscriptMessage
from bot.store import tables as t


def new_id() -> str:
    """A random id."""
    return str(uuid.uuid4())


def utc_now() -> datetime:
    """The present time, aware."""
    return datetime.now(UTC)


def insert_once(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that does nothing where a unique constraint is already met."""
    return _insert_once(connection.dialect.name, table)


@cache
def _insert_once(dialect: str, table: Table) -> Any:
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_nothing()


# Here and elsewhere: statements that every message needs are made once, with parameters, since
# making one costs as much as running it.
_RESERVE = (
    update(t.conversation)
    .where(t.conversation.c.id == bindparam("for_conversation"))
    .values(last_seq=t.conversation.c.last_seq + bindparam("places"))
    .returning(t.conversation.c.last_seq)
)


async def reserve_seqs(connection: AsyncConnection, conversation: str, count: int) -> int:
    """Takes `count` places in a transcript.

    The conversation's row is locked until the transaction ends, so places follow commit order.

    Returns:
        The first of the places.
    """
    last = await connection.scalar(_RESERVE, {"for_conversation": conversation, "places": count})
    return int(last or 0) - count + 1


def ownership_of(row: Row[Any]) -> Ownership:
    """Who owns the conversation of this `conversation` row."""
    return Ownership(State(row.state), row.owner_epoch, row.assignee)


def address_of(row: Row[Any]) -> Address:
    """Where the customer of this `conversation` row is reached."""
    return Address(row.channel, row.account, row.sender)


def content_of(row: Row[Any]) -> Content:
    """What this `message` row says."""
    return Content.from_json(row.text, row.content)


def provider_key(channel: str, account: str, provider_id: str) -> str:
    """The value that is unique for one message of one account of one platform."""
    return f"{channel}\x1f{account}\x1f{provider_id}"


def transcript_message(row: Row[Any], author_name: str) -> TranscriptMessage:
    """A `message` row as a line of the transcript, payloads of buttons included."""
    content = content_of(row)
    return TranscriptMessage(
        id=row.id,
        seq=row.seq,
        author=Author(row.author),
        author_name=author_name,
        text=row.text,
        buttons=content.buttons,
        attachments=content.attachments,
        status=Status(row.status),
        created_at=row.created_at,
        understood=row.understood,
        replayed_at=row.replayed_at,
    )


async def agent_names(connection: AsyncConnection, ids: set[str]) -> dict[str, str]:
    """Display names of these agents."""
    if not ids:
        return {}
    rows = await connection.execute(
        select(t.agent.c.id, t.agent.c.name).where(t.agent.c.id.in_(ids))
    )
    return {row.id: row.name for row in rows}

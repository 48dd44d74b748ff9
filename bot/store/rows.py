"""Small pieces that several queries share: ids, inserts, and rows as values."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, TextClause, bindparam, select, text, update
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


def insert_once(table: Table, *columns: str) -> TextClause:
    """An INSERT of these columns that does nothing where a unique constraint is already met.

    Written out, and alike on every database: SQLAlchemy makes the text of its own ON CONFLICT anew
    each time it is executed, which takes longer than the insertion.
    """
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    # The names are the schema's own.
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
    return text(statement).bindparams(*(bindparam(n, type_=table.c[n].type) for n in columns))


# Here and elsewhere: statements that every message needs are made once, with parameters, since
# making one costs as much as running it.
_RESERVE = (
    update(t.conversation)
    .where(t.conversation.c.id == bindparam("for_conversation"))
    .values(last_seq=t.conversation.c.last_seq + bindparam("places"))
    .returning(t.conversation.c.last_seq)
)


def reserve_seqs(
    connection: Connection, conversation: str, count: int, **changes: object
) -> int | None:
    """Takes `count` places in a transcript.

    The conversation's row is locked until the transaction ends, so places follow commit order. To
    be called with `AsyncConnection.run_sync`, together with what fills the places: statements that
    follow one another cost half as much in one call.

    Args:
        changes: What else of the conversation's row changes, by column.

    Returns:
        The first of the places; None where there is no such conversation.
    """
    values = {"for_conversation": conversation, "places": count, **changes}
    last = connection.scalar(_RESERVE, values)
    return None if last is None else int(last) - count + 1


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

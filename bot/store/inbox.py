"""Receiving: inbound rows and receipts, each written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import State
from bot.core.messages import DELIVERY_RANK, Author, Content, Inbound, Receipt, Status
from bot.core.transcript import conversation_id
from bot.store import tables as t
from bot.store.rows import insert_once, new_id, provider_key, reserve_seqs

_KNOWN = select(t.message.c.id).where(t.message.c.inbound_key == bindparam("key"))
_CONVERSATION = insert_once(
    t.conversation,
    "id",
    "channel",
    "account",
    "sender",
    "profile_name",
    "state",
    "owner_epoch",
    "created_at",
    "updated_at",
)
_COLUMNS = (
    "id",
    "conversation_id",
    "seq",
    "author",
    "status",
    "text",
    "content",
    "inbound_key",
    "button",
    "created_at",
    "updated_at",
)
_MESSAGE = insert_once(t.message, *_COLUMNS)
_OTHERS = [name for name in _COLUMNS if name != "seq"]
# All that the statements of `accept` do for a message of a known conversation.
_NEXT_MESSAGE = text(
    f"""
    WITH heard AS (
        UPDATE conversation
        SET last_seq = last_seq + 1, last_customer_at = :created_at, updated_at = :created_at,
            profile_name = COALESCE(:profile_name, profile_name)
        WHERE id = :conversation_id
            AND NOT EXISTS (SELECT FROM message WHERE inbound_key = :inbound_key)
        RETURNING last_seq
    )
    INSERT INTO message (seq, {", ".join(_OTHERS)})
    SELECT last_seq, {", ".join(f":{name}" for name in _OTHERS)} FROM heard
    ON CONFLICT DO NOTHING
    """  # noqa: S608 - the names are the schema's own
).bindparams(
    *(bindparam(name, type_=t.message.c[name].type) for name in _OTHERS),
    bindparam("profile_name", type_=t.conversation.c.profile_name.type),
)
_EARLY_RECEIPT = insert_once(t.early_receipt, "provider_key", "status", "error", "created_at")
_EARLY = (
    delete(t.early_receipt)
    .where(t.early_receipt.c.provider_key == bindparam("key"))
    .returning(t.early_receipt.c.status, t.early_receipt.c.error)
)


async def accept(
    connection: AsyncConnection, messages: Sequence[Inbound], now: datetime
) -> list[str]:
    """Stores inbound messages; those already stored are left alone.

    Returns:
        The conversation of each new message, in order.
    """
    changed = []
    for message in messages:
        conversation = conversation_id(message.address)
        if await connection.run_sync(_insert, conversation, message, now):
            changed.append(conversation)
    return changed


async def accept_next(connection: AsyncConnection, message: Inbound, now: datetime) -> str | None:
    """Stores a message of a conversation that has begun, in one statement; PostgreSQL only.

    Returns:
        The conversation; None where it has not begun, or the message was stored before. Then
        nothing has changed, and `accept` knows which.
    """
    conversation = conversation_id(message.address)
    row = _row(conversation, message, now) | {"profile_name": message.profile_name or None}
    stored = await connection.execute(_NEXT_MESSAGE, row)
    return conversation if stored.rowcount > 0 else None


def _heard(
    connection: Connection, conversation: str, message: Inbound, now: datetime
) -> int | None:
    """Takes the message's place in its transcript; None where there is no conversation yet."""
    changes: dict[str, object] = {"last_customer_at": now, "updated_at": now}
    if message.profile_name:
        changes["profile_name"] = message.profile_name
    return reserve_seqs(connection, conversation, 1, **changes)


def _begin_conversation(
    connection: Connection, conversation: str, message: Inbound, now: datetime
) -> None:
    address = message.address
    connection.execute(
        _CONVERSATION,
        {
            "id": conversation,
            "channel": address.channel,
            "account": address.account,
            "sender": address.sender,
            "profile_name": message.profile_name,
            "state": State.BOT,
            "owner_epoch": 0,
            "created_at": now,
            "updated_at": now,
        },
    )


def _insert(connection: Connection, conversation: str, message: Inbound, now: datetime) -> bool:
    row = _row(conversation, message, now)
    if connection.scalar(_KNOWN, {"key": row["inbound_key"]}):
        return False
    seq = _heard(connection, conversation, message, now)
    if seq is None:
        _begin_conversation(connection, conversation, message, now)
        seq = _heard(connection, conversation, message, now)
    result = connection.execute(_MESSAGE, {**row, "seq": seq})
    # None where another replica stored the same message since it was looked for.
    return result.rowcount > 0


def _row(conversation: str, message: Inbound, now: datetime) -> dict[str, object]:
    """A message as it is stored, but for its place."""
    address = message.address
    content = Content(attachments=message.attachments).as_json()
    return {
        "id": new_id(),
        "conversation_id": conversation,
        "author": Author.CUSTOMER,
        "status": Status.RECEIVED,
        "text": _storable(message.text),
        "content": content | {"verified_phone": message.verified_phone},
        "inbound_key": provider_key(address.channel, address.account, message.provider_id),
        "button": message.button,
        "created_at": now,
        "updated_at": now,
    }


def _storable(text: str) -> str:
    """Without what databases cannot keep and nobody can read: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


async def note_receipts(
    connection: AsyncConnection, receipts: Sequence[Receipt], now: datetime
) -> list[str]:
    """Moves sent messages forward; a receipt that would move one back is ignored.

    A receipt can overtake the commit of "sent": one whose message is not known yet is kept for
    `apply_early_receipts`.

    Returns:
        The conversations that changed.
    """
    changed: dict[str, None] = {}
    for receipt in receipts:
        key = provider_key(receipt.channel, receipt.account, receipt.provider_id)
        known = select(t.message.c.conversation_id).where(t.message.c.provider_key == key)
        conversation = await connection.scalar(known)
        if conversation is None:
            early = {"status": receipt.status, "error": receipt.error, "created_at": now}
            await connection.execute(_EARLY_RECEIPT, {"provider_key": key, **early})
        elif await _move_forward(connection, key, receipt.status, receipt.error, now):
            changed[conversation] = None
    return list(changed)


async def apply_early_receipts(connection: AsyncConnection, key: str, now: datetime) -> None:
    """Applies the receipts that came before their message was committed as sent."""
    rows = await connection.execute(_EARLY, {"key": key})
    for row in rows.all():
        await _move_forward(connection, key, Status(row.status), row.error, now)


async def _move_forward(
    connection: AsyncConnection, key: str, status: Status, error: str | None, now: datetime
) -> bool:
    lower = [s for s, rank in DELIVERY_RANK.items() if rank < DELIVERY_RANK[status]]
    failed = status is Status.FAILED
    result = await connection.execute(
        update(t.message)
        .where(t.message.c.provider_key == key, t.message.c.status.in_(lower))
        .values(
            status=status,
            error=error or ("it could not be delivered" if failed else None),
            error_code=error[:64] if error else None,
            dead_since=now if failed else None,
            updated_at=now,
        )
    )
    return result.rowcount > 0

"""Receiving: inbound rows and receipts, each written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update
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
_MESSAGE = insert_once(
    t.message,
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
    address = message.address
    key = provider_key(address.channel, address.account, message.provider_id)
    if connection.scalar(_KNOWN, {"key": key}):
        return False
    seq = _heard(connection, conversation, message, now)
    if seq is None:
        _begin_conversation(connection, conversation, message, now)
        seq = _heard(connection, conversation, message, now)
    content = Content(attachments=message.attachments).as_json()
    result = connection.execute(
        _MESSAGE,
        {
            "id": new_id(),
            "conversation_id": conversation,
            "seq": seq,
            "author": Author.CUSTOMER,
            "status": Status.RECEIVED,
            "text": _storable(message.text),
            "content": content | {"verified_phone": message.verified_phone},
            "inbound_key": key,
            "button": message.button,
            "created_at": now,
            "updated_at": now,
        },
    )
    # None where another replica stored the same message since it was looked for.
    return result.rowcount > 0


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

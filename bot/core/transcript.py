"""Reading a conversation, and hearing that it changed: what live pages are built on."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.messages import Address, Attachment, Author, Button, Status

_CONVERSATIONS = uuid.UUID("5f0d3c1e-7f0b-5d55-9d0c-0f7a3f1c7e11")


def conversation_id(address: Address) -> str:
    """The conversation with this address: one id on every replica, before any row exists."""
    return str(
        uuid.uuid5(_CONVERSATIONS, "\0".join((address.channel, address.account, address.sender)))
    )


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """One line of a transcript.

    Attributes:
        seq: Place in the conversation, from 1, without order gaps that matter (it only grows).
        author_name: The agent's display name when an agent wrote it; else empty.
        understood: Intent, confidence and entities of a customer's message; None when not parsed.
            Of several wishes the first; the others under ``also``. Never shown to customers.
        replayed_at: When it was tried again after it had failed for good; None when it was not.
    """

    id: str
    seq: int
    author: Author
    author_name: str
    text: str
    buttons: tuple[Button, ...]
    attachments: tuple[Attachment, ...]
    status: Status
    created_at: datetime
    understood: dict[str, object] | None = None
    replayed_at: datetime | None = None


class Transcript(Protocol):
    """Reads what a customer may see of their own conversation."""

    async def visible(
        self, conversation: str, after: int = 0, limit: int = 200
    ) -> list[TranscriptMessage]:
        """Messages with ``seq > after``, oldest first, without notes; empty for an unknown id.

        A button's ``payload`` is empty here: it never leaves the server.
        """
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed.

    Attributes:
        topic: ``conversation:<id>``, ``desk``, ``inbox``, ``outbox`` or ``models``.
        kind: ``messages``, ``state`` or ``typing``.
        author: Who is typing; empty otherwise.
        conversation: Where the work is, for workers of this process; may be empty.
    """

    topic: str
    kind: str
    author: str = ""
    conversation: str = ""


class Hub(Protocol):
    """Tells live pages and workers that something changed. A hint only: readers read the store."""

    async def publish(self, event: Event) -> None:
        """Never raises for a lost connection: a slow poll stands behind every hint."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Events of these topics from now on, for as long as the context is open."""
        ...

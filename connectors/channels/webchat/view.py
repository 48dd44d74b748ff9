"""What a visitor gets to see of the transcript, and how it is written on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.messages import Author, Status
from bot.core.transcript import Transcript, TranscriptMessage

PAGE = 200
_ON_THE_WAY = (Status.PENDING, Status.SENDING)
_NEVER_SENT = (Status.FAILED, Status.DROPPED, Status.NOTE)


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a transcript.

    Attributes:
        messages: What is shown, oldest first, as JSON objects.
        last: The place up to which the visitor now knows the transcript.
        more: Whether another page stands ready behind it.
        held: Whether a message waits behind it that is not sent yet.
    """

    messages: list[dict[str, object]]
    last: int
    more: bool = False
    held: bool = False


async def read(transcript: Transcript, conversation: str, after: int) -> Page:
    """The page behind ``after``.

    It ends before the first message that is still on its way: the bot's may yet be dropped because
    a human has taken over, and what comes after it must not be read first.
    """
    while True:
        found = await transcript.visible(conversation, after, PAGE)
        page = _page(found, after)
        if page.messages or not page.more:
            return page
        after = page.last  # a whole page of messages that were never sent


def _page(found: list[TranscriptMessage], after: int) -> Page:
    shown: list[dict[str, object]] = []
    for message in found:
        if message.author is not Author.CUSTOMER:
            if message.status in _ON_THE_WAY:
                return Page(shown, after, held=True)
            if message.status in _NEVER_SENT:
                after = message.seq
                continue
        shown.append(as_json(message))
        after = message.seq
    return Page(shown, after, more=len(found) >= PAGE)


def as_json(message: TranscriptMessage) -> dict[str, object]:
    """One message for the widget: nothing of what the bot understood, no button's payload."""
    return {
        "seq": message.seq,
        "author": message.author.value,
        "name": message.author_name,
        "text": message.text,
        "buttons": [{"title": b.title, "token": b.token, "url": b.url} for b in message.buttons],
        "attachments": [
            {"url": a.url, "content_type": a.content_type, "name": a.name}
            for a in message.attachments
        ],
        "status": message.status.value,
        "at": message.created_at.isoformat(),
    }

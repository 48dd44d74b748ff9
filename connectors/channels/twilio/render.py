"""From what a message says to what Twilio is asked to send."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.messages import Attachment, Button, Content
from connectors.channels.twilio.split import split, width

# Twilio's limits (error 21617 beyond the first). A WhatsApp caption is WhatsApp's own limit; of a
# second file in one WhatsApp message Twilio says that it is ignored.
TEXT_LIMIT = 1600
MEDIA_LIMIT = 10
WHATSAPP_CAPTION_LIMIT = 1024
WHATSAPP_MEDIA_LIMIT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One request to Twilio: a text, absolute media URLs, or both."""

    body: str
    media: tuple[str, ...] = ()


def render(content: Content, *, whatsapp: bool, public_url: str, choice_hint: str) -> list[Part]:
    """The messages that say it, in order; empty when there is nothing to say.

    Choices become a numbered list, since neither SMS nor a WhatsApp session has buttons without
    templates made beforehand: number n is the nth button that is not a link. Tokens never appear.

    Args:
        content: What to say.
        whatsapp: Whether WhatsApp's limits hold instead of those of SMS and MMS.
        public_url: What relative addresses are relative to, without a slash at its end.
        choice_hint: The line under the numbered list.
    """
    files = [a for a in content.attachments if _sendable(a)]
    # Such as a place on the map: named in the text instead of lost.
    others = [
        " ".join(filter(None, (a.name, a.url))) for a in content.attachments if a not in files
    ]
    links = [f"{b.title}: {_absolute(b.url, public_url)}" for b in content.buttons if b.url]
    blocks = [
        content.text.strip(),
        "\n".join((*others, *links)),
        _numbered([b for b in content.buttons if not b.url], choice_hint),
    ]
    bodies = _pack([block for block in blocks if block])
    urls = [_absolute(a.url, public_url) for a in files]
    if not urls:
        return [Part(body) for body in bodies]
    captioned = not whatsapp or (
        len(files) == 1
        and len(bodies) == 1
        and width(bodies[0]) <= WHATSAPP_CAPTION_LIMIT
        and _takes_caption(files[0])
    )
    return _with_media(bodies, urls, captioned, WHATSAPP_MEDIA_LIMIT if whatsapp else MEDIA_LIMIT)


def _with_media(bodies: Sequence[str], urls: list[str], captioned: bool, limit: int) -> list[Part]:
    """Files come before the text that speaks of them, with its first piece where that is shown."""
    groups = [tuple(urls[i : i + limit]) for i in range(0, len(urls), limit)]
    if captioned and bodies:
        return [
            Part(bodies[0], groups[0]),
            *(Part("", group) for group in groups[1:]),
            *(Part(body) for body in bodies[1:]),
        ]
    return [*(Part("", group) for group in groups), *(Part(body) for body in bodies)]


def _numbered(buttons: Sequence[Button], hint: str) -> str:
    if not buttons:
        return ""
    lines = [f"{number}. {button.title}" for number, button in enumerate(buttons, start=1)]
    return "\n".join((*lines, hint))


def _pack(blocks: Sequence[str]) -> list[str]:
    """Joins blocks while they fit into one message; a list is torn only when too long alone."""
    bodies: list[str] = []
    for piece in _pieces(blocks):
        joined = f"{bodies[-1]}\n\n{piece}" if bodies else piece
        if bodies and width(joined) <= TEXT_LIMIT:
            bodies[-1] = joined
        else:
            bodies.append(piece)
    return bodies


def _pieces(blocks: Sequence[str]) -> Iterator[str]:
    for block in blocks:
        yield from split(block, TEXT_LIMIT)


def _absolute(url: str, public_url: str) -> str:
    if "://" in url or url.startswith(("mailto:", "tel:")):
        return url
    return f"{public_url}/{url.lstrip('/')}"


def _sendable(attachment: Attachment) -> bool:
    scheme, colon, _ = attachment.url.partition(":")
    return not colon or scheme in ("http", "https") or "/" in scheme


def _takes_caption(attachment: Attachment) -> bool:
    """Twilio shows no text beside a WhatsApp document or sound."""
    kind = attachment.content_type or mimetypes.guess_type(attachment.url)[0] or ""
    return kind.startswith(("image/", "video/"))

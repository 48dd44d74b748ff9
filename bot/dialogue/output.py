"""Rasa's output channel that collects what the bot says during a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rasa.core.channels.channel import OutputChannel

from bot.core.conversation import HandoffReason
from bot.core.messages import Attachment, Button, Content


@dataclass(frozen=True, slots=True)
class HandoffRequest:
    """The bot wants a human to go on.

    Attributes:
        reason: Why.
        evidence: The facts that led to it, and those found so far.
    """

    reason: HandoffReason
    evidence: Mapping[str, object]


class CollectingOutput(OutputChannel):
    """Keeps each response as one `Content`; sends nothing.

    Args:
        channel: The connector's name, so that responses for one channel only apply.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.contents: list[Content] = []
        self.handoff: HandoffRequest | None = None

    def name(self) -> str:
        """The channel that the customer uses; Rasa picks channel-specific responses by it."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Collects one response of Rasa or of an action."""
        self._read_custom(message.get("custom") or {})
        for element in message.get("elements") or ():
            self.contents.append(_card(element))
        buttons = (message.get("buttons") or []) + (message.get("quick_replies") or [])
        content = Content(
            text=str(message.get("text") or "").strip(),
            buttons=tuple(_button(b) for b in buttons),
            attachments=tuple(_attachments(message)),
        )
        if content != Content():
            self.contents.append(content)

    def _read_custom(self, custom: Mapping[str, Any]) -> None:
        wanted = custom.get("handoff")
        # The first reason is the cause; what follows in the same turn is its consequence.
        if wanted and self.handoff is None:
            self.handoff = HandoffRequest(
                HandoffReason(wanted["reason"]), wanted.get("evidence") or {}
            )


def _button(data: Mapping[str, Any]) -> Button:
    return Button(
        title=str(data.get("title", "")),
        payload=str(data.get("payload") or ""),
        url=str(data.get("url") or ""),
    )


def _card(data: Mapping[str, Any]) -> Content:
    text = "\n".join(str(data[key]) for key in ("title", "subtitle") if data.get(key))
    image = data.get("image_url")
    return Content(
        text=text,
        buttons=tuple(_button(b) for b in data.get("buttons") or ()),
        attachments=(Attachment(str(image), "image/*"),) if image else (),
    )


def _attachments(message: Mapping[str, Any]) -> list[Attachment]:
    found = []
    if message.get("image"):
        found.append(Attachment(str(message["image"]), "image/*"))
    attachment = message.get("attachment")
    if isinstance(attachment, str) and attachment:
        found.append(Attachment(attachment))
    elif isinstance(attachment, Mapping):
        payload = attachment.get("payload") or {}
        kind = str(attachment.get("type") or "file")
        found.append(
            Attachment(str(payload.get("src", "")), f"{kind}/*", str(payload.get("title", "")))
        )
    return found

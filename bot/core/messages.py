"""What travels through the message path: plain values that every channel understands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Status(StrEnum):
    """Where a message is on its way.

    Inbound: RECEIVED → PROCESSED. Outbound: PENDING → SENDING → SENT → DELIVERED → READ, or
    FAILED (dead letter), or DROPPED (a human had taken over). NOTE is never sent.
    """

    RECEIVED = "received"
    PROCESSED = "processed"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    DROPPED = "dropped"
    NOTE = "note"


# Receipts arrive out of order: a status only ever moves to a higher rank.
DELIVERY_RANK: dict[Status, int] = {
    Status.PENDING: 0,
    Status.SENDING: 1,
    Status.SENT: 2,
    Status.FAILED: 3,
    Status.DELIVERED: 4,
    Status.READ: 5,
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came or goes with a message.

    Attributes:
        url: Where the bytes are; for inbound media the platform's URL, never fetched blindly.
        content_type: MIME type as the platform states it; empty when it does not say.
        name: File name to show; may be empty.
    """

    url: str
    content_type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered to the customer.

    Attributes:
        title: What the customer reads.
        token: What the channel carries; issued by the server for one conversation. Empty until
            the message is stored.
        payload: What the choice means to the brain (``/intent{"entity": "value"}``); never leaves
            the server.
        url: A link instead of a choice; then token and payload are empty.
    """

    title: str
    token: str = ""
    payload: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a customer is reached: one per conversation.

    Attributes:
        channel: The connector's name in ``credentials.yml`` (``twilio``, ``webchat``).
        account: The shop's own side: phone number, page id; ``default`` for the web chat.
        sender: The customer's side: ``+4479…``, ``whatsapp:+4479…``, a visitor id.
    """

    channel: str
    account: str
    sender: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message from a customer, as a connector understood it.

    Attributes:
        address: Whose conversation it belongs to.
        provider_id: The platform's message id; (channel, account, provider_id) is unique.
        text: What the customer typed; empty for media only.
        attachments: Files that came with it.
        button: The token of the button that was pressed, if any.
        verified_phone: E.164 number that the platform vouches for; None elsewhere.
        profile_name: The name the platform shows for the customer; may be empty.
        sent_at: When the platform says it was sent; None when it does not say.
    """

    address: Address
    provider_id: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    button: str | None = None
    verified_phone: str | None = None
    profile_name: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A platform's word on a message that was sent.

    Attributes:
        channel, account: As in `Address`.
        provider_id: The id that the platform gave when the message was sent.
        status: SENT, DELIVERED, READ or FAILED.
        error: The platform's error code when FAILED.
    """

    channel: str
    account: str
    provider_id: str
    status: Status
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What one outbound message says; connectors render it for what their channel can show."""

    text: str = ""
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The form in which the store keeps it."""
        return {
            "buttons": [
                {"title": b.title, "token": b.token, "payload": b.payload, "url": b.url}
                for b in self.buttons
            ],
            "attachments": [
                {"url": a.url, "content_type": a.content_type, "name": a.name}
                for a in self.attachments
            ],
        }

    @classmethod
    def from_json(cls, text: str, data: dict[str, list[dict[str, str]]]) -> Content:
        """The value that `as_json` gave away."""
        return cls(
            text,
            tuple(Button(**b) for b in data.get("buttons", ())),
            tuple(Attachment(**a) for a in data.get("attachments", ())),
        )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One outbound message on its way to a channel.

    Attributes:
        id: Our id; the idempotency key where the platform takes one.
        address: Where it goes.
        content: What it says.
        author: BOT, AGENT or SYSTEM.
        seq: Its place in the conversation's transcript.
    """

    id: str
    address: Address
    content: Content
    author: Author
    seq: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can show. Connectors declare it; rendering obeys it.

    Attributes:
        text_limit: Longest text of one message in characters; longer ones are split.
        buttons: How many buttons one message carries; 0: they become a numbered list.
        button_title_limit: Longest title in characters.
        attachments: How many files one message can carry.
        typing: Whether a typing indicator can be shown.
        vouches_for_phone: Whether the sender's phone number is the platform's word.
        reply_windows: Where the platform allows free replies only for some time after the
            customer's last message: how such senders begin, and how long it is.
        reads_transcript: Whether customers read what is stored, so that nothing leaves by sending
            and no crash can leave it in doubt.
    """

    text_limit: int
    buttons: int = 0
    button_title_limit: int = 20
    attachments: int = 0
    typing: bool = False
    vouches_for_phone: bool = False
    reply_windows: tuple[tuple[str, timedelta], ...] = ()
    reads_transcript: bool = False

    def reply_window(self, sender: str) -> timedelta | None:
        """How long after this sender's message the shop may write freely; None: always."""
        return next((time for start, time in self.reply_windows if sender.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A plain HTTP request, as connectors see it.

    Attributes:
        method: Upper case.
        url: The public URL with query string (from configuration, never from the Host header).
        path: The part after ``/webhooks/<channel>/``: ``webhook``, ``status``, …
        headers: Lower-case names.
        body: Raw bytes, at most 1 MB.
    """

    method: str
    url: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookResult:
    """What a connector read from a webhook: stored before it is acknowledged.

    Attributes:
        inbound: Messages, in order.
        receipts: Status changes of messages that we sent.
        status, body, content_type: The platform's acknowledgement, sent after the commit.
    """

    inbound: tuple[Inbound, ...] = field(default=())
    receipts: tuple[Receipt, ...] = field(default=())
    status: int = 200
    body: str = ""
    content_type: str = "text/plain"

"""What the stand-in keeps: its clock, its messages, and a log of both directions."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

WINDOW = 24 * 3600.0


class Clock:
    """Real time plus what the test added."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Unix time."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Lets time pass at once."""
        self._ahead += seconds


@dataclass(slots=True)
class Message:
    """One message on Twilio's record, in either direction."""

    sid: str
    account_sid: str
    sender: str
    to: str
    body: str
    media: tuple[str, ...]
    direction: str
    status: str
    created: float
    service: str | None = None
    callback: str | None = None
    error: int | None = None

    @property
    def is_whatsapp(self) -> bool:
        """Whether it goes over WhatsApp."""
        return self.to.startswith("whatsapp:")

    def as_json(self) -> dict[str, object]:
        """The resource as the REST API shows it."""
        base = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{self.sid}"
        date = format_datetime(datetime.fromtimestamp(int(self.created), UTC))
        waiting = self.status in ("queued", "accepted")
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": date,
            "date_sent": None if waiting else date,
            "date_updated": date,
            "direction": self.direction,
            "error_code": self.error,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media)),
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{base}/Media.json"},
            "to": self.to,
            "uri": f"{base}.json",
        }


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that came in.

    Attributes:
        method, path: Of the request.
        query, form: Decoded, in order, names may repeat.
        headers: Lower-case names.
        status: What was answered; 0 when the connection was reset instead.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    status: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a webhook answered to one request of the stand-in.

    Attributes:
        url: Where it went.
        fields: What was posted.
        status: HTTP status; 0 when there was no answer.
        content_type, body: Of the answer.
        seconds: How long it took.
    """

    url: str
    fields: tuple[tuple[str, str], ...]
    status: int
    content_type: str = ""
    body: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Record:
    """All state of the stand-in; only its own event loop changes it."""

    messages: list[Message] = field(default_factory=list)
    opted_out: set[tuple[str, str]] = field(default_factory=set)
    last_inbound: dict[tuple[str, str], float] = field(default_factory=dict)
    requests: list[Logged] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def find(self, sid: str) -> Message | None:
        """The message with that SID."""
        return next((m for m in self.messages if m.sid == sid), None)


def new_sid(prefix: str) -> str:
    """An identifier in Twilio's form."""
    return prefix + secrets.token_hex(16)


def segments(body: str) -> int:
    """How many SMS the text takes: 160 or 153 characters each, or 70 or 67 beyond Latin-1."""
    single, joined = (160, 153) if body.isascii() else (70, 67)
    return 1 if len(body) <= single else -(-len(body) // joined)

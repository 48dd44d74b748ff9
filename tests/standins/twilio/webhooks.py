"""What Twilio posts to the shop: inbound messages and status callbacks, signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from tests.standins.twilio.faults import Callbacks
from tests.standins.twilio.model import Message, Record, Reply, new_sid

Fields = tuple[tuple[str, str], ...]


def signature(auth_token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Computed by Twilio's own SDK, so that our connector is not checked against itself."""
    return str(RequestValidator(auth_token).compute_signature(url, MultiDict(fields)))


@dataclass(slots=True)
class Poster:
    """Posts forms as Twilio does.

    Attributes:
        auth_token: Signs.
        record: Gets every reply.
        timeout: Seconds until Twilio gives up on a webhook.
        session: The HTTP client; set while the stand-in runs.
    """

    auth_token: str
    record: Record
    timeout: float = 15.0
    session: aiohttp.ClientSession | None = None

    async def post(self, url: str, fields: Fields, sign_as: str | None, key: str) -> Reply:
        """One request; a failure to connect is tried once more, with the same idempotency key.

        Args:
            url: Where it goes.
            fields: The form.
            sign_as: The URL that is signed, where a proxy makes it another; None for `url`.
            key: ``I-Twilio-Idempotency-Token``.
        """
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature(self.auth_token, sign_as or url, fields),
            "I-Twilio-Idempotency-Token": key,
            "User-Agent": "TwilioProxy/1.1",
        }
        reply = await self._try(url, fields, headers)
        if reply.status == 0:
            reply = await self._try(url, fields, headers)
        self.record.replies.append(reply)
        return reply

    async def _try(self, url: str, fields: Fields, headers: dict[str, str]) -> Reply:
        assert self.session is not None, "the stand-in is not running"
        started = time.monotonic()
        try:
            async with self.session.post(
                url,
                data=urlencode(fields).encode(),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            ) as response:
                body = await response.text()
                return Reply(
                    url,
                    fields,
                    response.status,
                    response.content_type,
                    body,
                    time.monotonic() - started,
                )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Reply(url, fields, 0, seconds=time.monotonic() - started)


async def report(message: Message, callbacks: Callbacks, poster: Poster) -> None:
    """Lets a message go its way and posts its status callbacks; the first status has none."""
    statuses, error = _way(message, callbacks)
    steps = [(status, error if status == statuses[-1] else None) for status in statuses]
    if callbacks.reverse:
        steps.reverse()
    for status, code in steps:
        await callbacks.until_released()
        await asyncio.sleep(callbacks.pause)
        message.status, message.error = status, code
        if message.callback is None:
            continue
        for _ in range(2 if callbacks.duplicate else 1):
            fields = status_fields(message, status, code)
            await poster.post(message.callback, fields, None, new_sid("IT"))
    message.status, message.error = statuses[-1], error


def _way(message: Message, callbacks: Callbacks) -> tuple[tuple[str, ...], int | None]:
    if message.error is not None:
        return ("failed",), message.error
    if message.to in callbacks.outcomes:
        return callbacks.outcomes[message.to]
    start: tuple[str, ...] = ("queued", "sending") if message.service else ()
    if message.is_whatsapp:
        return (*start, "sent", "delivered", "read"), None
    return (*start, "sent", "delivered"), None


def status_fields(message: Message, status: str, error: int | None) -> Fields:
    """The form of a status callback."""
    fields = [
        ("SmsSid", message.sid),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", message.to),
        ("MessageSid", message.sid),
        ("AccountSid", message.account_sid),
        ("From", message.sender),
        ("ApiVersion", "2010-04-01"),
    ]
    if error is not None:
        # The text is left blank now and then, and a blank field is signed too.
        fields += [("ErrorCode", str(error)), ("ErrorMessage", "")]
    if message.is_whatsapp:
        fields += [("ChannelPrefix", "whatsapp"), ("ChannelToAddress", message.to)]
        fields += [("EventType", status.upper())] if status in ("delivered", "read") else []
    return tuple(fields)


def inbound_fields(message: Message, types: dict[str, str], extra: dict[str, str]) -> Fields:
    """The form of an inbound message, with blank fields as Twilio sends them."""
    fields = {
        "ToCountry": "GB",
        "ToState": "",
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "ToCity": "",
        "FromZip": "",
        "SmsSid": message.sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": message.body,
        "FromCountry": "GB",
        "To": message.to,
        "ToZip": "",
        "NumSegments": "1",
        "MessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.sender,
        "ApiVersion": "2010-04-01",
    }
    for index, url in enumerate(message.media):
        fields[f"MediaUrl{index}"] = url
        fields[f"MediaContentType{index}"] = types.get(url, "image/jpeg")
    if message.is_whatsapp:
        fields["WaId"] = message.sender.removeprefix("whatsapp:+")
        fields["ProfileName"] = "Ada"
    return tuple({**fields, **extra}.items())

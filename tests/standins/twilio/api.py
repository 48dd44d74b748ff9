"""The REST endpoints: create, list and fetch messages."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from tests.standins.twilio.faults import Rate
from tests.standins.twilio.model import WINDOW, Clock, Message, Record, new_sid

Form = dict[str, list[str]]


class Refusal(Exception):
    """An answer that is an error in Twilio's form."""

    def __init__(
        self, status: int, code: int, message: str, retry_after: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after

    def response(self) -> web.Response:
        """As HTTP."""
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status, headers=headers)


@dataclass(slots=True)
class Api:
    """The rules of the Messages resource over the record."""

    account_sid: str
    record: Record
    clock: Clock
    on_created: Callable[[Message], None]
    rate: Rate | None = None

    def create(self, form: Form) -> web.Response:
        """POST Messages.json.

        Raises:
            Refusal: As the real API refuses.
        """
        if self.rate is not None:
            wait = self.rate.wait(self.clock.now())
            if wait > 0:
                raise Refusal(429, 20429, "Too Many Requests", str(math.ceil(wait)))
        message = self._message(form)
        self._check(message, form)
        self.record.messages.append(message)
        response = web.json_response(message.as_json(), status=201)
        self.on_created(message)
        return response

    def list(self, query: dict[str, str]) -> web.Response:
        """GET Messages.json: newest first, filtered and paged."""
        found = [m for m in reversed(self.record.messages) if _matches(m, query)]
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        chosen = found[page * size : (page + 1) * size]
        following = None
        if (page + 1) * size < len(found):
            following = f"{path}?{urlencode({**query, 'Page': str(page + 1)})}"
        return web.json_response(
            {
                "messages": [message.as_json() for message in chosen],
                "first_page_uri": f"{path}?{urlencode({**query, 'Page': '0'})}",
                "next_page_uri": following,
                "previous_page_uri": None,
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(chosen) - 1, 0),
                "uri": path,
            }
        )

    def fetch(self, sid: str) -> web.Response:
        """GET Messages/{sid}.json."""
        message = self.record.find(sid)
        if message is None:
            raise Refusal(404, 20404, "The requested resource was not found")
        return web.json_response(message.as_json())

    def _message(self, form: Form) -> Message:
        service = _one(form, "MessagingServiceSid") or None
        return Message(
            sid=new_sid("MM" if form.get("MediaUrl") else "SM"),
            account_sid=self.account_sid,
            sender=_one(form, "From"),
            to=_one(form, "To"),
            body=_one(form, "Body"),
            media=tuple(form.get("MediaUrl", ())),
            direction="outbound-api",
            status="accepted" if service else "queued",
            created=self.clock.now(),
            service=service,
            callback=_one(form, "StatusCallback") or None,
        )

    def _check(self, message: Message, form: Form) -> None:
        if not message.to:
            raise Refusal(400, 21604, "A 'To' phone number is required.")
        if not _is_address(message.to):
            raise Refusal(400, 21211, f"Invalid 'To' Phone Number: {message.to}")
        if not message.sender and not message.service:
            raise Refusal(400, 21603, "A 'From' phone number is required.")
        if message.sender and message.is_whatsapp != message.sender.startswith("whatsapp:"):
            raise Refusal(400, 63007, "Twilio could not find a Channel with that From address")
        if not (message.body or message.media or form.get("ContentSid")):
            raise Refusal(400, 21619, "Message body or media urls must be specified.")
        if len(message.body) > 1600:
            raise Refusal(400, 21617, "The message body exceeds the 1600 character limit.")
        if len(message.media) > 10:
            raise Refusal(400, 21623, "Number of media files exceeds allowed limit.")
        if any(not urlsplit(url).hostname for url in message.media):
            raise Refusal(400, 21620, "Invalid media URL(s)")
        if message.callback and not urlsplit(message.callback).hostname:
            raise Refusal(400, 21609, "The StatusCallback URL is not a valid URL.")
        if (message.sender, message.to) in self.record.opted_out:
            raise Refusal(400, 21610, f"Attempt to send to unsubscribed recipient {message.to}")
        if message.is_whatsapp and not form.get("ContentSid") and not self._in_window(message):
            # Taken now; the failure comes in the callback.
            message.error = 63016

    def _in_window(self, message: Message) -> bool:
        last = self.record.last_inbound.get((message.sender, message.to))
        return last is not None and self.clock.now() - last <= WINDOW


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def _is_address(to: str) -> bool:
    number = to.removeprefix("whatsapp:")
    return number.startswith("+") and number[1:].isdigit() and 7 <= len(number) - 1 <= 15


def _matches(message: Message, query: dict[str, str]) -> bool:
    if query.get("To", message.to) != message.to:
        return False
    if query.get("From", message.sender) != message.sender:
        return False
    before, after = query.get("DateSent<"), query.get("DateSent>")
    if (before or after) and message.status in ("queued", "accepted"):
        return False
    return not (before and message.created > _time(before)) and not (
        after and message.created < _time(after)
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

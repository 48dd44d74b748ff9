"""What Twilio's refusals mean for a retry.

Codes are Twilio's (its error and warning dictionary). Reasons are ours: Twilio's texts quote phone
numbers, which must not reach a log.
"""

from __future__ import annotations

import math
import time
from email.utils import parsedate_to_datetime

from bot.core.errors import DeliveryError

_REASONS = {
    14107: "too many messages in a short time",
    20003: "the account SID or auth token is not accepted",
    20404: "the account or resource does not exist",
    20429: "too many requests at once",
    21211: "the recipient's number is not valid",
    21606: "the shop's number cannot send to this destination",
    21609: "the status callback URL, made from the public URL, is not valid",
    21610: "the recipient has opted out",
    21611: "the queue of the shop's number is full",
    21612: "the shop's number cannot reach the recipient",
    21614: "the recipient's number is not a mobile number",
    21617: "the text is longer than 1,600 characters",
    21619: "the message has neither text nor media",
    21620: "a media URL is not valid",
    21623: "the message has too many media files",
    21658: "the text is too long",
    30001: "the account's queue is full",
    63007: "the shop's number is not a WhatsApp sender",
    63016: "outside WhatsApp's 24-hour window, where only a template may be sent",
    63018: "WhatsApp's rate limit was reached",
}
# Temporary although Twilio may answer 400.
_TEMPORARY = frozenset((14107, 20429, 21611, 30001, 63018))
_TEMPORARY_STATUS = frozenset((408, 425, 429))
# They limit the shop's number or account, and not the one customer.
_WHOLE_ACCOUNT = frozenset((20429, 21611, 30001, 63018))


class UnconfirmedError(DeliveryError):
    """Temporary, but Twilio may have taken the message: look it up before sending it again."""


def refused(status: int, code: int | None, retry_after: str | None) -> DeliveryError:
    """The error for a response that says no.

    Args:
        status: HTTP status.
        code: Twilio's code; Twilio's SDK repeats the status where there is none.
        retry_after: The header, if it was sent.
    """
    shown = str(code) if code is not None else str(status)
    reason = f"Twilio refused the message: {_reason(status, code)} (error {shown})"
    wait = seconds_to_wait(retry_after, time.time())
    if status >= 500:
        return UnconfirmedError(reason, permanent=False, retry_after=wait, code=shown)
    permanent = status not in _TEMPORARY_STATUS and code not in _TEMPORARY
    return DeliveryError(
        reason,
        permanent=permanent,
        retry_after=None if permanent else wait,
        code=shown,
        whole_account=code in _WHOLE_ACCOUNT or (status == 429 and code not in _TEMPORARY),
    )


def unreachable(problem: str, *, sent: bool) -> DeliveryError:
    """The error for a request that got no usable answer.

    Args:
        problem: The kind of failure, without personal data.
        sent: Whether the request had left.
    """
    kind = UnconfirmedError if sent else DeliveryError
    return kind(f"Twilio did not answer: {problem}", permanent=False)


def seconds_to_wait(retry_after: str | None, now: float) -> float | None:
    """Reads ``Retry-After``, seconds or a date; None when it is absent or neither."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_until(retry_after, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str, now: float) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except ValueError:
        return math.nan


def _reason(status: int, code: int | None) -> str:
    if code in _REASONS:
        return _REASONS[code]
    return "it has trouble of its own" if status >= 500 else f"HTTP status {status}"

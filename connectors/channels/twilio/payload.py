"""Twilio's webhook fields, parsed once into typed messages and receipts.

The fields are those of Twilio's messaging webhook and status callback guides. Twilio adds fields
without notice: what is not named here is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.core.errors import PayloadError
from bot.core.messages import Address, Attachment, Inbound, Receipt, Status

WHATSAPP = "whatsapp:"

# Twilio answers these itself on SMS, MMS and RCS, and blocks the number after the first eight, when
# one of them is the whole body.
_OPT_OUT = ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL")
_KEYWORDS = frozenset((*_OPT_OUT, "START", "UNSTOP", "HELP", "INFO"))

# Other statuses say that the message has not left yet, or concern inbound ones. Of a partially
# delivered message something got lost, so DELIVERED would be too much.
_STATUSES = {
    "sent": Status.SENT,
    "partially_delivered": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "failed": Status.FAILED,
    "undelivered": Status.FAILED,
    "canceled": Status.FAILED,
}

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS = re.compile(r"[0-9]{1,2}")


def parse_message(channel: str, fields: Mapping[str, str]) -> Inbound | None:
    """Reads an inbound message.

    Args:
        channel: The connector's name in ``credentials.yml``.
        fields: The verified fields.

    Returns:
        The message; None for a keyword that Twilio answers itself (`is_keyword`).

    Raises:
        PayloadError: A field is missing or malformed; the text names it.
    """
    provider_id = _required(fields, "MessageSid")
    sender = _required(fields, "From")
    account = _required(fields, "To")
    attachments = (*_media(fields), *_location(fields))
    if is_keyword(sender, fields):
        return None
    return Inbound(
        address=Address(channel, account, sender),
        provider_id=provider_id,
        text=fields.get("Body", ""),
        attachments=attachments,
        button=fields.get("ButtonPayload") or None,
        verified_phone=_phone(sender),
        profile_name=fields.get("ProfileName", ""),
    )


def parse_status(channel: str, fields: Mapping[str, str], account: str) -> Receipt | None:
    """Reads a status callback.

    Args:
        channel: The connector's name in ``credentials.yml``.
        fields: The verified fields.
        account: Stands in where Twilio leaves out ``From``.

    Returns:
        The receipt; None for a status that changes nothing for us, and for unknown ones.

    Raises:
        PayloadError: A field is missing; the text names it.
    """
    provider_id = _required(fields, "MessageSid")
    word = _required(fields, "MessageStatus").lower()
    status = _STATUSES.get(word)
    if status is None:
        return None
    error = (fields.get("ErrorCode") or word) if status is Status.FAILED else None
    return Receipt(channel, fields.get("From") or account, provider_id, status, error)


def is_keyword(sender: str, fields: Mapping[str, str]) -> bool:
    """Whether Twilio has already answered: opting out or in, or asking for help.

    ``OptOutType`` says so where Advanced Opt-Out is on: for the shop's own words too, and on
    WhatsApp. Without it, WhatsApp has no such keywords: there "cancel" and "help" are for the bot.
    """
    if fields.get("OptOutType"):
        return True
    return not sender.startswith(WHATSAPP) and fields.get("Body", "").strip().upper() in _KEYWORDS


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value.strip():
        raise PayloadError(f"Twilio's request lacks the field {name}.")
    return value


def _phone(sender: str) -> str | None:
    number = sender.removeprefix(WHATSAPP)
    # Short codes, alphanumeric senders and other channels' ids are not phone numbers.
    return number if _E164.fullmatch(number) else None


def _media(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    count = fields.get("NumMedia") or "0"
    if not _DIGITS.fullmatch(count):
        raise PayloadError("Twilio's field NumMedia is not a small number.")
    return tuple(
        Attachment(_required(fields, f"MediaUrl{i}"), fields.get(f"MediaContentType{i}", ""))
        for i in range(int(count))
    )


def _location(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    """A shared place becomes an attachment: never text, and never a command."""
    if not (fields.get("Latitude") and fields.get("Longitude")):
        return ()
    latitude = _degrees(fields, "Latitude", 90)
    longitude = _degrees(fields, "Longitude", 180)
    name = fields.get("Label") or fields.get("Address") or ""
    return (Attachment(f"geo:{latitude},{longitude}", "application/geo+json", name),)


def _degrees(fields: Mapping[str, str], name: str, limit: int) -> str:
    value = fields[name].strip()
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", value) or abs(float(value)) > limit:
        raise PayloadError(f"Twilio's field {name} is not a coordinate.")
    return value

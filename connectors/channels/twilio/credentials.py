"""The ``twilio`` section of ``credentials.yml``, checked.

Rasa's keys are ``account_sid``, ``auth_token`` and ``twilio_number``; ours, all optional, are
``messaging_service_sid``, ``send_timeout`` (seconds), ``choice_hint`` (the line under a numbered
list) and ``api_base_url`` (for tests against a stand-in).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.errors import ConfigurationError

# What credentials.yml usually names, so that an error can say what to set.
_VARIABLES = {
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "twilio_number": "TWILIO_NUMBER",
    "messaging_service_sid": "TWILIO_MESSAGING_SERVICE_SID",
}
_UNRESOLVED = re.compile(r"\$\{?(\w+)")
_NUMBER = re.compile(r"(whatsapp:)?(\+[1-9][0-9]{6,14}|[0-9]{3,6})")


@dataclass(frozen=True, slots=True)
class TwilioCredentials:
    """What the channel needs to know of the shop's Twilio account.

    Attributes:
        account_sid, auth_token: Of the account; the token also signs its webhooks.
        number: The sender for conversations that do not name one: ``+44…``, ``whatsapp:+44…`` or a
            short code.
        messaging_service_sid: ``MG…``; None where messages go out from the number alone.
        send_timeout: Seconds that one request to Twilio may take.
        choice_hint: What stands under a numbered list of choices.
        api_base_url: Where the API is; None for Twilio's own.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    number: str
    messaging_service_sid: str | None = None
    send_timeout: float = 10.0
    choice_hint: str = "Reply with a number."
    api_base_url: str | None = None


def read_credentials(name: str, section: Mapping[str, object]) -> TwilioCredentials:
    """Checks one section of ``credentials.yml``.

    Raises:
        ConfigurationError: A key is missing, empty, malformed, or still names an environment
            variable. Secrets are never shown.
    """
    return TwilioCredentials(
        account_sid=_account(name, section),
        auth_token=_needed(name, section, "auth_token"),
        number=_number(name, section),
        messaging_service_sid=_optional(name, section, "messaging_service_sid"),
        send_timeout=_seconds(name, section),
        choice_hint=_optional(name, section, "choice_hint") or "Reply with a number.",
        api_base_url=_base_url(name, section),
    )


def _needed(name: str, section: Mapping[str, object], key: str) -> str:
    value = _optional(name, section, key)
    if value is None:
        raise ConfigurationError(
            f"{name}.{key}",
            "is missing or empty",
            f"Write '{key}: ${{{_VARIABLES[key]}}}' under '{name}:' in credentials.yml and set the "
            f"environment variable {_VARIABLES[key]}.",
        )
    return value


def _optional(name: str, section: Mapping[str, object], key: str) -> str | None:
    value = section.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{name}.{key}", "is not text", "Put the value in quotes in credentials.yml."
        )
    unresolved = _UNRESOLVED.search(value)
    if unresolved:
        variable = unresolved[1]
        raise ConfigurationError(
            f"{name}.{key}",
            f"names the environment variable {variable}, which is not set",
            f"Set {variable}, or write the value into credentials.yml.",
        )
    return value.strip() or None


def _account(name: str, section: Mapping[str, object]) -> str:
    value = _needed(name, section, "account_sid")
    if not value.startswith("AC"):
        raise ConfigurationError(
            f"{name}.account_sid",
            "is not an account SID, which begins with AC",
            "Copy 'Account SID' from the first page of the Twilio console.",
        )
    return value


def _number(name: str, section: Mapping[str, object]) -> str:
    # Unquoted, YAML reads +447700900123 as a number and drops the plus.
    raw = section.get("twilio_number")
    if isinstance(raw, int) and not isinstance(raw, bool):
        section = {**section, "twilio_number": f"+{raw}" if raw > 999_999 else str(raw)}
    value = re.sub(r"[ ()-]", "", _needed(name, section, "twilio_number"))
    if not _NUMBER.fullmatch(value):
        raise ConfigurationError(
            f"{name}.twilio_number",
            "is not a phone number",
            "Write it as '+447700900123', or 'whatsapp:+447700900123' for WhatsApp alone.",
            value,
        )
    return value


def _seconds(name: str, section: Mapping[str, object]) -> float:
    value = section.get("send_timeout", 10.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(
            f"{name}.send_timeout", "is not a number of seconds", "Write for instance 10.", value
        )
    return float(value)


def _base_url(name: str, section: Mapping[str, object]) -> str | None:
    value = _optional(name, section, "api_base_url")
    if value is not None and not value.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{name}.api_base_url",
            "is not an http(s) address",
            "Remove the line to use Twilio's own API.",
            value,
        )
    return value

"""What a shop can get wrong in credentials.yml, and what it is told."""

from __future__ import annotations

import pytest

from bot.core.errors import ConfigurationError
from connectors.channels.twilio import create
from connectors.channels.twilio.credentials import read_credentials
from connectors.channels.twilio.errors import refused, seconds_to_wait

GOOD: dict[str, object] = {
    "account_sid": "AC00000000000000000000000000000001",
    "auth_token": "0123456789abcdef",
    "twilio_number": "+447700900100",
}


def test_rasas_keys_are_enough() -> None:
    credentials = read_credentials("twilio", GOOD)
    assert credentials.number == "+447700900100"
    assert credentials.send_timeout == 10.0
    assert "0123456789abcdef" not in repr(credentials)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (447700900100, "+447700900100"),
        (60123, "60123"),
        ("+44 7700 900100", "+447700900100"),
        ("whatsapp:+447700900100", "whatsapp:+447700900100"),
    ],
)
def test_numbers_as_yaml_gives_them(written: object, read: str) -> None:
    assert read_credentials("twilio", {**GOOD, "twilio_number": written}).number == read


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("account_sid", "TWILIO_ACCOUNT_SID"),
        ("auth_token", "TWILIO_AUTH_TOKEN"),
        ("twilio_number", "TWILIO_NUMBER"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "  ", "unresolved"])
def test_a_missing_value_names_key_and_variable(key: str, variable: str, value: str | None) -> None:
    written = f"${{{variable}}}" if value == "unresolved" else value
    with pytest.raises(ConfigurationError) as caught:
        read_credentials("sms", {**GOOD, key: written})
    assert caught.value.key == f"sms.{key}"
    assert variable in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("account_sid", "SK123"),
        ("auth_token", 1234567890),
        ("twilio_number", "447700900100"),
        ("twilio_number", True),
        ("send_timeout", 0),
        ("send_timeout", "fast"),
        ("send_timeout", True),
        ("api_base_url", "localhost:8010"),
        ("messaging_service_sid", "${TWILIO_SERVICE}"),
    ],
)
def test_a_wrong_value_names_its_key(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_credentials("twilio", {**GOOD, key: value})
    assert caught.value.key == f"twilio.{key}"
    assert "1234567890" not in str(caught.value)


def test_the_public_url_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="FRONTDESK_PUBLIC_URL"):
        create("twilio", GOOD, "")


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (400, 21610, True),
        (400, 21211, True),
        (400, 21614, True),
        (400, 21617, True),
        (400, 63016, True),
        (400, 99999, True),
        (401, 20003, True),
        (404, 404, True),
        (400, 21611, False),
        (400, 30001, False),
        (429, 20429, False),
        (429, None, False),
        (500, 20500, False),
        (503, None, False),
    ],
)
def test_which_refusals_are_final(status: int, code: int | None, permanent: bool) -> None:
    error = refused(status, code, "7")
    assert error.permanent is permanent
    assert error.retry_after == (None if permanent else 7.0)
    assert error.code == str(code if code is not None else status)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, now=60.0) == seconds

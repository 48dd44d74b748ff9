"""Twilio's signature: the vectors of Twilio's own SDK, and ours for blank fields."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest

from bot.core.errors import PayloadError, SignatureError
from bot.core.messages import WebhookRequest
from connectors.channels.twilio.signature import sign, verified_fields

TOKEN = "12345"
PATH = "/myapp.php?foo=1&bar=2"
URL = "https://mycompany.com" + PATH
CALL = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
)
BASE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
WITH_443 = "kvajT1Ptam85bY51eRf/AJRuM3w="
WITH_80 = "0ZXoZLH/DfblKGATFgpif+LLRf4="
WITH_1234 = "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="
BLANK = "6oT2GOm5KeUqfXDwvhq5UcH5LF0="
REPEATED = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_SIGNATURE = "a9nBmqA0ju/hNViExpshrM61xv4="


def form(
    signature: str | None, url: str = URL, fields: tuple[tuple[str, str], ...] = CALL
) -> WebhookRequest:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    if signature is not None:
        headers["x-twilio-signature"] = signature
    return WebhookRequest("POST", url, "webhook", headers, urlencode(fields).encode())


def json_request(url: str, signature: str, body: bytes = JSON_BODY) -> WebhookRequest:
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    return WebhookRequest("POST", url, "webhook", headers, body)


@pytest.mark.parametrize(
    ("url", "fields", "signature"),
    [
        (URL, CALL, BASE),
        ("https://mycompany.com:443" + PATH, CALL, WITH_443),
        ("http://mycompany.com:80" + PATH, CALL, WITH_80),
        ("http://mycompany.com:1234" + PATH, CALL, WITH_1234),
        (URL, (*CALL, ("Body", "")), BLANK),
        (f"{URL}&bodySHA256={JSON_HASH}", (), JSON_SIGNATURE),
    ],
)
def test_vectors(url: str, fields: tuple[tuple[str, str], ...], signature: str) -> None:
    assert sign(TOKEN, url, fields) == signature


def test_repeated_fields_count_once_for_each_value() -> None:
    fields = (
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    )
    assert sign(TOKEN, URL, fields) == REPEATED
    assert verified_fields(TOKEN, form(REPEATED, fields=fields))["Digits"] == "5678"


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        (URL, BASE),
        (URL, WITH_443),
        ("https://mycompany.com:443" + PATH, BASE),
        ("https://mycompany.com:443" + PATH, WITH_443),
        ("http://mycompany.com" + PATH, WITH_80),
        ("http://mycompany.com:80" + PATH, WITH_80),
        ("http://mycompany.com:1234" + PATH, WITH_1234),
    ],
)
def test_the_port_may_be_signed_or_not(url: str, signature: str) -> None:
    assert verified_fields(TOKEN, form(signature, url)) == dict(CALL)


def test_blank_fields_are_signed_and_kept() -> None:
    fields = (*CALL, ("Body", ""))
    assert verified_fields(TOKEN, form(BLANK, fields=fields))["Body"] == ""
    with pytest.raises(SignatureError):
        verified_fields(TOKEN, form(BASE, fields=fields))


@pytest.mark.parametrize(
    ("url", "signature", "fields"),
    [
        (URL, "", CALL),
        (URL, None, CALL),
        (URL, BASE[:-2] + "A=", CALL),
        (URL, "ключ", CALL),
        (URL, BASE, CALL[:-1]),
        (URL, BASE, (*CALL, ("From", "+15550100"))),
        (URL + "&admin=1", BASE, CALL),
        ("http://mycompany.com" + PATH, BASE, CALL),
        ("https://mycompany.com:8443" + PATH, WITH_443, CALL),
        ("https://evil.example" + PATH, BASE, CALL),
    ],
)
def test_anything_else_is_refused(
    url: str, signature: str | None, fields: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(SignatureError):
        verified_fields(TOKEN, form(signature, url, fields))


def test_another_token_is_refused() -> None:
    with pytest.raises(SignatureError):
        verified_fields("12346", form(BASE))


def test_non_ascii_text_is_signed_as_utf8() -> None:
    fields = (("Body", "¿dónde está? 👟"), ("From", "+447700900111"))
    request = form(sign(TOKEN, URL, fields), fields=fields)
    assert verified_fields(TOKEN, request)["Body"] == "¿dónde está? 👟"


class TestJson:
    url = f"{URL}&bodySHA256={JSON_HASH}"

    def test_the_hash_in_the_signed_url_vouches_for_the_body(self) -> None:
        request = json_request(self.url, JSON_SIGNATURE)
        # Only text fields can be fields of a message.
        assert verified_fields(TOKEN, request) == {"property": "value"}

    def test_another_body_is_refused(self) -> None:
        with pytest.raises(SignatureError):
            verified_fields(TOKEN, json_request(self.url, JSON_SIGNATURE, b'{"property": "other"}'))

    def test_a_body_whose_hash_was_not_signed_is_refused(self) -> None:
        with pytest.raises(SignatureError):
            verified_fields(TOKEN, json_request(URL, sign(TOKEN, URL)))

    def test_a_right_hash_does_not_replace_the_signature(self) -> None:
        with pytest.raises(SignatureError):
            verified_fields(TOKEN, json_request(self.url, BASE))

    def test_a_form_cannot_pass_by_a_body_hash(self) -> None:
        with pytest.raises(SignatureError):
            verified_fields(TOKEN, form(JSON_SIGNATURE, self.url))

    @pytest.mark.parametrize("body", [b"[1, 2", b"[1, 2]", b"\xff"])
    def test_signed_nonsense_is_a_payload_error(self, body: bytes) -> None:
        url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
        with pytest.raises(PayloadError):
            verified_fields(TOKEN, json_request(url, sign(TOKEN, url), body))


def test_a_flood_of_fields_is_not_worth_checking() -> None:
    fields = tuple((f"a{i}", "") for i in range(1001))
    with pytest.raises(PayloadError):
        verified_fields(TOKEN, form(BASE, fields=fields))

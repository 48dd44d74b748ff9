"""Webhook bodies as Twilio sends them, and the messages that must come out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from bot.core.errors import PayloadError, SignatureError
from bot.core.messages import (
    Address,
    Attachment,
    Inbound,
    Receipt,
    Status,
    WebhookRequest,
    WebhookResult,
)
from connectors.channels.twilio import create
from connectors.channels.twilio.signature import sign

PAYLOADS = Path(__file__).parents[1] / "payloads" / "twilio"
TOKEN = "secret"
PUBLIC_URL = "https://chat.juniper.example"
SMS = Address("twilio", "+447700900100", "+447700900111")
WHATSAPP = Address("twilio", "whatsapp:+447700900100", "whatsapp:+447700900111")
MEDIA = (
    "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001"
    "/Messages/MM22222222222222222222222222222222/Media"
)

MESSAGES = {
    "sms": Inbound(
        SMS,
        "SM11111111111111111111111111111111",
        "Hi, where is my order FD-104233? 📦\nThanks + regards & co",
        verified_phone="+447700900111",
    ),
    "mms_media_only": Inbound(
        SMS,
        "MM22222222222222222222222222222222",
        attachments=(
            Attachment(f"{MEDIA}/ME01", "image/jpeg"),
            Attachment(f"{MEDIA}/ME02", "image/png"),
        ),
        verified_phone="+447700900111",
    ),
    "whatsapp_text": Inbound(
        WHATSAPP,
        "SM33333333333333333333333333333333",
        "/restart is just text",
        verified_phone="+447700900111",
        profile_name="Ada Byron",
    ),
    "whatsapp_button": Inbound(
        WHATSAPP,
        "SM44444444444444444444444444444444",
        "Yes, please",
        button="b7Qx9Zk2",
        verified_phone="+447700900111",
        profile_name="Ada Byron",
    ),
    "whatsapp_location": Inbound(
        WHATSAPP,
        "SM55555555555555555555555555555555",
        attachments=(
            Attachment("geo:53.7965,-1.5478", "application/geo+json", "Juniper & Co Leeds"),
        ),
        verified_phone="+447700900111",
        profile_name="Ada Byron",
    ),
}
RECEIPTS = {
    "status_delivered": Receipt(
        "twilio", "+447700900100", "SM77777777777777777777777777777777", Status.DELIVERED
    ),
    "status_whatsapp_failed": Receipt(
        "twilio",
        "whatsapp:+447700900100",
        "MM88888888888888888888888888888888",
        Status.FAILED,
        "63016",
    ),
}


def captured(name: str) -> dict[str, str]:
    body = (PAYLOADS / f"{name}.txt").read_text().strip()
    return dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True))


async def received(path: str, fields: dict[str, str], token: str = TOKEN) -> WebhookResult:
    channel = create(
        "twilio",
        {"account_sid": "AC1", "auth_token": TOKEN, "twilio_number": "+447700900100"},
        PUBLIC_URL,
    )
    url = f"{PUBLIC_URL}/webhooks/twilio/{path}"
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": sign(token, url, fields.items()),
    }
    body = urlencode(fields).encode()
    return await channel.receive(WebhookRequest("POST", url, path, headers, body))


def test_every_captured_body_has_its_expectation() -> None:
    names = {path.stem for path in PAYLOADS.glob("*.txt")}
    assert names == {*MESSAGES, *RECEIPTS, "sms_stop"}


@pytest.mark.parametrize("name", MESSAGES)
async def test_messages(name: str) -> None:
    result = await received("webhook", captured(name))
    assert result.inbound == (MESSAGES[name],)
    assert result.receipts == ()


@pytest.mark.parametrize("name", RECEIPTS)
async def test_receipts(name: str) -> None:
    result = await received("status", captured(name))
    assert result.receipts == (RECEIPTS[name],)
    assert result.inbound == ()


@pytest.mark.parametrize("path", ["webhook", "status"])
async def test_the_acknowledgement_is_empty_twiml(path: str) -> None:
    fields = captured("sms" if path == "webhook" else "status_delivered")
    result = await received(path, fields)
    assert (result.status, result.content_type) == (200, "text/xml")
    assert result.body.endswith("<Response/>")


class TestKeywords:
    """Twilio answers them itself; the bot stays silent but acknowledges."""

    async def test_captured(self) -> None:
        result = await received("webhook", captured("sms_stop"))
        assert (result.inbound, result.status) == ((), 200)

    @pytest.mark.parametrize(
        "word",
        ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"],
    )
    async def test_opting_out(self, word: str) -> None:
        assert (await received("webhook", {**captured("sms"), "Body": word})).inbound == ()

    @pytest.mark.parametrize(
        "word",
        ["START", "UNSTOP", "HELP", "INFO", "stop", "Help\n"],
    )
    async def test_the_whole_body_in_any_case(self, word: str) -> None:
        assert (await received("webhook", {**captured("sms"), "Body": word})).inbound == ()

    @pytest.mark.parametrize("text", ["stop please", "cancel my order", "helpful", "yes", "st op"])
    async def test_more_than_the_keyword_is_a_message(self, text: str) -> None:
        (message,) = (await received("webhook", {**captured("sms"), "Body": text})).inbound
        assert message.text == text

    @pytest.mark.parametrize("name", ["sms", "whatsapp_text"])
    async def test_advanced_opt_out_marks_the_shops_own_words(self, name: str) -> None:
        fields = {**captured(name), "Body": "ARRET", "OptOutType": "STOP"}
        assert (await received("webhook", fields)).inbound == ()

    async def test_whatsapp_has_no_keywords_without_it(self) -> None:
        fields = {**captured("whatsapp_text"), "Body": "cancel"}
        assert len((await received("webhook", fields)).inbound) == 1


class TestMessageFields:
    @pytest.mark.parametrize("name", ["MessageSid", "From", "To"])
    @pytest.mark.parametrize("blank", [True, False])
    async def test_a_missing_field_is_named(self, name: str, blank: bool) -> None:
        fields = captured("sms")
        if blank:
            fields[name] = ""
        else:
            del fields[name]
        with pytest.raises(PayloadError, match=rf"\b{name}\b"):
            await received("webhook", fields)

    async def test_a_promised_file_without_url_is_named(self) -> None:
        fields = {**captured("sms"), "NumMedia": "1"}
        with pytest.raises(PayloadError, match="MediaUrl0"):
            await received("webhook", fields)

    @pytest.mark.parametrize("count", ["-1", "x", "1e9", "١", "100000000"])
    async def test_a_strange_number_of_files(self, count: str) -> None:
        with pytest.raises(PayloadError, match="NumMedia"):
            await received("webhook", {**captured("sms"), "NumMedia": count})

    @pytest.mark.parametrize("value", ["nan", "91", "1,5", "53.7?x=/restart", "--1"])
    async def test_a_strange_place(self, value: str) -> None:
        fields = {**captured("whatsapp_location"), "Latitude": value}
        with pytest.raises(PayloadError, match="Latitude"):
            await received("webhook", fields)

    @pytest.mark.parametrize(
        ("sender", "phone"),
        [
            ("+447700900111", "+447700900111"),
            ("whatsapp:+447700900111", "+447700900111"),
            ("60123", None),
            ("JUNIPER", None),
            ("messenger:447700900111", None),
            ("+0447700900111", None),
            ("+447700900111\n", None),
        ],
    )
    async def test_only_phone_numbers_are_vouched_for(self, sender: str, phone: str | None) -> None:
        (message,) = (await received("webhook", {**captured("sms"), "From": sender})).inbound
        assert (message.verified_phone, message.address.sender) == (phone, sender)

    async def test_the_signature_comes_before_the_fields(self) -> None:
        with pytest.raises(SignatureError):
            await received("webhook", {}, token="forged")

    async def test_an_error_quotes_no_content(self) -> None:
        fields = {**captured("sms"), "NumMedia": "my secret"}
        with pytest.raises(PayloadError) as caught:
            await received("webhook", fields)
        assert "secret" not in str(caught.value)


class TestStatuses:
    @pytest.mark.parametrize(
        ("word", "status", "error"),
        [
            ("sent", Status.SENT, None),
            ("partially_delivered", Status.SENT, None),
            ("delivered", Status.DELIVERED, None),
            ("read", Status.READ, None),
            ("failed", Status.FAILED, "failed"),
            ("undelivered", Status.FAILED, "undelivered"),
            ("canceled", Status.FAILED, "canceled"),
        ],
    )
    async def test_mapping(self, word: str, status: Status, error: str | None) -> None:
        result = await received("status", {**captured("status_delivered"), "MessageStatus": word})
        (receipt,) = result.receipts
        assert (receipt.status, receipt.error) == (status, error)

    @pytest.mark.parametrize(
        "word", ["accepted", "scheduled", "queued", "sending", "receiving", "received", "new-one"]
    )
    async def test_what_changes_nothing(self, word: str) -> None:
        result = await received("status", {**captured("status_delivered"), "MessageStatus": word})
        assert (result.receipts, result.status) == ((), 200)

    @pytest.mark.parametrize("name", ["MessageSid", "MessageStatus"])
    async def test_a_missing_field_is_named(self, name: str) -> None:
        fields = captured("status_delivered")
        del fields[name]
        with pytest.raises(PayloadError, match=name):
            await received("status", fields)

    async def test_without_a_sender_it_is_the_configured_number(self) -> None:
        fields = captured("status_delivered")
        del fields["From"]
        assert (await received("status", fields)).receipts == (RECEIPTS["status_delivered"],)


async def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(PayloadError):
        await received("elsewhere", captured("sms"))

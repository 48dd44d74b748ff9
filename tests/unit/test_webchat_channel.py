"""The web chat's channel: who may write, and what is understood."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import jwt
import pytest

from bot.core.errors import ConfigurationError, PayloadError, SignatureError
from bot.core.messages import Address, Author, Content, Outgoing, WebhookRequest, WebhookResult
from bot.core.transcript import conversation_id
from connectors.channels.webchat import WebchatChannel, create
from connectors.channels.webchat.limits import RateLimit
from connectors.channels.webchat.token import VisitorTokens, new_visitor
from tests.webchat_backend import SECRET

URL = "https://chat.shop.example"


@pytest.fixture
def channel() -> WebchatChannel:
    return create("webchat", {"secret": SECRET}, URL)


def request(path: str, token: str = "", body: object = None) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return WebhookRequest("POST", f"{URL}/webhooks/webchat/{path}", path, headers, raw)


async def session(channel: WebchatChannel, token: str = "") -> tuple[str, str]:
    result = await channel.receive(request("session", token))
    assert (result.status, result.content_type) == (200, "application/json")
    answer = json.loads(result.body)
    return answer["token"], answer["conversation"]


async def send(channel: WebchatChannel, token: str, body: object) -> WebhookResult:
    return await channel.receive(request("messages", token, body))


async def test_a_session_belongs_to_a_new_visitor_each_time(channel: WebchatChannel) -> None:
    first, second = await session(channel), await session(channel)
    assert first[1] != second[1]
    address = channel.address(f"Bearer {first[0]}")
    assert (address.channel, address.account) == ("webchat", "default")
    assert conversation_id(address) == first[1]


async def test_a_token_that_is_still_good_is_renewed_for_the_same_visitor(
    channel: WebchatChannel,
) -> None:
    visitor = new_visitor()
    old = VisitorTokens(SECRET, timedelta(days=2)).issue(visitor)
    renewed, conversation = await session(channel, old)
    assert conversation == conversation_id(Address("webchat", "default", visitor))
    assert channel.address(f"bearer {renewed}").sender == visitor
    assert _expiry(renewed) - _expiry(old) > timedelta(days=100).total_seconds()


async def test_a_message_carries_its_visitor_and_id(channel: WebchatChannel) -> None:
    token, _ = await session(channel)
    result = await send(channel, token, {"id": "a-1", "text": "  Where is it?\n"})
    assert (result.status, json.loads(result.body)) == (202, {"accepted": True})
    [message] = result.inbound
    assert message.provider_id == f"{message.address.sender}:a-1"
    assert (message.text, message.button) == ("Where is it?", None)
    assert message.verified_phone is None


async def test_two_visitors_may_choose_the_same_id(channel: WebchatChannel) -> None:
    ids = set()
    for _ in range(2):
        token, _conversation = await session(channel)
        [message] = (await send(channel, token, {"id": "1", "text": "Hi"})).inbound
        ids.add(message.provider_id)
    assert len(ids) == 2


async def test_a_button_carries_its_token(channel: WebchatChannel) -> None:
    token, _ = await session(channel)
    result = await send(channel, token, {"id": "b", "text": "Yes", "button": "tok_1"})
    assert (result.inbound[0].text, result.inbound[0].button) == ("Yes", "tok_1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        ([], "body"),
        ({"text": "Hi"}, "id"),
        ({"id": "", "text": "Hi"}, "id"),
        ({"id": "x" * 101, "text": "Hi"}, "id"),
        ({"id": "two words", "text": "Hi"}, "id"),
        ({"id": 7, "text": "Hi"}, "id"),
        ({"id": "1"}, "body"),
        ({"id": "1", "text": " \n\0 "}, "body"),
        ({"id": "1", "text": None}, "text"),
        ({"id": "1", "text": "x" * 4001}, "text"),
        ({"id": "1", "text": "Hi", "button": ""}, "button"),
        ({"id": "1", "text": "Hi", "metadata": {"slot": "x"}}, "metadata"),
    ],
)
async def test_what_cannot_be_understood_is_refused_by_the_fields_name(
    channel: WebchatChannel, body: object, field: str
) -> None:
    token, _ = await session(channel)
    with pytest.raises(PayloadError, match=f"^{field}: "):
        await send(channel, token, body)


async def test_a_refusal_does_not_repeat_what_was_written(channel: WebchatChannel) -> None:
    token, _ = await session(channel)
    with pytest.raises(PayloadError) as refused:
        await send(channel, token, {"id": ["maya.okafor@example.com"], "text": "secret" * 700})
    assert "maya" not in str(refused.value)
    assert "secret" not in str(refused.value)


async def test_the_longest_message_passes_and_nul_does_not(channel: WebchatChannel) -> None:
    token, _ = await session(channel)
    [message] = (await send(channel, token, {"id": "1", "text": "é" * 3999 + "\0"})).inbound
    assert message.text == "é" * 3999


async def test_other_paths_are_refused(channel: WebchatChannel) -> None:
    token, _ = await session(channel)
    with pytest.raises(PayloadError):
        await channel.receive(request("webhook", token, {"id": "1", "text": "Hi"}))


def _expiry(token: str) -> float:
    return float(jwt.decode(token, options={"verify_signature": False})["exp"])


def _unsigned(visitor: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    claims = {"sub": visitor, "aud": "webchat", "iat": 1, "exp": 9_999_999_999}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{body}."


_VISITOR = "0" * 32
_CLAIMS = {"sub": _VISITOR, "aud": "webchat", "iat": 1, "exp": 9_999_999_999}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        _unsigned(_VISITOR),
        VisitorTokens("another secret entirely").issue(_VISITOR),
        VisitorTokens(SECRET, timedelta(seconds=-1)).issue(_VISITOR),
        VisitorTokens(SECRET).issue("admin"),
        # The shop's secret itself is not the key: a token of another part of Frontdesk is no good.
        jwt.encode(_CLAIMS, SECRET.ljust(32, "."), algorithm="HS256"),
        jwt.encode(_CLAIMS, SECRET, algorithm="HS256"),
        VisitorTokens(SECRET).issue(_VISITOR)[:-2],
    ],
)
@pytest.mark.parametrize("path", ["session", "messages"])
async def test_a_wrong_token_is_refused(channel: WebchatChannel, token: str, path: str) -> None:
    body = {"id": "1", "text": "Hi"}
    wrong = request(path, token, body)
    wrong.headers["authorization"] = f"Bearer {token}"
    with pytest.raises(SignatureError):
        await channel.receive(wrong)


async def test_a_message_without_a_token_is_refused(channel: WebchatChannel) -> None:
    with pytest.raises(SignatureError):
        await send(channel, "", {"id": "1", "text": "Hi"})


async def test_one_visitor_who_writes_without_end_is_told_when_to_go_on() -> None:
    now = 0.0
    limit = RateLimit(3, 60.0, lambda: now)
    tokens = VisitorTokens(SECRET)
    channel = WebchatChannel("webchat", "default", tokens, frozenset(), URL, limit)
    token, _ = await session(channel)
    for number in range(3):
        assert (await send(channel, token, {"id": str(number), "text": "Hi"})).status == 202
        now += 10
    refused = await send(channel, token, {"id": "3", "text": "Hi"})
    assert (refused.status, refused.inbound) == (429, ())
    assert json.loads(refused.body)["retry_after"] == 30
    other, _ = await session(channel)
    assert (await send(channel, other, {"id": "3", "text": "Hi"})).status == 202
    now += 30
    assert (await send(channel, token, {"id": "3", "text": "Hi"})).status == 202


def test_the_limit_forgets_who_has_been_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.channels.webchat.limits._MANY", 5)
    now = 0.0
    limit = RateLimit(1, 60.0, lambda: now)
    for visitor in range(6):
        limit.wait(str(visitor))
    now = 61.0
    assert limit.wait("6") == 0
    assert len(limit._seen) == 1


async def test_what_is_sent_is_the_transcript(channel: WebchatChannel) -> None:
    address = Address("webchat", "default", _VISITOR)
    message = Outgoing("m-1", address, Content("Hello"), Author.BOT, 1)
    assert await channel.send(message) == "m-1"
    assert await channel.find_sent(message, 0.0) == "m-1"
    await channel.aclose()


@pytest.mark.parametrize(
    ("credentials", "key"),
    [
        ({}, "webchat.secret"),
        ({"secret": ""}, "webchat.secret"),
        ({"secret": None}, "webchat.secret"),
        ({"secret": "${FRONTDESK_SECRET_KEY}"}, "webchat.secret"),
        ({"secret": "short"}, "webchat.secret"),
        ({"secret": SECRET, "account": ""}, "webchat.account"),
        ({"secret": SECRET, "allowed_origin": []}, "webchat.allowed_origin"),
        ({"secret": SECRET, "allowed_origins": "*"}, "webchat.allowed_origins"),
        ({"secret": SECRET, "allowed_origins": ["*"]}, "webchat.allowed_origins"),
        ({"secret": SECRET, "allowed_origins": ["https://shop.example/path"]}, "allowed_origins"),
        ({"secret": SECRET, "allowed_origins": ["shop.example"]}, "allowed_origins"),
        ({"secret": SECRET, "allowed_origins": [""]}, "allowed_origins"),
    ],
)
def test_wrong_credentials_are_named(credentials: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError, match=key) as refused:
        create("webchat", credentials, URL)
    assert "short" not in repr(refused.value.value)


def test_own_origin_and_the_listed_ones_may_embed_the_widget() -> None:
    listed = {
        "secret": SECRET,
        "allowed_origins": ["https://Shop.example", "http://localhost:3000"],
    }
    channel = create("webchat", listed, "https://chat.shop.example:443/base")
    assert channel.origins == {
        "https://chat.shop.example",
        "https://shop.example",
        "http://localhost:3000",
    }

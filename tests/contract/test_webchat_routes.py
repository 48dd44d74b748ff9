"""The web chat over HTTP, as widgets and other programs rely on it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bot.core.messages import Attachment, Author, Button, Status
from bot.core.transcript import Event
from connectors.channels.webchat import create
from connectors.channels.webchat.live import HEARTBEAT, stream
from tests.webchat_backend import SECRET, MemoryBackend, app_of, serving

URL = "http://chat.example"
SHOP = "https://shop.example"
BASE = "/webhooks/webchat"


@dataclass
class Chat:
    """A visitor with an open conversation."""

    http: httpx.AsyncClient
    backend: MemoryBackend
    headers: dict[str, str]
    conversation: str

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(BASE + path, headers=self.headers | headers)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.http.post(BASE + path, json=body, headers=self.headers)


@pytest.fixture
def backend() -> MemoryBackend:
    credentials = {"secret": SECRET, "allowed_origins": [SHOP]}
    return MemoryBackend(create("webchat", credentials, URL))


@pytest.fixture
async def chat(backend: MemoryBackend) -> AsyncIterator[Chat]:
    transport = httpx.ASGITransport(app_of(backend))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        yield await open_chat(http, backend)


async def open_chat(http: httpx.AsyncClient, backend: MemoryBackend) -> Chat:
    answer = (await http.post(f"{BASE}/session")).json()
    assert set(answer) == {"token", "conversation"}
    headers = {"Authorization": f"Bearer {answer['token']}"}
    return Chat(http, backend, headers, answer["conversation"])


async def test_a_message_goes_in_once_and_stands_in_the_transcript(chat: Chat) -> None:
    for _ in range(2):
        answer = await chat.post("/messages", {"id": "1", "text": "Where is FD-104233?"})
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    found = (await chat.get("/messages?after=0")).json()
    assert [(m["seq"], m["author"], m["text"]) for m in found["messages"]] == [
        (1, "customer", "Where is FD-104233?")
    ]
    assert found["more"] is False


async def test_a_message_shows_what_the_widget_needs_and_nothing_else(chat: Chat) -> None:
    chat.backend.transcript.add(
        chat.conversation,
        Author.AGENT,
        "Here it is",
        name="Priya",
        buttons=(Button("Yes", "tok", "/affirm"), Button("Track", url="https://t.example")),
        attachments=(Attachment("https://i.example/a.svg", "image/svg+xml", "Coat"),),
    )
    [message] = (await chat.get("/messages")).json()["messages"]
    assert message.pop("at").endswith("+00:00")
    assert message == {
        "seq": 1,
        "author": "agent",
        "name": "Priya",
        "text": "Here it is",
        "buttons": [
            {"title": "Yes", "token": "tok", "url": ""},
            {"title": "Track", "token": "", "url": "https://t.example"},
        ],
        "attachments": [
            {"url": "https://i.example/a.svg", "content_type": "image/svg+xml", "name": "Coat"}
        ],
        "status": "sent",
    }


async def test_only_the_visitors_own_conversation_is_read(chat: Chat) -> None:
    chat.backend.transcript.add("another conversation", Author.BOT, "not for you")
    chat.backend.transcript.add(chat.conversation, Author.BOT, "one")
    chat.backend.transcript.add(chat.conversation, Author.BOT, "two")
    found = (await chat.get("/messages?after=1")).json()["messages"]
    assert [m["text"] for m in found] == ["two"]


async def test_a_long_conversation_comes_in_pages(chat: Chat) -> None:
    for number in range(203):
        chat.backend.transcript.add(chat.conversation, Author.BOT, str(number))
    first = (await chat.get("/messages")).json()
    second = (await chat.get("/messages?after=200")).json()
    assert (len(first["messages"]), first["more"]) == (200, True)
    assert (len(second["messages"]), second["more"]) == (3, False)


async def test_what_was_never_sent_is_never_shown(chat: Chat) -> None:
    transcript = chat.backend.transcript
    for status in (Status.DROPPED, Status.FAILED, Status.NOTE) * 70:
        transcript.add(chat.conversation, Author.BOT, "hidden", status=status)
    transcript.add(chat.conversation, Author.BOT, "shown")
    held = transcript.add(chat.conversation, Author.BOT, "held", status=Status.PENDING)
    transcript.add(chat.conversation, Author.CUSTOMER, "later", status=Status.RECEIVED)
    assert [m["text"] for m in (await chat.get("/messages")).json()["messages"]] == ["shown"]
    transcript.set_status(chat.conversation, held.seq, Status.DROPPED)
    texts = [m["text"] for m in (await chat.get("/messages")).json()["messages"]]
    assert texts == ["shown", "later"]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "99999999999", "²", ""])
async def test_a_wrong_place_is_refused(chat: Chat, after: str) -> None:
    answer = await chat.get(f"/messages?after={after}")
    assert answer.status_code == 400
    assert "after" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/messages"), ("GET", "/live"), ("POST", "/typing"), ("POST", "/messages")],
)
@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic dTpw"])
async def test_nothing_goes_without_a_token(
    chat: Chat, method: str, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    body = b'{"id": "1", "text": "Hi"}'
    answer = await chat.http.request(method, BASE + path, headers=headers, content=body)
    assert answer.status_code == 403
    assert "token" in answer.json()["detail"]
    assert not chat.backend.inbound


async def test_a_token_in_the_query_string_is_no_token(chat: Chat) -> None:
    token = chat.headers["Authorization"].removeprefix("Bearer ")
    answer = await chat.http.get(f"{BASE}/live?token={token}&authorization=Bearer%20{token}")
    assert answer.status_code == 403


async def test_bad_bodies_are_refused(chat: Chat) -> None:
    unknown = await chat.post("/messages", {"id": "1", "text": "Hi", "sender": "else"})
    assert (unknown.status_code, unknown.json()) == (
        400,
        {"detail": "sender: Extra inputs are not permitted"},
    )
    large = await chat.post("/messages", {"id": "1", "text": "x" * 70_000})
    assert large.status_code == 400
    assert not chat.backend.inbound


async def test_too_many_messages_are_refused_with_the_time_to_wait(chat: Chat) -> None:
    for number in range(30):
        assert (await chat.post("/messages", {"id": f"{number}", "text": "Hi"})).status_code == 202
    answer = await chat.post("/messages", {"id": "30", "text": "Hi"})
    assert answer.status_code == 429
    assert 1 <= answer.json()["retry_after"] <= 60


async def test_a_store_that_is_away_is_said(chat: Chat) -> None:
    chat.backend.transcript.broken = True
    assert (await chat.get("/messages")).status_code == 503


async def test_typing_reaches_the_agent_and_is_limited(chat: Chat) -> None:
    for _ in range(40):
        assert (await chat.post("/typing")).status_code == 204
    topic = f"conversation:{chat.conversation}"
    assert chat.backend.hub.published == [Event(topic, "typing", "customer")] * 30


@pytest.mark.parametrize(("origin", "allowed"), [(URL, True), (SHOP, True), ("https://x.y", False)])
async def test_only_listed_sites_may_read_answers(chat: Chat, origin: str, allowed: bool) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("session", "messages", "live", "typing"):
        answer = await chat.http.options(f"{BASE}/{path}", headers=asked)
        assert answer.status_code == (204 if allowed else 403)
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "access-control-allow-credentials" not in answer.headers
    for answer in (
        await chat.http.post(f"{BASE}/session", headers={"Origin": origin}),
        await chat.get("/messages", Origin=origin),
        await chat.http.get(f"{BASE}/messages", headers={"Origin": origin}),  # refused: no token
    ):
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert answer.headers["vary"] == "Origin"


async def test_the_widget_is_cached_by_its_content(chat: Chat) -> None:
    first = await chat.http.get("/webchat/widget.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert "max-age" in first.headers["cache-control"]
    again = await chat.http.get(
        "/webchat/widget.js", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_the_widget_is_one_small_file_without_dependencies(chat: Chat) -> None:
    source = (await chat.http.get("/webchat/widget.js")).text
    assert len(source.encode()) < 25 * 1024
    # Message text must never be read as HTML, and nothing may be loaded from elsewhere.
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in source
    for line in source.splitlines():
        assert "http://" not in line.replace("http://www.w3.org/2000/svg", "")


# --- the live stream, over a real server: httpx's own transport waits for the end of a body ---


@asynccontextmanager
async def served(backend: MemoryBackend) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(app_of(backend)) as url,
        httpx.AsyncClient(base_url=url, timeout=5.0) as http,
    ):
        yield http


async def events(pieces: AsyncIterator[str]) -> AsyncIterator[tuple[str, str, Any]]:
    """(id, event, data) of each event; comments are (``""``, ``":"``, text)."""
    place, kind = "", ""
    async for piece in pieces:
        for line in piece.splitlines():
            if line.startswith(":"):
                yield "", ":", line[1:].strip()
            name, _, value = line.partition(": ")
            if name == "id":
                place = value
            elif name == "event":
                kind = value
            elif name == "data":
                yield place, kind, json.loads(value)
                place = ""


@asynccontextmanager
async def streamed(
    backend: MemoryBackend, heartbeat: float
) -> AsyncIterator[AsyncIterator[tuple[str, str, Any]]]:
    """The stream of conversation "c" without a server."""
    pieces = stream(backend.transcript, backend.hub, "c", 0, heartbeat=heartbeat)
    async with aclosing(pieces):
        yield events(pieces)


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_the_stream_tells_what_was_missed_and_what_comes(backend: MemoryBackend) -> None:
    async with served(backend) as http:
        chat = await open_chat(http, backend)
        for text in ("one", "two"):
            await backend.say(chat.conversation, Author.BOT, text)
        topic = f"conversation:{chat.conversation}"
        url = f"{BASE}/live?after=1"
        async with http.stream("GET", url, headers=chat.headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            said = events(answer.aiter_lines())
            assert (await anext(said))[1] == ":"
            place, kind, data = await anext(said)
            assert (place, kind, [m["text"] for m in data["messages"]]) == (
                "2",
                "messages",
                ["two"],
            )
            for author in ("customer", "agent"):
                await backend.hub.publish(Event(topic, "typing", author))
            assert (await anext(said))[1:] == ("typing", {"author": "agent"})
            await backend.hub.publish(Event(topic, "state"))
            assert (await anext(said))[1:] == ("state", {})
            await backend.say(chat.conversation, Author.AGENT, "three", name="Priya")
            # By a hint: with the next heartbeat it would come in any case.
            async with asyncio.timeout(HEARTBEAT / 2):
                place, kind, data = await anext(said)
            assert (place, data["messages"][0]["name"]) == ("3", "Priya")
        await until(lambda: backend.hub.listening == 0)


async def test_the_stream_goes_on_where_the_last_one_ended(backend: MemoryBackend) -> None:
    async with served(backend) as http:
        chat = await open_chat(http, backend)
        for text in ("one", "two", "three"):
            await backend.say(chat.conversation, Author.BOT, text)
        headers = chat.headers | {"Last-Event-ID": "2"}
        async with http.stream("GET", f"{BASE}/live?after=0", headers=headers) as answer:
            said = events(answer.aiter_lines())
            await anext(said)
            assert [m["text"] for m in (await anext(said))[2]["messages"]] == ["three"]


async def test_a_message_on_its_way_is_shown_once_it_is_sent(backend: MemoryBackend) -> None:
    held = await backend.say("c", Author.BOT, "soon", status=Status.PENDING)
    async with streamed(backend, heartbeat=5) as said:
        assert (await anext(said))[1] == ":"
        upcoming = asyncio.create_task(_first_event(said))
        await until(lambda: backend.transcript.reads >= 1)
        backend.transcript.set_status("c", held.seq, Status.SENT)  # and nobody gives a hint
        assert [m["text"] for m in (await upcoming)[2]["messages"]] == ["soon"]


async def test_a_silent_stream_lives_and_reads_for_itself(backend: MemoryBackend) -> None:
    async with streamed(backend, heartbeat=0.05) as said:
        assert [(await anext(said))[1] for _ in range(3)] == [":", ":", ":"]
        backend.transcript.add("c", Author.BOT, "without a hint")
        assert (await _first_event(said))[2]["messages"][0]["text"] == "without a hint"


async def test_a_stream_ends_when_its_time_is_over_or_the_store_is_away(
    backend: MemoryBackend,
) -> None:
    lines = [line async for line in stream(backend.transcript, backend.hub, "c", 0, life=0)]
    assert lines == [": connected\n\n"]
    backend.transcript.broken = True
    assert [line async for line in stream(backend.transcript, backend.hub, "c", 0)] == lines
    assert backend.hub.listening == 0


async def _first_event(said: AsyncIterator[tuple[str, str, Any]]) -> tuple[str, str, Any]:
    async for event in said:
        if event[1] != ":":
            return event
    raise AssertionError("the stream ended")

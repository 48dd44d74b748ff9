"""A customer at Rasa's REST channel, against a small server that speaks its protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.benchmarking.customer import HANDED_OVER, UnansweredError
from bot.benchmarking.stock import customer as rest
from bot.benchmarking.stock.customer import events, lengthen, visiting

GREETING = ({"event": "user", "text": "hello"}, {"event": "bot", "text": "Hello!"})


class Rasa:
    """What the REST channel and the HTTP API of one conversation do.

    Attributes:
        answer: What a message is answered with.
        status: And its HTTP status.
        pause: Seconds until then.
    """

    def __init__(self) -> None:
        self.answer: list[dict[str, Any]] = [{"recipient_id": "x", "text": "Hello!"}]
        self.status, self.pause = 200, 0.0
        self.received: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = [{"event": "session_started"}, *GREETING]

    async def message(self, request: web.Request) -> web.Response:
        self.received.append(await request.json())
        await asyncio.sleep(self.pause)
        return web.json_response(self.answer, status=self.status)

    async def tracker(self, request: web.Request) -> web.Response:
        assert request.query["include_events"] == "ALL"
        return web.json_response({"events": self.events})

    async def more(self, request: web.Request) -> web.Response:
        self.events += await request.json()
        return web.json_response({})


@pytest.fixture
def rasa() -> Rasa:
    return Rasa()


@pytest.fixture
async def http(rasa: Rasa) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app.router.add_post("/webhooks/rest/webhook", rasa.message)
    app.router.add_get("/conversations/{id}/tracker", rasa.tracker)
    app.router.add_post("/conversations/{id}/tracker/events", rasa.more)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(str(server.make_url(""))) as session,
    ):
        yield session


async def test_the_answer_is_the_response(http: aiohttp.ClientSession, rasa: Rasa) -> None:
    rasa.pause = 0.05
    async with visiting(http) as visitor, visiting(http) as other:
        times = await visitor.ask("hello")
    assert times.acknowledged is None
    assert 0.05 <= times.answered < 5
    assert rasa.received == [{"sender": visitor.conversation, "message": "hello"}]
    assert other.conversation != visitor.conversation


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ([], 200, "no answer"),
        ([], 500, "HTTP status 500"),
        ([{"text": "A moment."}, {"custom": {"handoff": {}}}], 200, HANDED_OVER),
    ],
)
async def test_what_is_no_answer_is_an_error(
    http: aiohttp.ClientSession, rasa: Rasa, answer: list[Any], status: int, reason: str
) -> None:
    rasa.answer, rasa.status = answer, status
    async with visiting(http) as visitor:
        with pytest.raises(UnansweredError, match=reason):
            await visitor.ask("hello")


async def test_who_waits_too_long_has_no_answer(
    http: aiohttp.ClientSession, rasa: Rasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "ANSWER_SECONDS", 0.05)
    rasa.pause = 1.0
    async with visiting(http) as visitor:
        with pytest.raises(UnansweredError, match="TimeoutError"):
            await visitor.ask("hello")


async def test_a_server_that_is_gone() -> None:
    async with (
        aiohttp.ClientSession("http://127.0.0.1:9") as http,
        visiting(http) as visitor,
    ):
        with pytest.raises(UnansweredError, match="ClientConnectorError"):
            await visitor.ask("hello")


async def test_a_conversation_is_filled_with_its_greeting(
    http: aiohttp.ClientSession, rasa: Rasa
) -> None:
    await lengthen(http, "x", 10)
    found = await events(http, "x")
    assert len(found) == 11  # whole turns
    assert [e["event"] for e in found[1:]] == ["user", "bot"] * 5
    assert all(time.time() - e["timestamp"] < 60 for e in found[3:])
    await lengthen(http, "x", 10)
    assert len(rasa.events) == 11

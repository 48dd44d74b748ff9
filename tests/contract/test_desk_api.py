"""The desk's API over HTTP, on both databases, with the demo shop's CRM and POS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.core.access import Agent, Role
from bot.core.conversation import HandoffReason, State
from bot.core.errors import StoreUnavailableError
from bot.core.identity import Identity
from bot.core.messages import Author, Button
from bot.store import tables as t
from bot.store.database import Database
from connectors.demo.cast import IN_TRANSIT, MAYA
from desk.api import create_api
from desk.api_models import StatusFilter
from tests.desk_office import PASSWORD, Office, office, seed_shop

API = "/api/v1"
UNDERSTOOD = {
    "intent": "order_status",
    "confidence": 0.91,
    "ranking": [{"name": "order_status", "confidence": 0.91}],
    "entities": [{"entity": "order_number", "value": IN_TRANSIT}],
    "actions": ["action_order_status"],
}


@dataclass
class Caller:
    """A program with an agent's token."""

    http: httpx.AsyncClient
    agent: Agent
    token: str

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(API + path, params=query, headers=self.headers)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.http.post(API + path, json=body, headers=self.headers)

    async def act(self, conversation: str, what: str, text: str = "") -> httpx.Response:
        body = {"text": text} if text else None
        return await self.post(f"/conversations/{conversation}/{what}", body)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="module")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return asyncio.run(seed_shop(tmp_path_factory.mktemp("shop")))


@pytest.fixture
async def place(database: Database, shop_url: str) -> AsyncIterator[Office]:
    async with office(database, shop_url) as opened:
        yield opened


@pytest.fixture
async def http(place: Office) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(create_api(place.desk, place.database))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def employ(
    place: Office, http: httpx.AsyncClient, name: str, role: Role = Role.AGENT
) -> Caller:
    agent = await place.hire(name, role)
    return Caller(http, agent, await place.token(agent))


@pytest.fixture
async def sam(place: Office, http: httpx.AsyncClient) -> Caller:
    return await employ(place, http, "Sam")


@pytest.fixture
async def alex(place: Office, http: httpx.AsyncClient) -> Caller:
    return await employ(place, http, "Alex")


@pytest.fixture
async def waiting(place: Office) -> str:
    """A conversation in the queue."""
    conversation = await place.write("maya", f"where is {IN_TRANSIT}", UNDERSTOOD, name="Maya")
    await place.answer(conversation, "Do you mean this?", Button("Yes", payload="/affirm"))
    await place.hand_over(conversation, HandoffReason.ACTION_FAILED, {"order": IN_TRANSIT})
    return conversation


def problem(response: httpx.Response, status: int, error: str) -> dict[str, str]:
    """The body of a refusal, checked for its form."""
    assert response.status_code == status, response.text
    body: dict[str, str] = response.json()
    assert set(body) == {"error", "detail", "next_step"}
    assert body["error"] == error
    assert all(body.values())
    return body


async def test_a_conversation_from_queue_to_bot(sam: Caller, place: Office, waiting: str) -> None:
    taken = await sam.act(waiting, "take")
    assert taken.status_code == 200
    assert taken.json()["state"] == "agent"
    assert taken.json()["owner"] == "agent"
    assert taken.json()["assignee"] == {"id": sam.agent.id, "name": "Sam"}
    assert (await sam.act(waiting, "take")).json()["owner_epoch"] == taken.json()["owner_epoch"]

    written = await sam.act(waiting, "reply", "Hello & welcome ❤️")
    noted = await sam.act(waiting, "notes", "Called the carrier.")
    assert (written.status_code, noted.status_code) == (201, 201)

    returned = await sam.act(waiting, "return")
    assert (returned.json()["state"], returned.json()["assignee"]) == ("bot", None)
    detail = (await sam.get(f"/conversations/{waiting}")).json()
    said = {m["id"]: m for m in detail["messages"]}
    assert said[written.json()["id"]]["text"] == "Hello & welcome ❤️"
    assert said[written.json()["id"]]["author_name"] == "Sam"
    assert said[noted.json()["id"]]["status"] == "note"
    authors = [m["author"] for m in detail["messages"]]
    assert authors == ["customer", "bot", "system", "agent", "agent", "system"]
    [episode] = detail["episodes"]
    assert (episode["agent_id"], episode["outcome"]) == (sam.agent.id, "returned")
    assert episode["requested_at"] <= episode["taken_at"] <= episode["ended_at"]


async def test_resolving_and_taking_up_again(sam: Caller, waiting: str) -> None:
    resolved = await sam.act(waiting, "resolve")
    assert (resolved.status_code, resolved.json()["state"]) == (200, "resolved")
    problem(await sam.act(waiting, "resolve"), 409, "illegal_transition")
    assert (await sam.act(waiting, "take")).json()["state"] == "agent"
    assert (await sam.act(waiting, "resolve")).json()["state"] == "resolved"


async def test_the_whole_conversation_is_shown(sam: Caller, place: Office, waiting: str) -> None:
    await place.recognise(waiting, MAYA.id, Identity.CONFIRMED)
    detail = (await sam.get(f"/conversations/{waiting}")).json()
    assert detail["identity"] == "confirmed"
    asked, offered = detail["messages"]
    assert asked["understood"] == UNDERSTOOD
    assert offered["buttons"] == [{"title": "Yes", "url": ""}]
    [episode] = detail["episodes"]
    assert episode["reason"] == "action_failed"
    assert episode["evidence"] == {"order": IN_TRANSIT}
    assert IN_TRANSIT in episode["brief"]
    card = detail["card"]
    assert (card["customer"]["name"], card["customer"]["email"]) == (MAYA.name, MAYA.email)
    assert (card["problem"], detail["earlier"]) == ("", False)
    assert len(card["orders"]) == 5
    assert all(isinstance(order["total"], str) for order in card["orders"])


async def test_nobody_known_is_an_empty_card(sam: Caller, waiting: str) -> None:
    detail = (await sam.get(f"/conversations/{waiting}")).json()
    assert detail["card"] == {"customer": None, "orders": [], "problem": ""}


async def test_long_conversations_come_newest_first_and_page_by_page(
    sam: Caller, place: Office
) -> None:
    for number in range(7):
        conversation = await place.write("maya", f"message {number}")
    page = (await sam.get(f"/conversations/{conversation}", limit=3)).json()
    assert [m["text"] for m in page["messages"]] == ["message 4", "message 5", "message 6"]
    assert page["earlier"]
    first = page["messages"][0]["seq"]
    page = (await sam.get(f"/conversations/{conversation}", limit=4, before=first)).json()
    assert [m["text"] for m in page["messages"]] == [f"message {n}" for n in range(4)]
    assert not page["earlier"]


async def test_listing_by_status(sam: Caller, alex: Caller, place: Office) -> None:
    made = {
        name: await place.write(name, "hi") for name in ("bot", "early", "late", "mine", "done")
    }
    for name in ("early", "late", "mine", "done"):
        await place.hand_over(made[name])
    await sam.act(made["mine"], "take")
    await sam.act(made["done"], "resolve")
    names = {conversation: name for name, conversation in made.items()}

    async def listed(caller: Caller, **query: Any) -> list[str]:
        found = (await caller.get("/conversations", **query)).json()["conversations"]
        return [names[each["id"]] for each in found]

    assert await listed(sam, status="waiting") == ["early", "late"]
    assert await listed(sam, status="waiting", limit=1) == ["early"]
    assert await listed(sam, status="mine") == ["mine"]
    assert await listed(alex, status="mine") == []
    assert await listed(sam, status="bot") == ["bot"]
    assert sorted(await listed(sam, status="open")) == ["bot", "early", "late", "mine"]
    assert sorted(await listed(sam)) == ["bot", "done", "early", "late", "mine"]
    [line] = (await sam.get("/conversations", status="waiting", limit=1)).json()["conversations"]
    assert (line["last_text"], line["last_author"]) == ("hi", "customer")
    assert line["reason"] == "customer_request"
    assert line["waiting_since"]


def test_every_state_can_be_asked_for() -> None:
    assert {f.value for f in StatusFilter} == {s.value for s in State} | {"open", "waiting", "mine"}
    for state in State:
        assert StatusFilter(state.value).states == (state,)


async def test_two_agents_take_at_once(
    sam: Caller, alex: Caller, place: Office, waiting: str
) -> None:
    answers = await asyncio.gather(sam.act(waiting, "take"), alex.act(waiting, "take"))
    assert sorted(a.status_code for a in answers) == [200, 409]
    [loser] = [a for a in answers if a.status_code == 409]
    [winner] = [a for a in answers if a.status_code == 200]
    told = problem(loser, 409, "taken")
    assert winner.json()["assignee"]["name"] in told["detail"]
    async with place.database.read() as connection:
        joined = (
            await connection.execute(select(t.message).where(t.message.c.author == Author.SYSTEM))
        ).all()
    assert len(joined) == 1


async def test_only_the_owner_writes(
    sam: Caller, alex: Caller, place: Office, http: httpx.AsyncClient, waiting: str
) -> None:
    problem(await sam.act(waiting, "reply", "hello"), 409, "taken")
    await sam.act(waiting, "take")
    for what in ("reply", "return", "resolve"):
        problem(await alex.act(waiting, what, "hi" if what == "reply" else ""), 409, "taken")
    assert (await alex.act(waiting, "notes", "ask me")).status_code == 201
    boss = await employ(place, http, "Robin", Role.ADMIN)
    assert (await boss.act(waiting, "reply", "hello from Robin")).status_code == 201


async def test_the_first_reply_is_timed_once(sam: Caller, place: Office, waiting: str) -> None:
    async def first_reply() -> object:
        async with place.database.read() as connection:
            return await connection.scalar(select(t.episode.c.first_reply_at))

    await sam.act(waiting, "take")
    await sam.act(waiting, "notes", "thinking")
    assert await first_reply() is None
    await sam.act(waiting, "reply", "one")
    first = await first_reply()
    assert first is not None
    await sam.act(waiting, "reply", "two")
    assert await first_reply() == first


async def test_without_a_token_nothing(http: httpx.AsyncClient) -> None:
    conversation = "00000000-0000-0000-0000-000000000000"
    for method, path in (
        ("GET", "/conversations"),
        ("GET", f"/conversations/{conversation}"),
        ("POST", f"/conversations/{conversation}/take"),
        ("POST", f"/conversations/{conversation}/return"),
        ("POST", f"/conversations/{conversation}/resolve"),
        ("DELETE", "/tokens/current"),
    ):
        for header in ("", "Bearer", "Bearer fd_nothing", "Basic c2FtOng=", "Bearer é"):
            headers = [(b"authorization", header.encode())] if header else []
            response = await http.request(method, API + path, headers=headers)
            problem(response, 401, "not_logged_in")
            assert response.headers["www-authenticate"] == "Bearer"


async def test_unknown_conversations(sam: Caller) -> None:
    unknown = ["x", "00000000-0000-0000-0000-000000000000", "%00", "a" * 5000, "%F0%9F", "' or 1"]
    for path in [f"/conversations/{each}" for each in unknown]:
        for response in (
            await sam.get(path),
            *[await sam.post(f"{path}/{what}") for what in ("take", "return", "resolve")],
            *[await sam.post(f"{path}/{what}", {"text": "x"}) for what in ("reply", "notes")],
        ):
            problem(response, 404, "not_found")


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b'{"text": ""}',
    b'{"text": "   "}',
    b'{"text": 5}',
    b'{"text": "secret words", "more": 1}',
    b'{"text": "\\u0000"}',
    b'{"text": "secret words \\ud800"}',
    json.dumps({"text": "secret words" * 400}).encode(),
]


@pytest.mark.parametrize("what", ["reply", "notes"])
async def test_bad_bodies_are_named_and_not_quoted(sam: Caller, waiting: str, what: str) -> None:
    await sam.act(waiting, "take")
    headers = sam.headers | {"content-type": "application/json"}
    for body in BAD_BODIES:
        url = f"{API}/conversations/{waiting}/{what}"
        response = await sam.http.post(url, content=body, headers=headers)
        problem(response, 422, "invalid")
        assert "secret" not in response.text


async def test_the_longest_text_fits(sam: Caller, waiting: str) -> None:
    await sam.act(waiting, "take")
    assert (await sam.act(waiting, "reply", "é" * 4000)).status_code == 201
    problem(await sam.act(waiting, "reply", "é" * 4001), 422, "invalid")
    problem(await sam.act(waiting, "reply", "é" * 40_000), 413, "refused")


async def test_bad_queries(sam: Caller) -> None:
    for query in ({"status": "nonsense"}, {"limit": 0}, {"limit": 201}, {"limit": "ten"}):
        problem(await sam.get("/conversations", **query), 422, "invalid")


async def test_logging_in_and_out(http: httpx.AsyncClient, place: Office) -> None:
    agent = await place.hire("Sam")
    body = {"email": "SAM@shop.example", "password": PASSWORD, "label": "a program"}
    issued = await http.post(f"{API}/tokens", json=body)
    assert issued.status_code == 201
    assert issued.json()["agent"] == "Sam"
    caller = Caller(http, agent, issued.json()["token"])
    assert (await caller.get("/conversations")).status_code == 200
    out = await http.delete(f"{API}/tokens/current", headers=caller.headers)
    assert out.status_code == 204
    problem(await caller.get("/conversations"), 401, "not_logged_in")


async def test_a_wrong_password_and_an_unknown_agent_look_alike(
    http: httpx.AsyncClient, place: Office
) -> None:
    await place.hire("Sam")
    wrong = {"email": "sam@shop.example", "password": "secret words"}
    unknown = {"email": "nobody@shop.example", "password": "secret words"}
    answers = [await http.post(f"{API}/tokens", json=body) for body in (wrong, unknown)]
    assert answers[0].json() == answers[1].json()
    for answer in answers:
        problem(answer, 401, "not_logged_in")
    broken = await http.post(f"{API}/tokens", json={**wrong, "extra": "secret words"})
    problem(broken, 422, "invalid")
    assert "secret" not in broken.text


async def test_a_database_that_is_away(
    sam: Caller, place: Office, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreUnavailableError("asyncpg said: db.internal refused")

    monkeypatch.setattr(place.database, "read", away)
    monkeypatch.setattr(place.database, "write", away)
    response = await sam.act(waiting, "take")
    problem(response, 503, "store_unavailable")
    assert response.headers["retry-after"]
    assert "asyncpg" not in response.text


async def test_the_documentation_names_everything(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["Agent's token"]["scheme"] == "bearer"
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    ]
    assert len(operations) == 12
    for path, operation in operations:
        assert operation["tags"], path
        assert operation["summary"], path
        assert operation["description"], path
        if path != f"{API}/tokens":
            assert operation["security"], path
            assert "401" in operation["responses"], path

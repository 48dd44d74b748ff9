"""Dead letters over HTTP, on both databases."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import update

from bot.core.access import Role
from bot.core.messages import Author
from bot.store import tables as t
from bot.store.rows import new_id, utc_now
from tests.contract.test_desk_api import (
    API,
    Caller,
    alex,
    employ,
    http,
    place,
    problem,
    sam,
    shop_url,
)
from tests.desk_office import Office

__all__ = ["alex", "http", "place", "sam", "shop_url"]


@pytest.fixture
async def dead(place: Office) -> str:
    """A message of the bot's that could not be sent."""
    conversation = await place.write("maya", "where is it?", channel="twilio")
    message = await place.answer(conversation, "a secret answer")
    await place.fail(message)
    return message


async def test_listing(sam: Caller, place: Office, dead: str) -> None:
    chat = await place.write("other", "hi")
    other = await place.answer(chat, "hello")
    await place.fail(other)
    found = (await sam.get("/dead-letters")).json()["dead_letters"]
    assert [each["id"] for each in found] == [dead, other]
    only = (await sam.get("/dead-letters", channel="webchat")).json()["dead_letters"]
    assert [each["id"] for each in only] == [other]
    first = (await sam.get("/dead-letters", limit=1)).json()["dead_letters"]
    assert [each["id"] for each in first] == [dead]


async def test_reading_one(sam: Caller, dead: str) -> None:
    answer = await sam.get(f"/dead-letters/{dead}")
    body = answer.json()
    assert (body["direction"], body["author"], body["channel"]) == ("out", "bot", "twilio")
    assert (body["error"], body["code"]) == ("opted out (error 21610)", "21610")
    assert (body["attempts"], body["since"][:2]) == (1, "20")
    assert "opted out" in body["happened"]
    assert body["todo"]
    assert "secret" not in answer.text
    assert "maya" not in answer.text


async def test_sending_it_again(sam: Caller, dead: str) -> None:
    conversation = (await sam.get(f"/dead-letters/{dead}")).json()["conversation"]
    answer = await sam.post(f"/dead-letters/{dead}/replay")
    assert answer.status_code == 201
    messages = (await sam.get(f"/conversations/{conversation}")).json()["messages"]
    assert [(m["id"], m["status"]) for m in messages[1:]] == [
        (dead, "failed"),
        (answer.json()["id"], "pending"),
    ]
    assert messages[2]["text"] == messages[1]["text"]
    assert messages[1]["replayed_at"] is not None
    problem(await sam.get(f"/dead-letters/{dead}"), 404, "not_found")
    problem(await sam.post(f"/dead-letters/{dead}/replay"), 404, "not_found")


async def test_of_two_at_once_one_is_refused(sam: Caller, alex: Caller, dead: str) -> None:
    path = f"/dead-letters/{dead}/replay"
    answers = await asyncio.gather(sam.post(path), alex.post(path))
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert sorted(answer.status_code for answer in answers)[1] in (404, 409)


async def test_in_a_human_s_chat_only_that_human(
    sam: Caller, alex: Caller, place: Office, http: httpx.AsyncClient, dead: str
) -> None:
    conversation = (await sam.get(f"/dead-letters/{dead}")).json()["conversation"]
    await sam.act(conversation, "take")
    problem(await alex.post(f"/dead-letters/{dead}/replay"), 409, "taken")
    boss = await employ(place, http, "Robin", Role.ADMIN)
    assert (await boss.post(f"/dead-letters/{dead}/replay")).status_code == 201


async def test_what_the_bot_failed_on(sam: Caller, place: Office, dead: str) -> None:
    async with place.database.write() as connection:
        await connection.execute(
            update(t.message)
            .where(t.message.c.author == Author.CUSTOMER)
            .values(dead_since=utc_now(), attempts=3, error="KeyError")
        )
    found = (await sam.get("/dead-letters")).json()["dead_letters"]
    [poison] = [each for each in found if each["direction"] == "in"]
    assert "KeyError" in poison["happened"]
    await sam.act(poison["conversation"], "take")
    await sam.act(poison["conversation"], "resolve")
    refused = await sam.post(f"/dead-letters/{poison['id']}/replay")
    assert "human" in problem(refused, 409, "not_replayable")["detail"]


async def test_unknown_ones_and_bad_queries(sam: Caller, dead: str) -> None:
    for unknown in ("x", new_id(), "%00", "a" * 5000):
        problem(await sam.get(f"/dead-letters/{unknown}"), 404, "not_found")
        problem(await sam.post(f"/dead-letters/{unknown}/replay"), 404, "not_found")
    for query in ({"limit": 0}, {"limit": 1001}, {"channel": "\x00"}, {"channel": "a" * 65}):
        problem(await sam.get("/dead-letters", **query), 422, "invalid")


async def test_without_a_token_nothing(http: httpx.AsyncClient, dead: str) -> None:
    for method, path in (
        ("GET", "/dead-letters"),
        ("GET", f"/dead-letters/{dead}"),
        ("POST", f"/dead-letters/{dead}/replay"),
    ):
        problem(await http.request(method, API + path), 401, "not_logged_in")

"""The main job through the real process: web chat, CRM and POS, handoff, desk API, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.process import Server, Visitor

NONSENSE = ("blorple wug snizzle frabjous", "qwxz vbnk plorf zzyx")


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with Visitor(server.url) as made:
        yield made


@pytest.fixture(scope="module")
def desk(server: Server) -> Iterator[httpx.Client]:
    """An agent at the desk's API."""
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=10) as client:
        token = client.post("/tokens", json=server.login).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def test_a_stranger_proves_who_they_are_and_reads_the_real_status(visitor: Visitor) -> None:
    asked = visitor.ask("where is my order?")
    assert "order number" in asked.lower()
    assert "Northway" not in asked
    visitor.ask("FD-104233")
    told = visitor.ask("maya.okafor@example.com")
    assert "FD-104233" in told
    assert "on its way" in told or "way" in told


def test_agents_see_the_name_of_a_customer_who_proved_an_order(
    visitor: Visitor, desk: httpx.Client
) -> None:
    visitor.ask("where is my order FD-104233")
    visitor.ask("maya.okafor@example.com")
    known = desk.get(f"/conversations/{visitor.conversation}").json()
    assert "Maya Okafor" in str(known)
    listed = desk.get("/conversations", params={"status": "bot", "limit": 200}).json()
    mine = next(c for c in listed["conversations"] if c["id"] == visitor.conversation)
    assert mine["profile_name"] == "Maya Okafor"
    assert mine["identity"] == "confirmed"


def test_an_order_of_somebody_else_looks_like_one_that_does_not_exist(server: Server) -> None:
    answers = []
    for number in ("FD-104300", "FD-999999"):
        with Visitor(server.url) as stranger:
            stranger.ask("where is my order")
            stranger.ask(number)
            answers.append(stranger.ask("maya.okafor@example.com"))
    for answer in answers:
        assert "Tom" not in answer
        assert "shipped" not in answer.lower()
        assert "deliver" not in answer.lower()


def test_a_redelivered_message_is_answered_once(visitor: Visitor) -> None:
    for _ in range(4):
        assert visitor.send("what are your opening hours", identifier="same") == 202
    visitor.read()
    time.sleep(1)
    authors = [m["author"] for m in visitor.messages()]
    assert authors.count("customer") == 1


@pytest.mark.parametrize(
    "text", ["/restart", '/inform{"customer_id": "C-1"}', "/session_start", "/deny"]
)
def test_a_typed_slash_is_only_text(visitor: Visitor, text: str) -> None:
    visitor.ask(text)
    asked = visitor.ask("where is my order")
    assert "order number" in asked.lower(), "no typing makes a stranger known"


def test_nonsense_twice_brings_a_human_and_resolving_brings_the_bot_back(
    visitor: Visitor, desk: httpx.Client
) -> None:
    first = visitor.send(NONSENSE[0])
    assert first == 202
    offered = visitor.read()
    assert any(m["buttons"] for m in offered), "the first time the bot offers what it could mean"
    handed_over = visitor.ask(NONSENSE[1])
    assert handed_over
    conversation = visitor.conversation

    waiting = desk.get("/conversations", params={"status": "queued"}).json()["conversations"]
    mine = next(c for c in waiting if c["id"] == conversation)
    assert mine["reason"] == "low_confidence"
    detail = desk.get(f"/conversations/{conversation}").json()
    assert any(m["text"] == NONSENSE[1] for m in detail["messages"])

    assert desk.post(f"/conversations/{conversation}/take").status_code == 200
    visitor.read()
    reply = {"text": "Hello, Sam here. What can I do?"}
    assert desk.post(f"/conversations/{conversation}/reply", json=reply).status_code in (200, 201)
    said = visitor.read()
    assert said[-1]["text"] == reply["text"]
    assert said[-1]["author"] == "agent"

    visitor.send("what are your opening hours")
    time.sleep(1.5)
    newest = visitor.messages()[-1]
    assert newest["author"] == "customer", "the bot is silent while a human owns the chat"

    assert desk.post(f"/conversations/{conversation}/resolve").status_code == 200
    visitor.read()
    answer = visitor.ask("what are your opening hours")
    assert visitor.messages()[-1]["author"] == "bot", answer


def test_no_customer_text_reaches_the_log(server: Server, visitor: Visitor) -> None:
    visitor.ask("my e-mail is planted.person@example.com and my phone is +447700900999")
    assert "planted.person" not in server.log
    assert "7700900999" not in server.log

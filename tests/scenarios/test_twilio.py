"""The main job over SMS and WhatsApp: the real process, the real SDK, the stand-in for Twilio."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.process import Server, running
from tests.standins.twilio import TwilioStandin

SHOP = "+447700900100"
MAYA, STRANGER = "+447700900123", "+447700900555"
NONSENSE = ("blorple wug snizzle frabjous", "qwxz vbnk plorf zzyx")


@dataclass
class Phone:
    """A customer's phone."""

    number: str
    twilio: TwilioStandin
    server: Server
    channel: str = ""
    read: int = 0

    def send(self, text: str = "", **more: object) -> None:
        """Sends a message; the webhook must be acknowledged."""
        replies = self.twilio.customer_sends(
            self.channel + self.number,
            text,
            to=self.channel + SHOP,
            webhook_url=f"{self.server.url}/webhooks/twilio/webhook",
            **more,  # type: ignore[arg-type]
        )
        assert [reply.status for reply in replies] == [200] * len(replies)

    def inbox(self) -> list[str]:
        """What the shop sent to this phone."""
        me = self.channel + self.number
        return [m.body for m in self.twilio.record.messages if m.to == me]

    def hear(self, seconds: float = 20.0) -> str:
        """Waits for something new, and a moment for what follows."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len(self.inbox()) > self.read:
                time.sleep(0.8)
                new = self.inbox()[self.read :]
                self.read += len(new)
                return "\n".join(new)
            time.sleep(0.1)
        raise AssertionError(f"nothing new after {seconds} s: {self.inbox()}")

    def ask(self, text: str) -> str:
        """Sends and hears."""
        self.send(text)
        return self.hear()


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as standin:
        yield standin


@pytest.fixture(scope="module")
def server(twilio: TwilioStandin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("twilio")
    credentials = folder / "credentials.yml"
    credentials.write_text(json.dumps({"twilio": twilio.credentials(SHOP)}))
    with running(folder, forked=True, FRONTDESK_CREDENTIALS=str(credentials)) as started:
        yield started


@pytest.fixture(scope="module")
def desk(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=10) as client:
        token = client.post("/tokens", json=server.login).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def test_whatsapp_vouches_for_the_phone_so_the_order_is_told_at_once(
    twilio: TwilioStandin, server: Server
) -> None:
    maya = Phone(MAYA, twilio, server, "whatsapp:")
    told = maya.ask("where is my order FD-104233?")
    assert "FD-104233" in told
    assert "order number" not in told.lower()


def test_an_unknown_number_is_asked_and_hears_nothing_of_others(
    twilio: TwilioStandin, server: Server
) -> None:
    stranger = Phone("+447700900556", twilio, server)
    first = stranger.ask("where is order FD-104233")
    assert "Northway" not in first
    told = stranger.ask("someone.else@example.com")
    assert "Northway" not in told
    assert "Maya" not in told


def test_a_photo_alone_is_acknowledged(twilio: TwilioStandin, server: Server) -> None:
    phone = Phone("+447700900557", twilio, server)
    phone.send(media={"https://media.example/1.jpg": "image/jpeg"})
    assert "colleague" in phone.hear()


def test_a_webhook_delivered_eight_times_is_answered_once(
    twilio: TwilioStandin, server: Server
) -> None:
    phone = Phone("+447700900558", twilio, server)
    phone.send("what are your opening hours in leeds", duplicates=7)
    first = phone.hear()
    time.sleep(1.5)
    assert len(phone.inbox()) == phone.read, first


def test_an_unsigned_webhook_is_refused(server: Server) -> None:
    url = f"{server.url}/webhooks/twilio/webhook"
    form = {"MessageSid": "SM1", "From": STRANGER, "To": SHOP, "Body": "hi"}
    assert httpx.post(url, data=form).status_code == 403
    signed = httpx.post(url, data=form, headers={"X-Twilio-Signature": "AAAA"})
    assert signed.status_code == 403


def test_a_body_over_one_megabyte_is_refused(server: Server) -> None:
    url = f"{server.url}/webhooks/twilio/webhook"
    assert httpx.post(url, content=b"a" * 1_100_000).status_code == 413


def test_the_whole_way_to_a_human_and_back_with_receipts(
    twilio: TwilioStandin, server: Server, desk: httpx.Client
) -> None:
    phone = Phone(STRANGER, twilio, server)
    phone.ask(NONSENSE[0])
    phone.ask(NONSENSE[1])
    waiting = desk.get("/conversations", params={"status": "queued"}).json()["conversations"]
    conversation = next(c["id"] for c in waiting if c["sender"] == STRANGER)

    assert desk.post(f"/conversations/{conversation}/take").status_code == 200
    phone.hear()
    reply = {"text": "Hello, Sam here."}
    assert desk.post(f"/conversations/{conversation}/reply", json=reply).status_code == 201
    assert phone.hear() == reply["text"]
    assert desk.post(f"/conversations/{conversation}/resolve").status_code == 200
    phone.hear()
    assert phone.ask("what are your opening hours in leeds")

    twilio.wait_for_callbacks()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        messages = desk.get(f"/conversations/{conversation}").json()["messages"]
        states = {m["status"] for m in messages if m["author"] != "customer"}
        if states <= {"delivered", "read"}:
            return
        time.sleep(0.2)
    raise AssertionError(f"not all were delivered: {states}")

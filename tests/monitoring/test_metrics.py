"""Metrics of real turns, deliveries and webhooks, and who may read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.core.conversation import HandoffReason
from bot.core.errors import DeliveryError, SignatureError, StoreUnavailableError
from bot.core.messages import Content
from bot.dialogue.output import HandoffRequest
from bot.monitoring.health import Health
from bot.monitoring.metrics import Metrics
from bot.monitoring.monitor import Monitor
from bot.monitoring.routes import create_router, read_queues
from bot.store.database import Database
from tests.monitoring.observed import Observed, conversation
from tests.scripted import ADDRESS, inbound

TOKEN = "a-token-of-the-operator"
EMAIL = "maya.okafor@example.com"


@pytest.fixture
def observed(database: Database) -> Observed:
    return Observed(database, Monitor(Metrics()))


async def test_an_answered_turn(observed: Observed) -> None:
    await observed.say(inbound("hello"))
    values = await observed.values()
    assert values["frontdesk_turns_total,answered"] == 1
    for step in ("claim", "answer", "commit"):
        assert values[f"frontdesk_turn_step_seconds_count,{step}"] == 1
    assert values["frontdesk_deliveries_total,scripted,sent"] == 1
    assert values["frontdesk_webhook_seconds_count,scripted,202"] == 1
    assert values["frontdesk_intent_confidence_count"] == 1
    assert values["frontdesk_intent_confidence_sum"] == pytest.approx(0.9)
    assert values["frontdesk_process_memory_bytes"] > 10_000_000
    assert values["frontdesk_queue_length,inbox"] == 0
    assert values["frontdesk_queue_oldest_seconds,inbox"] == 0


async def test_a_turn_for_which_nothing_waits_is_none(observed: Observed) -> None:
    assert not await observed.turns.run(conversation())
    values = await observed.values()
    assert sum(v for name, v in values.items() if name.startswith("frontdesk_turns_total")) == 0


async def test_a_handoff_and_what_follows(observed: Observed) -> None:
    reason = HandoffReason.CUSTOMER_REQUEST
    observed.brain.script = lambda _: HandoffRequest(reason, {})
    await observed.say(inbound("a human please"))
    await observed.say(inbound("are you there?"))
    values = await observed.values()
    assert values["frontdesk_turns_total,handed_over"] == 1
    assert values["frontdesk_turns_total,with_human"] == 1
    assert values["frontdesk_handoffs_total,customer_request"] == 1
    assert values["frontdesk_queue_length,humans"] == 1


async def test_turns_that_fail(observed: Observed) -> None:
    observed.brain.script = lambda m: ValueError(m.text)
    await observed.say(inbound("poison"))
    assert (await observed.values())["frontdesk_turns_total,failed"] == 1
    assert (await observed.values())["frontdesk_queue_length,inbox"] == 1


async def test_a_turn_that_the_database_ends(
    observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr("bot.flow.turn.turns.mark_processed", away)
    await observed.receive(inbound("hello"))
    with pytest.raises(StoreUnavailableError):
        await observed.turns.run(conversation())
    assert (await observed.values())["frontdesk_turns_total,error"] == 1


async def test_deliveries_by_what_they_came_to(observed: Observed) -> None:
    observed.channel.failures = [DeliveryError("busy", permanent=False, retry_after=60)]
    await observed.say(inbound("one"))
    values = await observed.values()
    assert values["frontdesk_deliveries_total,scripted,retried"] == 1
    assert values["frontdesk_queue_length,outbox"] == 1


async def test_a_delivery_that_cannot_succeed(observed: Observed) -> None:
    observed.channel.failures = [DeliveryError("gone", permanent=True)]
    await observed.say(inbound("one"))
    assert (await observed.values())["frontdesk_deliveries_total,scripted,failed"] == 1


async def test_webhooks_that_are_refused_or_repeated(observed: Observed) -> None:
    await observed.receive(inbound("one"), inbound("two"))
    await observed.receive(inbound("one"), inbound("two"))
    with pytest.raises(SignatureError):
        await observed.receive(error=SignatureError("wrong"))
    with pytest.raises(RuntimeError):
        await observed.receive(error=RuntimeError("a bug"))
    values = await observed.values()
    assert values["frontdesk_duplicates_total,scripted"] == 2
    assert values["frontdesk_webhook_seconds_count,scripted,202"] == 2
    assert values["frontdesk_webhook_seconds_count,scripted,403"] == 1
    assert values["frontdesk_webhook_seconds_count,scripted,500"] == 1


async def test_nothing_personal_is_in_them(observed: Observed) -> None:
    observed.brain.script = lambda m: Content(m.text)
    await observed.say(inbound(f"write to {EMAIL}", EMAIL, profile_name="Maya"))
    text = observed.monitor.metrics.exposition(await read_queues(observed.database)).decode()
    assert EMAIL not in text
    assert "Maya" not in text
    assert ADDRESS.sender not in text
    assert conversation() not in text


async def test_without_a_database_the_rest_is_still_told() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    text = Metrics().exposition(await read_queues(database)).decode()
    assert "frontdesk_turns_total" in text
    assert "frontdesk_queue_length{" not in text
    await database.aclose()


class TestWhoMayRead:
    @staticmethod
    def ask(folder: Path, token: str, local: bool, header: str | None) -> Any:
        async def nothing() -> dict[str, Any]:
            return {}

        app = FastAPI()
        health = Health(Database(f"sqlite:///{folder}/none.db"), lambda: "")
        app.include_router(
            create_router(
                health, Metrics(), nothing, token=token, is_local=local, model=lambda: None
            )
        )
        headers = {b"Authorization": header.encode()} if header else {}
        return TestClient(app).get("/metrics", headers=headers)

    @pytest.mark.parametrize(
        ("token", "local", "header", "status"),
        [
            ("", True, None, 200),
            ("", False, None, 403),
            ("", False, f"Bearer {TOKEN}", 403),
            (TOKEN, False, None, 401),
            (TOKEN, True, None, 401),
            (TOKEN, False, f"Bearer {TOKEN}x", 401),
            (TOKEN, False, f"Basic {TOKEN}", 401),
            (TOKEN, False, "Bearer é", 401),
            (TOKEN, False, f"bearer {TOKEN}", 200),
        ],
    )
    def test_by_token(
        self, tmp_path: Path, token: str, local: bool, header: str | None, status: int
    ) -> None:
        answer = self.ask(tmp_path, token, local, header)
        assert answer.status_code == status
        assert ("frontdesk_turns_total" in answer.text) == (status == 200)

    def test_the_refusal_names_the_next_step(self, tmp_path: Path) -> None:
        assert "FRONTDESK_METRICS_TOKEN" in self.ask(tmp_path, "", False, None).text

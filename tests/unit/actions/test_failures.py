"""A lookup that fails is never an answer, and never silence."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes import ActionCancelConfirmed
from actions.orders import ActionOrderStatus
from actions.stores import ActionOpeningHours
from actions.verification import ValidateVerifyForm
from bot.core.errors import RefusedError, ShopUnavailableError
from connectors.demo import cast
from tests.unit.actions.talk import DOMAIN, Talk


class Slow:
    """A POS whose every call takes a minute."""

    def __init__(self, pos: object) -> None:
        self._pos = pos

    def __getattr__(self, name: str) -> Any:
        async def call(*args: object, **kwargs: object) -> object:
            await asyncio.sleep(60)
            return await getattr(self._pos, name)(*args, **kwargs)

        return call


class Failing:
    """A POS whose every call raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def call(*args: object, **kwargs: object) -> object:
            raise self._error

        return call


def with_pos(talk: Talk, pos: Any, timeout: float = 0.05) -> None:
    talk.context = replace(talk.context, pos=pos, timeout=timeout)


async def test_a_slow_lookup_ends_in_an_apology_and_a_human(maya: Talk) -> None:
    with_pos(maya, Slow(maya.context.pos))
    reply = await maya.say(ActionOrderStatus(), "order_status", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_lookup_failed"]
    assert reply.handoff == {
        "reason": "action_failed",
        "evidence": {
            "intent": "order_status",
            "identity": "channel_verified",
            "recent_intents": ["order_status"],
            "order_number": cast.IN_TRANSIT,
            "action": "action_order_status",
            "error": "TimeoutError",
        },
    }


@pytest.mark.parametrize(
    "error", [ShopUnavailableError("down"), ValueError("maya.okafor@example.com")]
)
async def test_any_error_ends_in_an_apology_and_a_human(
    maya: Talk, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with_pos(maya, Failing(error))
    with caplog.at_level(logging.DEBUG):
        reply = await maya.say(ActionOrderStatus(), "order_status", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_lookup_failed"]
    assert reply.handoff is not None
    assert reply.handoff["evidence"]["error"] == type(error).__name__
    assert type(error).__name__ in caplog.text
    assert "maya" not in caplog.text.lower()
    assert "some words" not in caplog.text


async def test_the_evidence_holds_no_message_text(maya: Talk) -> None:
    with_pos(maya, Failing(ShopUnavailableError("down")))
    reply = await maya.say(ActionOrderStatus(), "order_status", text="my door code is 4711")
    assert "4711" not in repr(reply.handoff)


async def test_a_failure_half_way_leaves_no_half_answer(maya: Talk) -> None:
    class Half(ActionOpeningHours):
        async def answer(self, turn: Any) -> Any:
            await super().answer(turn)
            raise ShopUnavailableError("down")

    reply = await maya.say(Half(), "opening_hours")
    assert reply.said == ["utter_lookup_failed"]


async def test_an_action_without_an_engine_apologises(maya: Talk) -> None:
    dispatcher = CollectingDispatcher()
    message = {"intent": {"name": "opening_hours"}, "entities": [], "text": "hours?"}
    tracker = Tracker("c", {}, message, [], False, None, {}, "action_listen")
    await ActionOpeningHours().run(dispatcher, tracker, DOMAIN)
    assert dispatcher.messages[0]["response"] == "utter_lookup_failed"


async def test_a_form_whose_lookup_fails_ends(stranger: Talk) -> None:
    with_pos(stranger, Slow(stranger.context.pos))
    stranger.form = "verify_form"
    both = {"order_number": cast.IN_TRANSIT, "contact": cast.MAYA.email}
    reply = await stranger.say(ValidateVerifyForm(), fill=both)
    assert reply.said == ["utter_lookup_failed"]
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "action_failed"
    assert stranger.slots["requested_slot"] is None
    assert not stranger.slots.get("identity")


async def test_a_failing_lookup_inside_a_form_leaves_the_form(maya: Talk) -> None:
    maya.form = "return_form"
    with_pos(maya, Failing(ShopUnavailableError("down")))
    reply = await maya.say(ActionOpeningHours(), "opening_hours")
    assert reply.handoff is not None
    assert reply.left_form


async def test_an_unknown_refusal_offers_a_person(maya: Talk) -> None:
    pos = maya.context.pos

    class Refusing:
        order = pos.order

        async def cancel_order(self, number: str, *, key: str) -> None:
            raise RefusedError("on_fire")

    with_pos(maya, Refusing(), timeout=5)
    maya.slots |= {"subject_order": cast.CANCELLABLE, "cancel_confirmed": True}
    reply = await maya.say(ActionCancelConfirmed(), "affirm")
    assert reply.said == ["utter_refused"]
    assert reply.handoff is None

"""Messages with two wishes, through the real brain and actions on the demo shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from bot.bootstrap import connect_actions
from bot.core.identity import Identity
from bot.dialogue.brain import Answer, Brain, Person
from bot.dialogue.tracker_store import TurnMemory
from bot.store.database import Database
from bot.store.turns import StoredInbound
from connectors.crm.sql.crm import create as create_crm
from connectors.pos.sql.pos import create as create_pos
from tests.contract.shop import SqliteShops
from tests.process import ROOT
from tests.unit.actions.talk import NOW, context

MAYA = Person(Identity.CHANNEL_VERIFIED, "C-1001")
CANCELLABLE, EMAIL = "FD-104234", "maya.okafor@example.com"


@dataclass
class Customer:
    """Somebody who writes, and what the bot remembers of it."""

    brain: Brain
    pos: Any
    crm: Any
    person: Person = field(default_factory=Person)
    history: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    async def say(self, text: str, payload: str | None = None) -> Answer:
        """One turn."""
        self.sent += 1
        message = StoredInbound(f"m{self.sent}", self.sent, text, (), payload, None, 0)
        about = replace(context(self.pos, self.crm), key=message.id)
        answer = await self.brain.answer(
            TurnMemory("c1", self.history), [message], self.person, {message.id: about}
        )
        self.history, self.person = self.history + answer.events, answer.person
        return answer


@pytest.fixture(scope="module")
def brain(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Brain:
    folder = tmp_path_factory.mktemp("brain")
    return Brain.load(model, Database(f"sqlite:///{folder}/frontdesk.db"), connect_actions({}))


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> SqliteShops:
    return SqliteShops(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop_url(shops: SqliteShops) -> Iterator[str]:
    with shops.copy() as url:
        yield url


@pytest_asyncio.fixture
async def customer(brain: Brain, shop_url: str) -> AsyncIterator[Customer]:
    crm = create_crm(shop_url, {}, now=lambda: NOW)
    pos = create_pos(shop_url, {}, now=lambda: NOW)
    await crm.prepare()
    await pos.prepare()
    yield Customer(brain, pos, crm)
    await crm.close()
    await pos.close()


def told(answer: Answer) -> list[str]:
    return [content.text for content in answer.contents]


def intents(answer: Answer) -> list[str]:
    (heard,) = answer.understood.values()
    assert isinstance(heard, dict)
    return [str(each["intent"]) for each in (heard, *heard.get("also", ()))]


RESPONSES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "domain.yml").read_text(encoding="utf-8")
)["responses"]


def said_as(answer: Answer, response: str) -> bool:
    """Whether one of a response's texts was said, up to its first placeholder."""
    starts = tuple(variant["text"].partition("{")[0] for variant in RESPONSES[response])
    return any(text.startswith(starts) for text in told(answer))


async def test_a_question_is_answered_before_the_form_asks_once(customer: Customer) -> None:
    answer = await customer.say("cancel my order and whats your returns policy")
    assert intents(answer) == ["cancel_order", "return_policy"]
    assert said_as(answer, "utter_return_policy")
    asked = [text for text in told(answer) if "order number" in text]
    assert asked == told(answer)[-1:]  # once, and last
    await customer.say(CANCELLABLE)
    answer = await customer.say(EMAIL)
    assert said_as(answer, "utter_ask_cancel_confirmed")


async def test_what_must_wait_is_taken_up_when_the_form_has_ended(customer: Customer) -> None:
    answer = await customer.say("cancel it and where is my refund")
    assert intents(answer) == ["cancel_order", "refund_status"]
    assert said_as(answer, "utter_one_by_one")
    assert "order number" in told(answer)[-1]
    await customer.say(CANCELLABLE)
    await customer.say(EMAIL)
    answer = await customer.say("yes please")
    assert intents(answer) == ["affirm", "refund_status"]
    cancelled, back, refund = told(answer)
    assert CANCELLABLE in cancelled
    assert "where is my refund" in back
    assert CANCELLABLE in refund
    assert not said_as(await customer.say("thanks"), "utter_back_to")


async def test_two_forms_are_never_asked_at_once(customer: Customer) -> None:
    customer.person = MAYA
    answer = await customer.say(f"cancel {CANCELLABLE} and i need to change my email")
    assert intents(answer) == ["cancel_order", "change_details"]
    assert said_as(answer, "utter_ask_cancel_confirmed")
    answer = await customer.say("no")
    assert intents(answer) == ["deny", "change_details"]
    assert said_as(answer, "utter_back_to")
    assert said_as(answer, "utter_ask_new_contact")


async def test_an_order_named_at_the_end_holds_for_both(customer: Customer) -> None:
    answer = await customer.say(f"cancel it and where's my refund for {CANCELLABLE}")
    assert intents(answer) == ["cancel_order", "refund_status"]
    assert not any("order number" in text for text in told(answer))
    assert said_as(await customer.say(EMAIL), "utter_ask_cancel_confirmed")


async def test_an_answer_and_a_question_in_one_message(customer: Customer) -> None:
    await customer.say("cancel my order")
    answer = await customer.say(f"{CANCELLABLE} and how can i pay")
    assert intents(answer) == ["inform", "payment_methods"]
    assert said_as(answer, "utter_payment_methods")
    assert "e-mail" in told(answer)[-1]
    await customer.say(EMAIL)
    answer = await customer.say("yes, and how do i send something back")
    assert intents(answer)[0] == "affirm"
    order = await customer.pos.order(CANCELLABLE)
    assert order.state == "cancelled"


async def test_what_a_human_takes_over_is_not_asked_and_named(customer: Customer) -> None:
    answer = await customer.say("cancel my order and let me talk to a human")
    assert answer.handoff is not None
    assert answer.handoff.evidence["not_answered"] == ["cancel_order"]
    assert told(answer) == []


async def test_a_question_before_a_human_takes_over_is_answered(customer: Customer) -> None:
    answer = await customer.say("do you take paypal and can I talk to a human")
    assert said_as(answer, "utter_payment_methods")
    assert answer.handoff is not None
    assert "not_answered" not in answer.handoff.evidence


async def test_what_waits_goes_to_the_human_too(customer: Customer) -> None:
    await customer.say("cancel it and where is my refund")
    answer = await customer.say("get me a human")
    assert answer.handoff is not None
    assert answer.handoff.evidence["not_answered"] == ["refund_status"]
    assert not said_as(await customer.say("hello again"), "utter_back_to")


async def test_what_is_not_clear_is_asked_about_last(customer: Customer) -> None:
    answer = await customer.say("can you frobnicate the wibble and do you take paypal")
    assert intents(answer) == ["payment_methods", "nlu_fallback"]
    assert said_as(answer, "utter_payment_methods")
    assert said_as(answer, "utter_did_you_mean")
    assert answer.contents[-1].buttons


@pytest.mark.parametrize("enough", ["never mind", "no"])
async def test_who_has_had_enough_is_not_asked_again(customer: Customer, enough: str) -> None:
    await customer.say("cancel it and where is my refund")
    answer = await customer.say(enough)
    assert not said_as(answer, "utter_back_to")
    assert len(intents(answer)) == 1


async def test_free_text_that_was_asked_for_is_not_divided(customer: Customer) -> None:
    customer.person = MAYA
    asked = await customer.say(f"change the delivery address of {CANCELLABLE}")
    assert said_as(asked, "utter_ask_new_address")
    answer = await customer.say(
        "Cancel Cottage and How do I Pay House, 12 Mill Lane, Leeds LS1 4DY"
    )
    assert "also" not in answer.understood["m2"]  # type: ignore[operator]
    assert said_as(answer, "utter_address_changed")


async def test_buttons_and_slashes_are_not_divided(customer: Customer) -> None:
    answer = await customer.say("cancel it and where is my refund", "/greet")
    assert intents(answer) == ["greet"]
    answer = await customer.say("/cancel_order and /restart")
    assert "also" not in answer.understood["m2"]  # type: ignore[operator]


async def test_a_turn_that_runs_again_ends_the_same(customer: Customer) -> None:
    first = await customer.say("cancel it and where is my refund")
    twin = Customer(customer.brain, customer.pos, customer.crm)
    second = await twin.say("cancel it and where is my refund")
    kinds = [[e["event"] for e in answer.events] for answer in (first, second)]
    assert kinds[0] == kinds[1]
    assert kinds[0].count("user") == 1  # the attempt at the second wish left nothing behind

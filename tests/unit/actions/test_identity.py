"""Nobody hears of an order that they have not proved to be theirs."""

from __future__ import annotations

import inspect

import pytest
from rasa_sdk import Action

from actions import account, delivery, order_changes, orders, payments, products, returns
from actions.base import ShopAction
from actions.verification import ActionContinue, ValidateVerifyForm
from bot.core.identity import Identity
from connectors.demo import cast
from tests.unit.actions.talk import TOM, Reply, Talk

TOPICS = (account, delivery, order_changes, orders, payments, products, returns)
PERSONAL = [
    action
    for topic in TOPICS
    for _, action in inspect.getmembers(topic, inspect.isclass)
    if issubclass(action, ShopAction) and action.identity > Identity.ANONYMOUS
]


@pytest.mark.parametrize("action", PERSONAL, ids=lambda a: a.action_name)
async def test_a_stranger_is_asked_who_they_are(stranger: Talk, action: type[Action]) -> None:
    reply = await stranger.say(action(), "order_status", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_verify_intro"]
    assert reply.next == "verify_form"
    assert reply.slots["pending_action"] == action().name()


@pytest.mark.parametrize("action", PERSONAL, ids=lambda a: a.action_name)
async def test_a_customer_id_alone_opens_nothing(stranger: Talk, action: type[Action]) -> None:
    stranger.slots |= {"customer_id": cast.MAYA.id, "order_number": cast.IN_TRANSIT}
    reply = await stranger.say(action(), "order_status")
    assert reply.next == "verify_form"


@pytest.mark.parametrize("identity", ["administrator", "2", "confirmed"])
async def test_an_identity_without_a_customer_opens_nothing(stranger: Talk, identity: str) -> None:
    stranger.slots |= {"identity": identity, "order_number": cast.IN_TRANSIT}
    reply = await stranger.say(orders.ActionOrderStatus(), "order_status")
    assert reply.next == "verify_form"


ORDER_TOPICS = [
    (orders.ActionOrderStatus, "order_status"),
    (order_changes.ActionCancelOrder, "cancel_order"),
    (order_changes.ActionChangeOrder, "change_order"),
    (order_changes.ActionChangeAddress, "change_address"),
    (delivery.ActionOrderLate, "order_late"),
    (delivery.ActionOrderLost, "order_lost"),
    (delivery.ActionItemDamaged, "item_damaged"),
    (returns.ActionStartReturn, "start_return"),
    (returns.ActionRefundStatus, "refund_status"),
    (payments.ActionInvoice, "invoice"),
]


@pytest.mark.parametrize(("action", "intent"), ORDER_TOPICS, ids=lambda v: str(v))
async def test_somebody_elses_order_does_not_exist(
    maya: Talk, action: type[Action], intent: str
) -> None:
    theirs = await maya.say(action(), intent, order_number=cast.SOMEBODY_ELSES)
    nobodys = await maya.say(action(), intent, order_number="FD-999999")
    assert theirs.said == nobodys.said == ["utter_order_not_found"]
    assert theirs.titles() == nobodys.titles() == []
    assert _shape(theirs, cast.SOMEBODY_ELSES) == _shape(nobodys, "FD-999999")


def _shape(reply: Reply, number: str) -> str:
    """The whole reply, without the number that the customer typed."""
    return repr((reply.messages, reply.events)).replace(number, "")


DOERS = [
    (order_changes.ActionCancelConfirmed, {"cancel_confirmed": True}),
    (order_changes.ActionAddressChange, {"new_address": "1 High Street, Leeds, LS1 4AP"}),
    (returns.ActionReturnFile, {"return_reason": "too small"}),
    (delivery.ActionTicketOpen, {"ticket_details": "torn", "ticket_kind": "damaged_item"}),
]


@pytest.mark.parametrize(("action", "slots"), DOERS, ids=lambda v: str(v))
async def test_nothing_is_done_to_somebody_elses_order(
    maya: Talk, action: type[Action], slots: dict[str, object]
) -> None:
    maya.slots |= {"subject_order": cast.SOMEBODY_ELSES, **slots}
    before = await maya.context.pos.order(cast.SOMEBODY_ELSES)
    reply = await maya.say(action(), "affirm")
    assert reply.said == ["utter_order_not_found"]
    assert await maya.context.pos.order(cast.SOMEBODY_ELSES) == before
    assert await maya.context.pos.returns_of(cast.SOMEBODY_ELSES) == []


async def verify(talk: Talk, number: str, contact: str) -> Reply:
    talk.form = "verify_form"
    talk.slots |= {"requested_slot": "order_number", "order_number": None, "contact": None}
    await talk.say(ValidateVerifyForm(), fill={"order_number": number})
    return await talk.say(ValidateVerifyForm(), fill={"contact": contact})


@pytest.mark.parametrize(
    "contact",
    ["maya.okafor@example.com", " Maya.Okafor@Example.COM", "07700 900123", "+44 7700 900 123"],
)
async def test_order_number_and_contact_prove_who_it_is(stranger: Talk, contact: str) -> None:
    reply = await verify(stranger, "fd 104233", contact)
    assert reply.slots["identity"] == "confirmed"
    assert reply.slots["customer_id"] == cast.MAYA.id
    assert stranger.slots["order_number"] == cast.IN_TRANSIT


async def test_what_was_asked_for_goes_on_and_the_contact_is_forgotten(stranger: Talk) -> None:
    await stranger.say(orders.ActionOrderStatus(), "order_status")
    await verify(stranger, cast.IN_TRANSIT, cast.MAYA.email)
    stranger.form = None
    reply = await stranger.say(ActionContinue())
    assert reply.next == "action_order_status"
    assert stranger.slots["contact"] is None
    status = await stranger.say(orders.ActionOrderStatus())
    assert status.said == ["utter_order_shipped_expected"]


async def test_both_in_one_message(stranger: Talk) -> None:
    stranger.form = "verify_form"
    both = {"order_number": cast.IN_TRANSIT, "contact": cast.MAYA.email}
    reply = await stranger.say(ValidateVerifyForm(), fill=both)
    assert reply.slots["customer_id"] == cast.MAYA.id
    assert reply.said == []


WRONG = [
    (cast.IN_TRANSIT, cast.TOM.email),  # a real order, somebody else's address
    ("FD-999999", cast.MAYA.email),  # no order
    ("FD-999999", "nobody@example.com"),
    (cast.IN_TRANSIT, cast.TOM.phone),
]


@pytest.mark.parametrize(("number", "contact"), WRONG)
async def test_a_mismatch_never_says_what_did_not_match(
    stranger: Talk, number: str, contact: str
) -> None:
    reply = await verify(stranger, number, contact)
    assert reply.said == ["utter_verify_failed"]
    assert stranger.slots["order_number"] is None
    assert stranger.slots["contact"] is None
    assert not stranger.slots.get("identity")


async def test_one_message_that_does_not_match_counts_once(stranger: Talk) -> None:
    stranger.form = "verify_form"
    both = {"order_number": cast.IN_TRANSIT, "contact": cast.TOM.email}
    reply = await stranger.say(ValidateVerifyForm(), fill=both)
    assert reply.said == ["utter_verify_failed"]
    assert reply.slots["verify_attempts"] == 1
    assert (stranger.slots["order_number"], stranger.slots["contact"]) == (None, None)


async def test_the_third_mismatch_goes_to_a_human(stranger: Talk) -> None:
    for _ in range(2):
        assert (await verify(stranger, cast.IN_TRANSIT, cast.TOM.email)).handoff is None
    reply = await verify(stranger, cast.IN_TRANSIT, cast.TOM.email)
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "form_loop"
    assert reply.handoff["evidence"]["attempts"] == 3
    assert stranger.slots["requested_slot"] is None  # the form is over
    after = await stranger.say(ActionContinue())
    assert after.next == "action_listen"
    again = await verify(stranger, cast.IN_TRANSIT, cast.TOM.email)
    assert again.handoff is not None  # no fresh guesses


async def test_a_shared_phone_number_proves_only_with_ones_own_order(stranger: Talk) -> None:
    reply = await verify(stranger, cast.IN_TRANSIT, cast.ANNA.phone)
    assert reply.said == ["utter_verify_failed"]


async def test_asking_again_without_answering_goes_to_a_human(stranger: Talk) -> None:
    action = orders.ActionOrderStatus()
    assert (await stranger.say(action, "order_status")).next == "verify_form"
    stranger.form = "verify_form"
    assert (await stranger.say(action, "order_status")).said == ["utter_verify_needed"]
    reply = await stranger.say(action, "order_status")
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "form_loop"
    assert reply.left_form


async def test_another_wish_replaces_the_first_while_asking(stranger: Talk) -> None:
    await stranger.say(orders.ActionOrderStatus(), "order_status")
    stranger.form = "verify_form"
    reply = await stranger.say(order_changes.ActionCancelOrder(), "cancel_order")
    assert reply.slots["pending_action"] == "action_cancel_order"
    assert reply.said == []  # no second introduction
    assert reply.next == "verify_form"


async def test_a_confirmed_customer_hears_of_their_own_orders_only(stranger: Talk) -> None:
    stranger.slots |= TOM
    own = await stranger.say(orders.ActionOrderStatus(), order_number=cast.SOMEBODY_ELSES)
    assert own.said == ["utter_order_shipped_expected"]
    other = await stranger.say(orders.ActionOrderStatus(), order_number=cast.IN_TRANSIT)
    assert other.said == ["utter_order_not_found"]

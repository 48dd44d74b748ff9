"""What actions change: once a message, only after a yes, and refused in plain words."""

from __future__ import annotations

import pytest
from rasa_sdk import Action

from actions.account import (
    ActionChangeDetails,
    ActionDeleteData,
    ActionDetailsChange,
    ActionErase,
    ActionUnsubscribe,
    ValidateContactForm,
)
from actions.delivery import ActionItemDamaged, ActionOrderLate, ActionOrderLost, ActionTicketOpen
from actions.order_changes import (
    ActionAddressChange,
    ActionCancelConfirmed,
    ActionCancelOrder,
    ActionChangeAddress,
    ActionChangeOrder,
    ValidateAddressForm,
    ValidateCancelForm,
    parse_address,
)
from actions.payments import ActionInvoice
from actions.returns import ActionReturnFile, ActionStartReturn, ValidateReturnForm
from bot.core.shop import OrderState
from connectors.demo import cast
from tests.unit.actions.talk import TOM, Talk


async def state(talk: Talk, number: str) -> OrderState:
    order = await talk.context.pos.order(number)
    assert order is not None
    return order.state


async def test_cancelling_needs_a_yes(maya: Talk) -> None:
    asked = await maya.say(ActionCancelOrder(), "cancel_order", order_number="fd104234")
    assert asked.next == "cancel_form"
    assert await state(maya, cast.CANCELLABLE) is OrderState.PAID
    maya.slots["cancel_confirmed"] = False
    kept = await maya.say(ActionCancelConfirmed(), "deny")
    assert kept.said == ["utter_cancel_kept"]
    assert await state(maya, cast.CANCELLABLE) is OrderState.PAID
    await maya.say(ActionCancelOrder(), "cancel_order")
    maya.slots["cancel_confirmed"] = True
    done = await maya.say(ActionCancelConfirmed(), "affirm")
    assert done.said == ["utter_cancel_done"]
    assert await state(maya, cast.CANCELLABLE) is OrderState.CANCELLED
    assert maya.slots["cancel_confirmed"] is None


async def test_a_message_that_runs_twice_cancels_once(maya: Talk) -> None:
    for _ in range(2):
        maya.slots |= {"subject_order": cast.CANCELLABLE, "cancel_confirmed": True}
        reply = await maya.say(ActionCancelConfirmed(), "affirm", key="m-7")
        assert reply.said == ["utter_cancel_done"]
    maya.slots |= {"subject_order": cast.CANCELLABLE, "cancel_confirmed": True}
    again = await maya.say(ActionCancelConfirmed(), "affirm", key="m-8")
    assert again.said == ["utter_refused_already_cancelled"]


async def test_a_message_that_runs_twice_opens_one_ticket(maya: Talk) -> None:
    tickets = []
    for key in ("m-1", "m-1", "m-2"):
        maya.slots |= {
            "subject_order": cast.RETURNABLE,
            "ticket_details": "the lining is torn",
            "ticket_kind": "damaged_item",
        }
        reply = await maya.say(ActionTicketOpen(), key=key)
        tickets.append(reply.facts("utter_ticket_damaged_item")["ticket"])
    assert tickets[0] == tickets[1] != tickets[2]


async def test_a_message_that_runs_twice_starts_one_return(maya: Talk) -> None:
    numbers = []
    for _ in range(2):
        maya.slots |= {"subject_order": cast.RETURNABLE, "return_reason": "too small"}
        reply = await maya.say(ActionReturnFile(), key="m-3")
        numbers.append(reply.facts("utter_return_started")["number"])
    assert numbers[0] == numbers[1]
    assert len(await maya.context.pos.returns_of(cast.RETURNABLE)) == 1


REFUSED: list[tuple[type[Action], dict[str, object], str, str]] = [
    (ActionCancelConfirmed, {"cancel_confirmed": True}, cast.IN_TRANSIT, "already_shipped"),
    (ActionReturnFile, {"return_reason": "no"}, cast.IN_TRANSIT, "not_delivered"),
    (ActionReturnFile, {"return_reason": "no"}, cast.TOO_OLD_TO_RETURN, "window_over"),
    (ActionReturnFile, {"return_reason": "no"}, cast.REFUNDED, "already_returned"),
    (
        ActionAddressChange,
        {"new_address": "1 High Street, Leeds, LS1 4AP"},
        cast.READY_FOR_COLLECTION,
        "collect",
    ),
]


@pytest.mark.parametrize(("action", "slots", "number", "code"), REFUSED)
async def test_a_refusal_is_explained_and_names_the_order(
    maya: Talk, action: type[Action], slots: dict[str, object], number: str, code: str
) -> None:
    maya.slots |= {**slots, "subject_order": number}
    reply = await maya.say(action(), "inform")
    assert reply.said == [f"utter_refused_{code}"]
    assert reply.facts(f"utter_refused_{code}")["order"] == number
    assert reply.handoff is None


async def test_what_cannot_be_cancelled_is_not_asked_about(maya: Talk) -> None:
    reply = await maya.say(ActionCancelOrder(), "cancel_order", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_refused_already_shipped"]
    assert reply.next is None


async def test_a_packed_order_is_too_late(stranger: Talk) -> None:
    stranger.slots |= TOM
    reply = await stranger.say(ActionCancelOrder(), "cancel_order", order_number=cast.PACKED)
    assert reply.said == ["utter_refused_already_shipped"]


async def test_a_refused_change_ends_the_form_it_would_have_started_anew(maya: Talk) -> None:
    await maya.say(ActionCancelOrder(), "cancel_order", order_number=cast.CANCELLABLE)
    maya.form = "cancel_form"
    reply = await maya.say(ActionCancelOrder(), "cancel_order", order_number=cast.IN_TRANSIT)
    assert reply.said == ["utter_refused_already_shipped"]
    assert reply.left_form


async def test_another_order_named_in_passing_is_not_cancelled(maya: Talk) -> None:
    await maya.say(ActionCancelOrder(), "cancel_order", order_number=cast.CANCELLABLE)
    maya.slots |= {"order_number": cast.RETURNABLE, "cancel_confirmed": True}
    reply = await maya.say(ActionCancelConfirmed(), "affirm")
    assert reply.facts("utter_cancel_done")["order"] == cast.CANCELLABLE


async def test_no_with_a_number_means_another_order(maya: Talk) -> None:
    maya.form = "cancel_form"
    maya.slots["subject_order"] = cast.CANCELLABLE
    reply = await maya.say(
        ValidateCancelForm(), "deny", fill={"cancel_confirmed": False}, order_number="fd 104235"
    )
    assert reply.slots["cancel_confirmed"] is None
    assert reply.slots["subject_order"] == cast.RETURNABLE


async def test_a_new_address_reaches_the_order(maya: Talk) -> None:
    asked = await maya.say(ActionChangeAddress(), "change_address", order_number=cast.CANCELLABLE)
    assert asked.next == "address_form"
    maya.form = "address_form"
    vague = await maya.say(ValidateAddressForm(), fill={"new_address": "my mum's"})
    assert vague.said == ["utter_address_unclear"]
    whole = "12 Elm Street, Headingley, Leeds, ls6 3hn"
    await maya.say(ValidateAddressForm(), fill={"new_address": whole})
    maya.form = None
    reply = await maya.say(ActionAddressChange())
    assert reply.facts("utter_address_changed")["place"] == (
        "12 Elm Street, Headingley, Leeds, LS6 3HN"
    )
    order = await maya.context.pos.order(cast.CANCELLABLE)
    assert order is not None
    assert order.address.postcode == "LS6 3HN"


@pytest.mark.parametrize("text", ["", "LS1 4AP", "12 Elm Street LS1 4AP", "Leeds", "12, LS1 4AP"])
def test_half_an_address_is_none(text: str) -> None:
    assert parse_address(text) is None


async def test_a_return_that_runs_is_not_started_twice(stranger: Talk) -> None:
    stranger.slots |= TOM
    number = cast.RETURN_REQUESTED
    reply = await stranger.say(ActionStartReturn(), "start_return", order_number=number)
    assert reply.said == ["utter_return_requested"]
    assert reply.titles() == ["Print the label"]


async def test_a_reason_is_taken_and_a_corrected_number_is_not(maya: Talk) -> None:
    maya.form = "return_form"
    maya.slots["subject_order"] = cast.RETURNABLE
    text = "sorry, I meant FD-104239"
    corrected = await maya.say(
        ValidateReturnForm(), text=text, fill={"return_reason": text}, order_number=cast.REFUNDED
    )
    assert corrected.slots["return_reason"] is None
    assert corrected.slots["subject_order"] == cast.REFUNDED
    taken = await maya.say(ValidateReturnForm(), fill={"return_reason": "too small"})
    assert taken.slots["return_reason"] == "too small"


async def test_a_lost_parcel_becomes_a_ticket_and_one_in_time_does_not(stranger: Talk) -> None:
    stranger.slots |= TOM
    lost = await stranger.say(ActionOrderLost(), "order_lost", order_number=cast.LOST)
    assert lost.said == ["utter_lost_ticket"]
    coming = await stranger.say(ActionOrderLost(), "order_lost", order_number=cast.SOMEBODY_ELSES)
    assert coming.said == ["utter_lost_not_yet"]


async def test_yes_after_a_late_order_means_look_into_it(maya: Talk) -> None:
    reply = await maya.say(ActionOrderLate(), "order_late", order_number=cast.LATE)
    assert reply.said == ["utter_order_overdue", "utter_late_offer"]
    assert reply.slots["offer"] == "action_order_lost"


async def test_what_has_not_come_cannot_be_damaged(maya: Talk) -> None:
    number = cast.CANCELLABLE
    reply = await maya.say(ActionItemDamaged(), "item_damaged", order_number=number)
    assert reply.said == ["utter_refused_not_delivered"]


async def test_an_order_cannot_be_changed_but_cancelled(maya: Talk) -> None:
    reply = await maya.say(ActionChangeOrder(), "change_order", order_number=cast.CANCELLABLE)
    assert reply.said == ["utter_change_order_open"]
    assert reply.slots["offer"] == "action_cancel_order"
    late = await maya.say(ActionChangeOrder(), "change_order", order_number=cast.IN_TRANSIT)
    assert late.said == ["utter_change_order_packed"]


async def test_an_invoice_is_a_ticket(maya: Talk) -> None:
    reply = await maya.say(ActionInvoice(), "invoice", order_number=cast.RETURNABLE)
    assert reply.facts("utter_invoice")["ticket"].startswith("T-")


async def test_contact_details_change(maya: Talk) -> None:
    assert (await maya.say(ActionChangeDetails(), "change_details")).next == "contact_form"
    maya.form = "contact_form"
    bad = await maya.say(ValidateContactForm(), fill={"new_contact": "maya@nowhere"})
    assert bad.said == ["utter_contact_unclear"]
    await maya.say(ValidateContactForm(), fill={"new_contact": "07700 900999"})
    maya.form = None
    assert (await maya.say(ActionDetailsChange())).said == ["utter_details_changed"]
    customer = await maya.context.crm.customer(cast.MAYA.id)
    assert customer is not None
    assert (customer.phone, customer.email) == ("+447700900999", cast.MAYA.email)


async def test_somebody_elses_address_cannot_be_taken(maya: Talk) -> None:
    maya.slots["new_contact"] = cast.TOM.email
    assert (await maya.say(ActionDetailsChange())).said == ["utter_refused_taken"]
    assert maya.slots["new_contact"] is None


async def test_unsubscribing_is_done_at_once(maya: Talk) -> None:
    assert (await maya.say(ActionUnsubscribe(), "unsubscribe")).said == ["utter_unsubscribed"]
    customer = await maya.context.crm.customer(cast.MAYA.id)
    assert customer is not None
    assert not customer.marketing_consent


async def test_erasing_needs_a_yes(maya: Talk) -> None:
    assert (await maya.say(ActionDeleteData(), "delete_data")).next == "erase_form"
    maya.slots["erase_confirmed"] = False
    assert (await maya.say(ActionErase(), "deny")).said == ["utter_erasure_kept"]
    maya.slots["erase_confirmed"] = True
    assert (await maya.say(ActionErase(), "affirm")).said == ["utter_erasure_filed"]


@pytest.mark.parametrize(
    "action",
    [ActionCancelConfirmed, ActionAddressChange, ActionReturnFile, ActionTicketOpen,
     ActionDetailsChange, ActionErase],
)  # fmt: skip
async def test_a_form_that_ended_unfinished_changes_nothing(
    maya: Talk, action: type[Action]
) -> None:
    reply = await maya.say(action(), "nevermind")
    assert reply.said == []
    assert reply.next == "action_listen"

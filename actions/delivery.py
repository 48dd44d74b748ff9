"""What can go wrong with a delivery: late, lost, damaged, the wrong thing, something missing."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction, wait
from actions.formatting import day, local_date
from actions.forms import ShopForm, Values
from actions.orders import (
    ON_THE_WAY,
    WITH_CUSTOMER,
    about,
    another_order,
    newest_shipment,
    own_order,
    tell_status,
    the_order,
    tracking,
)
from actions.turn import Event, Turn, button, forget
from bot.core.identity import Identity
from bot.core.shop import Order, OrderState, Shipment

CORRECTION_WORDS = 5
SUMMARY_LIMIT = 500  # characters; what a ticket's first line can hold


def overdue(parcel: Shipment | None, today: date) -> bool:
    """Whether the courier's own date has passed, or the courier has given up."""
    if parcel is None:
        return False
    if parcel.state == "lost":
        return True
    late = parcel.expected_on is not None and parcel.expected_on < today
    return late and parcel.delivered_at is None


class ActionOrderLate(ShopAction):
    """My order is late."""

    action_name = "action_order_late"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, ON_THE_WAY)
        if not isinstance(order, Order):
            return order
        tell_status(turn, order)
        named = SlotSet("order_number", order.number)
        today = local_date(turn.context.now, turn.context.timezone)
        parcel = newest_shipment(order)
        if order.state is OrderState.SHIPPED and overdue(parcel, today):
            choice = button("Look into it", "order_lost", order_number=order.number)
            turn.say("utter_late_offer", [choice])
            return [named, turn.offer("action_order_lost")]
        return [named]


class ActionOrderLost(ShopAction):
    """It never came: opens a ticket, unless the parcel is still in time."""

    action_name = "action_order_lost"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        likely = (OrderState.SHIPPED, OrderState.DELIVERED)
        order = await the_order(turn, self.action_name, likely)
        if not isinstance(order, Order):
            return order
        named = SlotSet("order_number", order.number)
        parcel = newest_shipment(order)
        if order.state not in likely or parcel is None:
            tell_status(turn, order)
            return [named]
        today = local_date(turn.context.now, turn.context.timezone)
        if order.state is OrderState.SHIPPED and not overdue(parcel, today):
            expected = day(parcel.expected_on, today) if parcel.expected_on else "soon"
            turn.say("utter_lost_not_yet", tracking(order), order=order.number, expected=expected)
            return [named]
        summary = f"Parcel not received: {parcel.carrier} {parcel.tracking_number}, {parcel.state}"
        ticket = await open_ticket(turn, "lost_parcel", summary, order)
        turn.say("utter_lost_ticket", order=order.number, ticket=ticket)
        return [named]


async def open_ticket(turn: Turn, kind: str, summary: str, order: Order) -> str:
    """A ticket for the team; the same message never opens two."""
    return await turn.crm.open_ticket(
        key=turn.context.key_for(f"ticket_{kind}"),
        kind=kind,
        summary=summary[:SUMMARY_LIMIT],
        customer_id=turn.customer_id,
        order_number=order.number,
    )


class ActionItemDamaged(ShopAction):
    """It came broken or faulty: asks what is wrong, for a ticket."""

    action_name = "action_item_damaged"
    identity = Identity.CONFIRMED
    starts = "ticket_form"
    kind: ClassVar[str] = "damaged_item"

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, WITH_CUSTOMER)
        if not isinstance(order, Order):
            return order
        if order.state in (OrderState.PLACED, OrderState.PAID, OrderState.PACKED):
            turn.say("utter_refused_not_delivered", order=order.number)
            return [SlotSet("order_number", order.number)]
        return turn.ask(
            "ticket_form",
            *about(order),
            SlotSet("ticket_kind", self.kind),
            *forget("ticket_details"),
        )


class ActionWrongItem(ActionItemDamaged):
    """Something else came."""

    action_name = "action_wrong_item"
    kind = "wrong_item"


class ActionMissingItem(ActionItemDamaged):
    """Something did not come along."""

    action_name = "action_missing_item"
    kind = "missing_item"


class ValidateTicketForm(ShopForm):
    """What is wrong, in the customer's words."""

    form: ClassVar[str] = "ticket_form"

    async def validate_ticket_details(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        words = str(value or "").split()
        instead = another_order(turn)
        if instead:
            # "sorry, I meant FD-104234" is no description; a longer message is one.
            details = str(value) if len(words) > CORRECTION_WORDS else None
            return self.accept(ticket_details=details, subject_order=instead)
        if not words:
            return self.ask_again(turn, "ticket_details", "utter_ticket_details_unclear")
        return self.accept(ticket_details=str(value))


class ActionTicketOpen(ShopAction):
    """Opens the ticket that the form was about."""

    action_name = "action_ticket_open"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        details, kind = turn.slot("ticket_details"), turn.slot("ticket_kind")
        if details is None or kind is None:
            return wait()
        order = await own_order(turn)
        if order is not None:
            ticket = await open_ticket(turn, kind, details, order)
            turn.say(f"utter_ticket_{kind}", order=order.number, ticket=ticket)
        return forget("ticket_details", "ticket_kind", "subject_order")

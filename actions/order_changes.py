"""Changing an order before it is packed: cancelling it, sending it elsewhere, what is in it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction, wait
from actions.formatting import address
from actions.forms import ShopForm, Values
from actions.orders import NOT_PACKED, about, another_order, own_order, the_order
from actions.turn import Event, Turn, button, forget
from bot.core.errors import RefusedError
from bot.core.identity import Identity
from bot.core.shop import Order, OrderState, PostalAddress

_POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b", re.IGNORECASE)


def refuse_packed(order: Order) -> None:
    """Raises RefusedError when the order has left the stage in which it can be changed."""
    if order.state is OrderState.CANCELLED:
        raise RefusedError("already_cancelled")
    if order.state not in NOT_PACKED:
        raise RefusedError("already_shipped")


class ActionCancelOrder(ShopAction):
    """Cancel my order: asks for a yes before anything happens."""

    action_name = "action_cancel_order"
    identity = Identity.CONFIRMED
    starts = "cancel_form"

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, NOT_PACKED)
        if not isinstance(order, Order):
            return order
        refuse_packed(order)
        return turn.ask("cancel_form", *about(order), *forget("cancel_confirmed"))


class ValidateCancelForm(ShopForm):
    """Yes or no; "no, FD-104234" is neither, but another order."""

    form: ClassVar[str] = "cancel_form"

    async def validate_cancel_confirmed(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        instead = another_order(turn)
        if value is False and instead:
            return self.accept(cancel_confirmed=None, subject_order=instead)
        return self.accept(cancel_confirmed=value)


class ActionCancelConfirmed(ShopAction):
    """Cancels, when the customer said yes."""

    action_name = "action_cancel_confirmed"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        confirmed = turn.tracker.slots.get("cancel_confirmed")
        if confirmed is None:
            return wait()
        done = forget("cancel_confirmed", "subject_order")
        if not confirmed:
            turn.say("utter_cancel_kept", order=turn.slot("subject_order") or "")
            return done
        order = await own_order(turn)
        if order is not None:
            await turn.pos.cancel_order(order.number, key=turn.context.key_for("cancel_order"))
            turn.say("utter_cancel_done", order=order.number)
        return done


class ActionChangeOrder(ShopAction):
    """Another size, one more, one less: cannot be done, but there is always a way."""

    action_name = "action_change_order"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, NOT_PACKED)
        if not isinstance(order, Order):
            return order
        named = SlotSet("order_number", order.number)
        if order.state in NOT_PACKED:
            choice = button("Cancel the order", "cancel_order", order_number=order.number)
            turn.say("utter_change_order_open", [choice], order=order.number)
            return [named, turn.offer("action_cancel_order")]
        turn.say("utter_change_order_packed", order=order.number)
        return [named]


def parse_address(text: str) -> PostalAddress | None:
    """A British address in one line or several; None when street, town or postcode is missing."""
    found = _POSTCODE.search(text)
    if found is None:
        return None
    rest = text[: found.start()] + "," + text[found.end() :]
    parts = [part.strip(" .") for part in re.split(r"[,\n]", rest)]
    parts = [part for part in parts if part and part.casefold() not in ("uk", "united kingdom")]
    if len(parts) < 2 or not any(character.isalpha() for character in parts[0]):
        return None
    postcode = f"{found[1]} {found[2]}".upper()
    line2 = ", ".join(parts[1:-1])
    return PostalAddress(parts[0], line2, parts[-1], postcode, "GB")


class ActionChangeAddress(ShopAction):
    """Send it somewhere else: asks where to."""

    action_name = "action_change_address"
    identity = Identity.CONFIRMED
    starts = "address_form"

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, NOT_PACKED)
        if not isinstance(order, Order):
            return order
        if order.delivery == "collect":
            raise RefusedError("collect")
        refuse_packed(order)
        return turn.ask("address_form", *about(order), *forget("new_address"))


class ValidateAddressForm(ShopForm):
    """A whole address, with its postcode."""

    form: ClassVar[str] = "address_form"

    async def validate_new_address(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        instead = another_order(turn)
        if instead and parse_address(str(value)) is None:
            return self.accept(new_address=None, subject_order=instead)  # asks again, naming it
        if parse_address(str(value)) is None:
            return self.ask_again(turn, "new_address", "utter_address_unclear")
        return self.accept(new_address=str(value))


class ActionAddressChange(ShopAction):
    """Sends the order to the new address."""

    action_name = "action_address_change"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        wanted = parse_address(turn.slot("new_address") or "")
        if wanted is None:
            return wait()
        order = await own_order(turn)
        if order is not None:
            key = turn.context.key_for("change_address")
            changed = await turn.pos.change_order_address(order.number, wanted, key=key)
            turn.say("utter_address_changed", order=order.number, place=address(changed.address))
        return forget("new_address", "subject_order")

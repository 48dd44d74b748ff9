"""Finding out who is writing: an order number with the e-mail or phone that belongs to it."""

from __future__ import annotations

import hmac
from typing import Any, ClassVar

import phonenumbers
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction, wait
from actions.forms import GiveUpError, ShopForm, Values
from actions.turn import Event, Turn, forget
from bot.core.identity import Identity
from bot.core.shop import Customer
from bot.core.shop_numbers import order_number

VERIFICATIONS_ALLOWED = 3


def phone_number(text: str) -> str | None:
    """E.164 from what a British customer types; None when it cannot be a phone number."""
    try:
        parsed = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.casefold().encode(), right.casefold().encode())


def belongs_to(contact: str, customer: Customer) -> bool:
    """Whether an e-mail address or phone number is this customer's."""
    if "@" in contact:
        return bool(customer.email) and _same(contact.strip(), customer.email)
    phone = phone_number(contact)
    return bool(phone and customer.phone) and _same(phone or "", customer.phone)


class ValidateVerifyForm(ShopForm):
    """Asks for order number and contact, and checks that they belong together.

    An unknown order number and somebody else's get the same answer.
    """

    form: ClassVar[str] = "verify_form"

    async def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        number = order_number(str(value or ""))
        if number is None:
            return self.ask_again(turn, "order_number", "utter_order_number_unclear")
        contact = tracker.slots.get("contact")
        return (
            await self._check(turn, number, str(contact)) if contact else {"order_number": number}
        )

    async def validate_contact(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        if turn.slot("contact") is None:  # came with an order number that it does not belong to
            return {"contact": None}
        contact = str(value or "").strip()
        if not contact or ("@" not in contact and phone_number(contact) is None):
            return self.ask_again(turn, "contact", "utter_contact_unclear")
        number = order_number(turn.slot("order_number") or "")
        return await self._check(turn, number, contact) if number else {"contact": contact}

    async def _check(self, turn: Turn, number: str, contact: str) -> Values:
        if turn.identity.may_hear_personal_data:  # both slots came in one message
            return {}
        order = await turn.pos.order(number)
        customer = await turn.crm.customer(order.customer_id) if order else None
        if order and customer and belongs_to(contact, customer):
            return self.accept(
                order_number=order.number,
                contact=contact,
                identity=Identity.CONFIRMED.name.lower(),
                customer_id=customer.id,
                verify_attempts=0,
            )
        return self._mismatch(turn, number)

    def _mismatch(self, turn: Turn, number: str) -> Values:
        attempts = turn.count("verify_attempts") + 1
        if attempts >= VERIFICATIONS_ALLOWED:
            raise GiveUpError(
                "utter_verify_gave_up", form=self.form, attempts=attempts, order_number=number
            )
        turn.say("utter_verify_failed")
        return {"order_number": None, "contact": None, "verify_attempts": attempts}


class ActionContinue(ShopAction):
    """Goes on with what the customer asked for before something had to be asked back."""

    action_name = "action_continue"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        pending = turn.slot("pending_action")
        events = forget("contact", "pending_action")
        if pending is None:
            return events + wait()
        return [*events, SlotSet("form_misses", 0), *turn.go_on_with(pending)]

"""What the shop keeps about a customer: changing it, the newsletter, and erasing it."""

from __future__ import annotations

from typing import Any, ClassVar

from email_validator import EmailNotValidError, validate_email
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction, wait
from actions.forms import ShopForm, Values
from actions.turn import Event, Turn, forget
from actions.verification import phone_number
from bot.core.identity import Identity


class ActionChangeDetails(ShopAction):
    """My e-mail address or phone number has changed: asks for the new one."""

    action_name = "action_change_details"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        return turn.ask("contact_form", *forget("new_contact"))


class ValidateContactForm(ShopForm):
    """The new e-mail address or phone number."""

    form: ClassVar[str] = "contact_form"

    async def validate_new_contact(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        contact = str(value or "").strip()
        if "@" in contact:
            try:
                email = validate_email(contact, check_deliverability=False).normalized
            except EmailNotValidError:
                return self.ask_again(turn, "new_contact", "utter_contact_unclear")
            return self.accept(new_contact=email, contact=None)
        phone = phone_number(contact)
        if phone is None:
            return self.ask_again(turn, "new_contact", "utter_contact_unclear")
        return self.accept(new_contact=phone, contact=None)


class ActionDetailsChange(ShopAction):
    """Puts the new one on the account."""

    action_name = "action_details_change"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        contact = turn.slot("new_contact")
        if contact is None:
            return wait()
        email = contact if "@" in contact else None
        phone = None if email else contact
        key = turn.context.key_for("change_contact")
        await turn.crm.change_contact(turn.customer_id or "", key=key, email=email, phone=phone)
        turn.say("utter_details_changed", contact=contact)
        return forget("new_contact")

    def refused(self, turn: Turn, code: str) -> list[Event]:
        super().refused(turn, code)
        return forget("new_contact")


class ActionUnsubscribe(ShopAction):
    """No more newsletters."""

    action_name = "action_unsubscribe"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        customer = turn.customer_id or ""
        key = turn.context.key_for("unsubscribe")
        await turn.crm.set_marketing_consent(customer, False, key=key)
        turn.say("utter_unsubscribed")
        return []


class ActionDeleteData(ShopAction):
    """Delete what you have about me: asks for a yes before anything happens."""

    action_name = "action_delete_data"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        return turn.ask("erase_form", *forget("erase_confirmed"))


class ValidateEraseForm(ShopForm):
    """Yes or no."""

    form: ClassVar[str] = "erase_form"

    async def validate_erase_confirmed(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        return self.accept(erase_confirmed=value)


class ActionErase(ShopAction):
    """Files the request, when the customer said yes."""

    action_name = "action_erase"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        confirmed = turn.tracker.slots.get("erase_confirmed")
        if confirmed is None:
            return wait()
        if confirmed:
            key = turn.context.key_for("erase")
            number = await turn.crm.request_erasure(turn.customer_id or "", key=key)
            turn.say("utter_erasure_filed", number=number)
        else:
            turn.say("utter_erasure_kept")
        return forget("erase_confirmed")

"""Sending something back, where the refund is, and how long things are guaranteed."""

from __future__ import annotations

from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import TALK_TO_A_PERSON, ShopAction, wait
from actions.catalogue import matching
from actions.formatting import day, local_date, money
from actions.forms import ShopForm, Values
from actions.orders import WITH_CUSTOMER, about, another_order, own_order, the_order
from actions.turn import Event, Turn, button, forget, link
from bot.core.errors import RefusedError
from bot.core.identity import Identity
from bot.core.shop import Order, OrderState, Return, ReturnState


class ActionStartReturn(ShopAction):
    """I want to send something back: asks why."""

    action_name = "action_start_return"
    identity = Identity.CONFIRMED
    starts = "return_form"

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, WITH_CUSTOMER)
        if not isinstance(order, Order):
            return order
        named = SlotSet("order_number", order.number)
        running = [
            r
            for r in await turn.pos.returns_of(order.number)
            if r.state is not ReturnState.REJECTED
        ]
        if running:
            tell_return(turn, running[0])
            return [named]
        if order.state not in WITH_CUSTOMER:
            turn.say("utter_refused_not_delivered", order=order.number)
            return [named]
        return turn.ask("return_form", *about(order), *forget("return_reason"))


class ValidateReturnForm(ShopForm):
    """Why it goes back: a button, or a few words."""

    form: ClassVar[str] = "return_form"

    async def validate_return_reason(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        instead = another_order(turn)
        if instead:  # "no, FD-104234": asks again, naming it
            return self.accept(return_reason=None, subject_order=instead)
        if not str(value or "").strip():
            return self.ask_again(turn, "return_reason", "utter_return_reason_unclear")
        return self.accept(return_reason=str(value))


class ActionReturnFile(ShopAction):
    """Files the return."""

    action_name = "action_return_file"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        reason = turn.slot("return_reason")
        if reason is None:
            return wait()
        order = await own_order(turn)
        if order is not None:
            started = await turn.pos.start_return(
                order.number, reason=reason, key=turn.context.key_for("start_return")
            )
            turn.say(
                "utter_return_started",
                label(started),
                order=order.number,
                number=started.number,
                refund=money(started.refund, order.currency),
            )
        return forget("return_reason", "subject_order")

    def refused(self, turn: Turn, code: str) -> list[Event]:
        super().refused(turn, code)
        return forget("return_reason", "subject_order")


def label(back: Return) -> list[dict[str, str]]:
    """A link to the parcel label, where there is one."""
    return [link("Print the label", back.label_url)] if back.label_url else []


def tell_return(turn: Turn, back: Return) -> None:
    """Says where a return is."""
    context = turn.context
    facts: dict[str, Any] = {
        "number": back.number,
        "order": back.order_number,
        "refund": money(back.refund),
    }
    buttons = label(back) if back.state is ReturnState.REQUESTED else []
    if back.state is ReturnState.REFUNDED and back.refunded_at is not None:
        today = local_date(context.now, context.timezone)
        facts["paid"] = day(local_date(back.refunded_at, context.timezone), today)
    if back.state is ReturnState.REJECTED:
        buttons = [TALK_TO_A_PERSON]
    turn.say(f"utter_return_{back.state.value}", buttons, **facts)


class ActionRefundStatus(ShopAction):
    """Where is my refund?"""

    action_name = "action_refund_status"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        orders = await self._orders(turn)
        backs = [back for order in orders for back in await turn.pos.returns_of(order.number)]
        if backs:
            newest = max(backs, key=lambda back: back.requested_at)
            tell_return(turn, newest)
            return [SlotSet("order_number", newest.order_number)]
        cancelled = [order for order in orders if order.state is OrderState.CANCELLED]
        if cancelled:
            turn.say("utter_refund_cancelled", order=cancelled[0].number)
            return []
        choice = button("Return something", "start_return")
        turn.say("utter_no_return", [choice])
        return []

    async def _orders(self, turn: Turn) -> list[Order]:
        """The order that was named in this message, else the customer's latest ones."""
        if turn.entity("order_number") is None:
            return await turn.pos.orders_of(turn.customer_id or "")
        order = await turn.pos.order(turn.entity("order_number") or "")
        if order is None or order.customer_id != turn.customer_id:
            raise RefusedError("not_found")
        return [order]


class ActionWarranty(ShopAction):
    """Is it under guarantee?"""

    action_name = "action_warranty"

    async def answer(self, turn: Turn) -> list[Event]:
        report = [button("Report a fault", "item_damaged")]
        named = turn.entity("sku") or turn.entity("product")
        found = await matching(turn, named) if named else []
        if len(found) == 1 and found[0].warranty_months:
            turn.say(
                "utter_warranty_product",
                report,
                name=found[0].name,
                months=found[0].warranty_months,
            )
        else:
            turn.say("utter_warranty", report)
        return []

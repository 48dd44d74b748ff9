"""Where an order is, which orders there are, cancelling and changing one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rasa_sdk.events import SlotSet

from actions.base import ShopAction
from actions.formatting import day, items, local_date, money, order_title
from actions.turn import Event, Turn, button, link
from bot.core.identity import Identity
from bot.core.shop import Order, OrderState, Shipment
from bot.core.shop_numbers import order_number

# Until somebody packs it, an order can be cancelled and sent elsewhere.
NOT_PACKED = frozenset({OrderState.PLACED, OrderState.PAID})
ON_THE_WAY = frozenset(
    {*NOT_PACKED, OrderState.PACKED, OrderState.SHIPPED, OrderState.READY_FOR_COLLECTION}
)
WITH_CUSTOMER = frozenset({OrderState.DELIVERED, OrderState.COLLECTED})
CHOICES = 3  # what fits on the buttons of every channel


async def the_order(turn: Turn, action: str, likely: Collection[OrderState]) -> Order | list[Event]:
    """The order that the customer means.

    Args:
        turn: Of a customer who may hear personal data.
        action: What goes on when the customer has named one.
        likely: States that the question fits; when no number was given, an order in one of them
            is preferred.

    Returns:
        The order; or, when the customer has been asked or told something instead, the events to
        return. An order of somebody else is answered exactly like one that does not exist.
    """
    given = turn.slot("order_number")
    if given:
        order = await turn.pos.order(given)
        if order is not None and order.customer_id == turn.customer_id:
            turn.subject = order.number
            return order
        turn.say("utter_order_not_found", order=turn.order_number)
        return [SlotSet("order_number", None), SlotSet("pending_action", action)]
    orders = await turn.pos.orders_of(turn.customer_id or "")
    fitting = [order for order in orders if order.state in likely]
    if not orders:
        turn.say("utter_no_orders")
        return []
    if len(fitting) > 1:
        turn.say("utter_which_order", order_buttons(turn, fitting))
        return [SlotSet("pending_action", action)]
    chosen = fitting[0] if fitting else orders[0]
    turn.subject = chosen.number
    return chosen


async def own_order(turn: Turn) -> Order | None:
    """The order that a form was about, checked again before anything is done with it.

    The customer may have named another one since it was looked at; when that one is not theirs,
    they are told what they would be told of an unknown one.
    """
    given = turn.slot("subject_order") or ""
    order = await turn.pos.order(given)
    if order is not None and order.customer_id == turn.customer_id:
        turn.subject = order.number
        return order
    turn.say("utter_order_not_found", order=given)
    return None


def about(order: Order) -> list[Event]:
    """What a form about this order remembers, whatever other orders are named meanwhile."""
    return [SlotSet("order_number", order.number), SlotSet("subject_order", order.number)]


def another_order(turn: Turn) -> str | None:
    """The order that the customer names instead of the one that the form is about, if any."""
    said = turn.entity("order_number")
    number = order_number(said) if said else None
    return number if number != turn.slot("subject_order") else None


def order_buttons(turn: Turn, orders: list[Order]) -> list[dict[str, str]]:
    """One choice per order, newest first; pressing one gives its number."""
    context = turn.context
    today = local_date(context.now, context.timezone)
    return [
        button(order_title(order, today, context.timezone), "inform", order_number=order.number)
        for order in orders[:CHOICES]
    ]


def tracking(order: Order) -> list[dict[str, str]]:
    """A link to each parcel that is on its way."""
    return [
        link(f"Track with {parcel.carrier}"[:20], parcel.tracking_url)
        for parcel in order.shipments
        if parcel.tracking_url and parcel.delivered_at is None
    ]


def newest_shipment(order: Order) -> Shipment | None:
    return order.shipments[-1] if order.shipments else None


class ActionOrderStatus(ShopAction):
    """Where is my order?"""

    action_name = "action_order_status"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, ON_THE_WAY)
        if not isinstance(order, Order):
            return order
        tell_status(turn, order)
        return [SlotSet("order_number", order.number)]


def tell_status(turn: Turn, order: Order) -> None:
    """Says where the order is, with dates and tracking where there are any."""
    context = turn.context
    today = local_date(context.now, context.timezone)
    facts: dict[str, Any] = {"order": order.number, "items": items(order.lines)}
    parcel = newest_shipment(order)
    response = f"utter_order_{order.state.value}"
    if order.state is OrderState.SHIPPED and parcel is not None:
        facts["carrier"] = parcel.carrier
        if parcel.state == "lost":
            response = "utter_order_parcel_lost"
        elif parcel.state == "out_for_delivery":
            response = "utter_order_out_for_delivery"
        elif parcel.expected_on is not None:
            late = parcel.expected_on < today
            response = "utter_order_overdue" if late else "utter_order_shipped_expected"
            facts["expected"] = day(parcel.expected_on, today)
    elif order.state is OrderState.DELIVERED and parcel is not None and parcel.delivered_at:
        response = "utter_order_delivered_on"
        facts["delivered"] = day(local_date(parcel.delivered_at, context.timezone), today)
    turn.say(response, tracking(order), **facts)


class ActionListOrders(ShopAction):
    """Which orders do I have?"""

    action_name = "action_list_orders"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        orders = await turn.pos.orders_of(turn.customer_id or "")
        if not orders:
            turn.say("utter_no_orders")
            return []
        context = turn.context
        today = local_date(context.now, context.timezone)
        lines = [
            f"• {order.number}, {day(local_date(order.placed_at, context.timezone), today)}: "
            f"{items(order.lines, 2)}, {money(order.total, order.currency)}, "
            f"{order.state.value.replace('_', ' ')}"
            for order in orders
        ]
        turn.say("utter_orders", order_buttons(turn, orders), orders="\n".join(lines))
        return [SlotSet("pending_action", "action_order_status")]

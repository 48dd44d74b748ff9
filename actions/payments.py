"""Invoices and receipts."""

from __future__ import annotations

from rasa_sdk.events import SlotSet

from actions.base import ShopAction
from actions.delivery import open_ticket
from actions.formatting import day, items, local_date, money
from actions.orders import ON_THE_WAY, WITH_CUSTOMER, the_order
from actions.turn import Event, Turn, link
from bot.core.identity import Identity
from bot.core.shop import Order

RECEIPTS_SHOWN = 3


class ActionInvoice(ShopAction):
    """I need an invoice: accounts send it to the customer's e-mail address."""

    action_name = "action_invoice"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        order = await the_order(turn, self.action_name, ON_THE_WAY | WITH_CUSTOMER)
        if not isinstance(order, Order):
            return order
        ticket = await open_ticket(turn, "invoice", "VAT invoice by e-mail", order)
        turn.say("utter_invoice", order=order.number, ticket=ticket)
        return [SlotSet("order_number", order.number)]


class ActionFindReceipt(ShopAction):
    """I lost my receipt from the shop."""

    action_name = "action_find_receipt"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        receipts = await turn.pos.receipts_of(turn.customer_id or "", RECEIPTS_SHOWN)
        if not receipts:
            turn.say("utter_no_receipts")
            return []
        context = turn.context
        today = local_date(context.now, context.timezone)
        lines = [
            f"• {r.number}, {day(local_date(r.bought_at, context.timezone), today)}: "
            f"{items(r.lines, 2)}, {money(r.total)}"
            for r in receipts
        ]
        links = [link(r.number, r.url) for r in receipts if r.url]
        turn.say("utter_receipts", links, receipts="\n".join(lines))
        return []

"""When the bot is not sure: ask once, then hand over."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import SlotSet

from actions.base import ShopAction, wait
from actions.turn import Event, Turn, button

CANDIDATES = 2
ROUNDS_ALLOWED = 2

# What "did you mean" calls an intent; those that are missing here are never offered.
TITLES = {
    "request_human": "Talk to a person",
    "ask_help": "What you can do",
    "stop_messages": "Stop messages",
    "complain": "Make a complaint",
    "order_status": "Where's my order?",
    "list_orders": "My orders",
    "cancel_order": "Cancel an order",
    "change_order": "Change an order",
    "change_address": "Change the address",
    "delivery_times": "Delivery times",
    "delivery_cost": "Delivery prices",
    "order_late": "My order is late",
    "order_lost": "My order got lost",
    "item_damaged": "Something's damaged",
    "wrong_item": "I got a wrong item",
    "missing_item": "Something's missing",
    "start_return": "Return something",
    "return_policy": "Returns policy",
    "refund_status": "Where's my refund?",
    "exchange_item": "Swap size or colour",
    "warranty": "Guarantee",
    "check_stock": "Is it in stock?",
    "product_details": "Product details",
    "product_price": "Price of a product",
    "price_match": "Price match",
    "promo_code_fails": "Code doesn't work",
    "gift_card_balance": "Gift card balance",
    "loyalty_points": "My points",
    "opening_hours": "Opening hours",
    "nearest_branch": "Nearest branch",
    "reserve_collect": "Reserve and collect",
    "payment_methods": "Ways to pay",
    "payment_failed": "Payment failed",
    "invoice": "Get an invoice",
    "find_receipt": "Find a receipt",
    "change_details": "Change my details",
    "unsubscribe": "Unsubscribe",
    "delete_data": "Delete my data",
}


def ranking(turn: Turn) -> list[tuple[str, float]]:
    """What the message may have meant, likeliest first, without what cannot be offered."""
    ranked: list[dict[str, Any]] = turn.tracker.latest_message.get("intent_ranking") or []
    return [
        (str(guess["name"]), float(guess.get("confidence") or 0.0))
        for guess in ranked
        if guess.get("name") in TITLES
    ]


def decided(turn: Turn) -> dict[str, Any]:
    """What EscalationPolicy decided about the current message; empty without that policy.

    Its form is `bot.core.decision.Decision.as_facts`.
    """
    return dict(turn.set_now("decision") or {})


def evidence_of(decision: dict[str, Any]) -> dict[str, object]:
    """A decision's numbers, for the agent."""
    return {
        name: decision[key]
        for name, key in (("expected_cost", "expected"), ("spoke_against", "signals"))
        if decision.get(key)
    }


class ActionLowConfidence(ShopAction):
    """Not understood: offers the two best guesses, or hands over, as EscalationPolicy decided.

    Without that policy, the second time in a row brings a human. In a row means: in the turn just
    before. The count is read from what that turn left behind, so no other action needs to reset it.
    """

    action_name = "action_low_confidence"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        if is_bare_value(turn):
            return turn.go_on_with("action_inform")
        rounds = int(turn.set_just_before("low_confidence_count") or 0) + 1
        guesses = ranking(turn)[:CANDIDATES]
        decision = decided(turn)
        if decision["kind"] == "hand_over" if decision else rounds >= ROUNDS_ALLOWED:
            turn.say("utter_low_confidence_handoff")
            evidence = [{"intent": name, "confidence": round(c, 3)} for name, c in guesses]
            return turn.hand_over(
                decision.get("reason") or "low_confidence",
                guesses=evidence,
                rounds=rounds,
                **evidence_of(decision),
            )
        counted = SlotSet("low_confidence_count", rounds)
        if turn.form:
            turn.say("utter_not_understood_in_form")
        elif guesses:
            turn.say("utter_did_you_mean", [button(TITLES[name], name) for name, _ in guesses])
        else:
            turn.say("utter_rephrase")
        return [counted]


class ActionEscalate(ShopAction):
    """Understood, but the conversation goes so badly that a human is the better answer."""

    action_name = "action_escalate"

    async def answer(self, turn: Turn) -> list[Event]:
        decision = decided(turn)
        turn.say("utter_escalate")
        reason = str(decision.get("reason") or "policy")
        return [*turn.hand_over(reason, **evidence_of(decision)), *wait()]


# A bare value outside of a form, and what it most likely asks for.
VALUE_MEANS = {
    "order_number": "action_order_status",
    "gift_card": "action_gift_card_balance",
    "postcode": "action_nearest_branch",
    "sku": "action_product_details",
    "product": "action_product_details",
    "branch": "action_opening_hours",
}


# What refines an answer that was just given: "and in Leeds?", "what about a medium?"
_OF_PRODUCTS = frozenset({"product", "sku", "size", "colour", "branch"})
REFINED_BY = {
    "action_check_stock": _OF_PRODUCTS,
    "action_product_details": _OF_PRODUCTS,
    "action_product_price": _OF_PRODUCTS,
    "action_opening_hours": frozenset({"branch"}),
    "action_nearest_branch": frozenset({"branch", "postcode"}),
}
BARE_WORDS = 4


def is_bare_value(turn: Turn) -> bool:
    """Whether the message is little more than a value that makes its own sense."""
    given = set(VALUE_MEANS) | REFINED_BY.get(turn.slot("topic") or "", frozenset())
    short = 0 < len(turn.text.split()) <= BARE_WORDS
    return not turn.form and short and any(turn.entity(entity) for entity in given)


# The action that starts a form anew for another order.
STARTED_BY = {
    "cancel_form": "action_cancel_order",
    "return_form": "action_start_return",
    "address_form": "action_change_address",
}


class ActionInform(ShopAction):
    """The customer gave something: what was asked for, or a value out of the blue."""

    action_name = "action_inform"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        starter = STARTED_BY.get(turn.form or "")
        if starter and turn.entity("order_number"):  # "sorry, I meant FD-104234"
            return turn.go_on_with(starter)
        if turn.form:
            return self._not_what_was_asked(turn)
        pending, topic = turn.slot("pending_action"), turn.slot("topic") or ""
        if pending:
            return turn.go_on_with(pending)
        if any(turn.entity(entity) for entity in REFINED_BY.get(topic, ())):
            return turn.go_on_with(topic)
        for entity, action in VALUE_MEANS.items():
            if turn.entity(entity):
                return turn.go_on_with(action)
        if turn.slot("product") and (turn.entity("size") or turn.entity("colour")):
            return turn.go_on_with("action_check_stock")
        turn.say("utter_what_about_it")
        return wait()

    def _not_what_was_asked(self, turn: Turn) -> list[Event]:
        misses = turn.count("form_misses") + 1
        if misses >= ROUNDS_ALLOWED:
            turn.say("utter_form_stuck")
            return turn.hand_over("form_loop", form=turn.form, rounds=misses)
        turn.say("utter_not_what_was_asked")
        return [SlotSet("form_misses", misses)]

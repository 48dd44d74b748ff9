"""Reserve and collect: which product, size, colour, branch, and under which name."""

from __future__ import annotations

from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction, wait
from actions.catalogue import (
    CHOICES,
    find_branch,
    fits,
    in_stock,
    matching,
    plain_size,
    product_buttons,
    unique,
)
from actions.formatting import listing
from actions.forms import ShopForm, Values
from actions.turn import REQUESTED_SLOT, Event, Turn, button, forget
from bot.core.shop import Branch, Product, Variant
from bot.core.shop_numbers import sku as sku_of

TRANSIENT = ("size", "colour", "branch", "customer_name")


async def chosen_product(turn: Turn) -> Product | None:
    """The form's product, once it is settled."""
    found = await matching(turn, turn.slot("product") or "")
    return found[0] if len(found) == 1 else None


def left_over(turn: Turn, product: Product) -> list[Variant]:
    """Variants that fit what has been said so far."""
    size, colour = turn.slot("size"), turn.slot("colour")
    return [variant for variant in product.variants if fits(variant, size, colour)]


class ActionReserveCollect(ShopAction):
    """Keep one for me: starts asking which one and where."""

    action_name = "action_reserve_collect"
    starts = "reserve_form"

    async def answer(self, turn: Turn) -> list[Event]:
        if turn.form != "reserve_form":
            turn.say("utter_reserve_intro")
        events: list[Event] = forget("customer_name", "product_hint")
        sku = sku_of(turn.entity("sku") or "")
        product = await turn.pos.product("-".join(sku.split("-")[:2])) if sku else None
        if product is not None:
            meant = [variant for variant in product.variants if variant.sku == sku]
            events.append(SlotSet("product", product.name))
            if meant:
                events += [SlotSet("size", meant[0].size), SlotSet("colour", meant[0].colour)]
        return turn.ask("reserve_form", *events)


class ValidateReserveForm(ShopForm):
    """Asks only for what is not settled: a product of one size needs no size."""

    form: ClassVar[str] = "reserve_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[str]:
        turn = Turn(dispatcher, tracker)
        needed = ["product"]
        product = await chosen_product(turn)
        if product is not None:
            # The size alone must not decide whether a size is needed: "size 44" would then fit
            # nothing, and never be checked.
            size, colour = turn.slot("size"), turn.slot("colour")
            sizes = {plain_size(v.size) for v in product.variants if fits(v, None, colour)}
            colours = {v.colour for v in product.variants if fits(v, size, None)}
            needed += ["size"] * (len(sizes) > 1) + ["colour"] * (len(colours) > 1)
        needed.append("branch")
        if turn.customer_id is None:
            needed.append("customer_name")
        return needed

    async def validate_product(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        found = await self._named(turn, str(value))
        if not found:
            return self.ask_again(
                turn, "product", "utter_product_not_found", wanted=str(value)[:40]
            )
        if len(found) > 1:  # the asking action offers them
            return self.accept(product=None, product_hint=str(value))
        product = found[0]
        # What was said about another product earlier must not rule this one out.
        stale = {
            slot: None
            for slot, said in (
                ("size", (turn.slot("size"), None)),
                ("colour", (None, turn.slot("colour"))),
            )
            if turn.slot(slot) and not any(fits(v, *said) for v in product.variants)
        }
        return self.accept(product=product.name, product_hint=None, **stale)

    async def _named(self, turn: Turn, said: str) -> list[Product]:
        """Also "the Rowan one", after "winter coat" meant several."""
        hint = turn.slot("product_hint")
        narrowed = await matching(turn, hint) if hint and not turn.entity("product") else []
        return narrowed if len(narrowed) == 1 else await matching(turn, said)

    async def validate_size(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        return await self._one_of(Turn(dispatcher, tracker), "size", str(value))

    async def validate_colour(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        return await self._one_of(Turn(dispatcher, tracker), "colour", str(value))

    async def _one_of(self, turn: Turn, slot: str, said: str) -> Values:
        product = await chosen_product(turn)
        if product is None or left_over(turn, product):
            return self.accept(**{slot: said})
        choices = listing(unique(getattr(v, slot) for v in product.variants), "or")
        return self.ask_again(turn, slot, "utter_reserve_no_such_variant", choices=choices)

    async def validate_branch(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        branches = await turn.pos.branches()
        branch = find_branch(branches, str(value))
        if branch is None:
            cities = listing(b.city for b in branches)
            return self.ask_again(turn, "branch", "utter_branch_unknown", places=cities)
        return self.accept(branch=branch.city)

    async def validate_customer_name(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        name = str(value or "").strip()
        if not any(character.isalpha() for character in name):
            return self.ask_again(turn, "customer_name", "utter_name_unclear")
        return self.accept(customer_name=name[:60])


class ActionAskReserveFormProduct(ShopAction):
    """Asks for the product, or which of those that match."""

    action_name = "action_ask_reserve_form_product"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        said = turn.entity("sku") or turn.entity("product")
        if said is None and turn.slot(REQUESTED_SLOT) == "product":
            said = turn.text
        found = await matching(turn, said) if said else []
        if len(found) > 1:
            turn.say("utter_which_product", product_buttons(found))
        else:
            turn.say("utter_ask_product")
        return []


class ActionAskReserveFormSize(ShopAction):
    """Asks for the size, showing the first few."""

    action_name = "action_ask_reserve_form_size"
    keeps_request = True
    asks: ClassVar[str] = "size"

    async def answer(self, turn: Turn) -> list[Event]:
        product = await chosen_product(turn)
        left = left_over(turn, product) if product else []
        values = unique(getattr(variant, self.asks) for variant in left)
        choices = [button(v, "inform", **{self.asks: v}) for v in values[:CHOICES]]
        turn.say(f"utter_ask_for_{self.asks}", choices, choices=listing(values, "or"))
        return []


class ActionAskReserveFormColour(ActionAskReserveFormSize):
    """Asks for the colour, showing the first few."""

    action_name = "action_ask_reserve_form_colour"
    asks = "colour"


class ActionAskReserveFormBranch(ShopAction):
    """Asks for the branch, beginning with those that have it."""

    action_name = "action_ask_reserve_form_branch"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        branches = await turn.pos.branches()
        holding = await holding_branches(turn, branches)
        shown = holding or branches
        choices = [button(b.city, "inform", branch=b.city) for b in shown[:CHOICES]]
        places = listing((b.city for b in shown), "or")
        turn.say("utter_ask_for_branch", choices, places=places)
        return []


async def holding_branches(turn: Turn, branches: list[Branch]) -> list[Branch]:
    """The branches that have what the form is about."""
    product = await chosen_product(turn)
    if product is None:
        return []
    stock = await turn.pos.stock(product.id)
    left = left_over(turn, product)
    return [branch for branch in branches if in_stock(stock, left, branch.id)]


class ActionReserve(ShopAction):
    """Puts one by."""

    action_name = "action_reserve"

    async def answer(self, turn: Turn) -> list[Event]:
        branches = await turn.pos.branches()
        branch = find_branch(branches, turn.slot("branch"))
        product = await chosen_product(turn)
        name = await self._name(turn)
        if branch is None or product is None or name is None:
            return wait()
        variants = left_over(turn, product)
        here = in_stock(await turn.pos.stock(product.id), variants, branch.id)
        if not here:
            await self._nothing_there(turn, branch, branches)
            return forget("branch")
        number = await turn.pos.reserve(
            here[0].sku,
            branch.id,
            customer_id=turn.customer_id,
            name=name,
            key=turn.context.key_for("reserve"),
        )
        what = ", ".join(part for part in (here[0].colour, here[0].size) if part)
        turn.say(
            "utter_reserved",
            name=f"{product.name} ({what})" if what else product.name,
            branch_name=branch.name,
            number=number,
        )
        return forget(*TRANSIENT)

    async def _name(self, turn: Turn) -> str | None:
        if turn.customer_id is None:
            return turn.slot("customer_name")
        customer = await turn.crm.customer(turn.customer_id)
        return customer.name if customer else turn.slot("customer_name")

    async def _nothing_there(self, turn: Turn, branch: Branch, branches: list[Branch]) -> None:
        elsewhere = await holding_branches(turn, branches)
        if not elsewhere:
            turn.say("utter_reserve_nowhere")
            return
        choices = [button(b.city, "reserve_collect", branch=b.city) for b in elsewhere[:CHOICES]]
        places = listing(b.city for b in elsewhere)
        turn.say("utter_reserve_elsewhere", choices, branch_name=branch.name, places=places)

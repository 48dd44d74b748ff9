"""Stock, details and prices of products; codes, gift cards and points."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import ShopAction
from actions.catalogue import (
    ONLINE,
    answered,
    describe,
    find_branch,
    in_stock,
    matching,
    the_product,
    wanted_variants,
)
from actions.formatting import day, listing, local_date, money
from actions.forms import ShopForm, Values
from actions.turn import Event, Turn, button, forget, link
from bot.core.identity import Identity
from bot.core.shop import Branch, Product, Promotion, Variant
from bot.core.shop_numbers import gift_card_code

# Letters and then digits, as shops write them: WELCOME10. Written in capitals in a sentence; in
# answer to a question any spelling will do.
_CODE = re.compile(r"\b[A-Z]{3,12}\d{1,4}\b")
_CODE_ALONE = re.compile(r"[A-Z]{3,12}\d{0,4}", re.IGNORECASE)


class ActionCheckStock(ShopAction):
    """Is it in stock, and where?"""

    action_name = "action_check_stock"

    async def answer(self, turn: Turn) -> list[Event]:
        product = await the_product(turn, self.action_name)
        if not isinstance(product, Product):
            return product
        named = answered(self.action_name, product)
        variants = wanted_variants(turn, product)
        if not variants:
            turn.say(
                "utter_no_such_variant", name=product.name, variants=describe(product.variants)
            )
            return [*named, *forget("size", "colour")]
        branches = await turn.pos.branches()
        await self._tell(turn, product, variants, branches)
        return named

    async def _tell(
        self, turn: Turn, product: Product, variants: list[Variant], branches: list[Branch]
    ) -> None:
        stock = await turn.pos.stock(product.id)
        online = in_stock(stock, variants, ONLINE)
        holding = [branch for branch in branches if in_stock(stock, variants, branch.id)]
        page = [link("See it online", product.page_url)] if product.page_url else []
        reserve = [button("Reserve one", "reserve_collect", product=product.name)]
        facts = {
            "name": product.name,
            "online": describe(online),
            "places": listing(branch.city for branch in holding),
        }
        asked = find_branch(branches, turn.slot("branch"))
        if asked is not None:
            here = in_stock(stock, variants, asked.id)
            facts |= {"branch_name": asked.name, "here": describe(here)}
            if here:
                turn.say("utter_stock_in_branch", reserve + page, product.image_url, **facts)
            elif online:
                turn.say("utter_stock_not_in_branch", page, product.image_url, **facts)
            else:
                self._sold_out(turn, product, variants, page)
        elif online and holding:
            turn.say("utter_stock_everywhere", page + reserve, product.image_url, **facts)
        elif online:
            turn.say("utter_stock_online_only", page, product.image_url, **facts)
        elif holding:
            turn.say("utter_stock_branches_only", reserve, product.image_url, **facts)
        else:
            self._sold_out(turn, product, variants, page)

    def _sold_out(
        self, turn: Turn, product: Product, variants: list[Variant], page: list[dict[str, str]]
    ) -> None:
        name = product.name
        if len(variants) == 1:
            name += f" ({describe(variants)})"
        turn.say("utter_out_of_stock", page, name=name)


def price_range(variants: list[Variant] | tuple[Variant, ...]) -> str:
    """``£49.00``, or ``£49.00 to £59.00``."""
    prices = sorted({variant.price for variant in variants})
    ends = prices if len(prices) < 2 else [prices[0], prices[-1]]
    return " to ".join(money(price) for price in ends)


class ActionProductDetails(ShopAction):
    """Tell me about a product."""

    action_name = "action_product_details"

    async def answer(self, turn: Turn) -> list[Event]:
        product = await the_product(turn, self.action_name)
        if not isinstance(product, Product):
            return product
        buttons = [button("Is it in stock?", "check_stock", product=product.name)]
        if product.page_url:
            buttons.insert(0, link("See it online", product.page_url))
        turn.say(
            "utter_product_details",
            buttons,
            product.image_url or None,
            name=product.name,
            description=product.description,
            variants=describe(product.variants),
            price=price_range(product.variants),
        )
        return answered(self.action_name, product)


class ActionProductPrice(ShopAction):
    """What does it cost?"""

    action_name = "action_product_price"

    async def answer(self, turn: Turn) -> list[Event]:
        product = await the_product(turn, self.action_name)
        if not isinstance(product, Product):
            return product
        variants = wanted_variants(turn, product) or list(product.variants)
        buttons = [button("Is it in stock?", "check_stock", product=product.name)]
        turn.say("utter_product_price", buttons, name=product.name, price=price_range(variants))
        return answered(self.action_name, product)


class ValidateProductForm(ShopForm):
    """Which product? By name or SKU."""

    form: ClassVar[str] = "product_form"

    async def validate_product(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        if not await matching(turn, str(value)):
            return self.ask_again(
                turn, "product", "utter_product_not_found", wanted=str(value)[:40]
            )
        return self.accept(product=str(value))


class ActionPromoCode(ShopAction):
    """My code does not work: says why."""

    action_name = "action_promo_code"

    async def answer(self, turn: Turn) -> list[Event]:
        found = _CODE.findall(turn.text)
        code = found[-1] if found else turn.slot("promo_code")
        if code is None:
            return turn.ask("promo_form", SlotSet("pending_action", self.action_name))
        promotion = await turn.pos.promotion(code)
        if promotion is None:
            turn.say("utter_promo_unknown", code=code.upper())
        else:
            self._explain(turn, promotion)
        return forget("promo_code")

    def _explain(self, turn: Turn, promotion: Promotion) -> None:
        today = local_date(turn.context.now, turn.context.timezone)
        facts: dict[str, Any] = {"code": promotion.code, "offer": promotion.description}
        if today < promotion.starts_on:
            turn.say("utter_promo_not_yet", starts=day(promotion.starts_on, today), **facts)
        elif today > promotion.ends_on:
            turn.say("utter_promo_over", ended=day(promotion.ends_on, today), **facts)
        elif promotion.minimum > 0:
            turn.say("utter_promo_minimum", minimum=money(promotion.minimum), **facts)
        else:
            turn.say("utter_promo_valid", until=day(promotion.ends_on, today), **facts)


class ValidatePromoForm(ShopForm):
    """Which code?"""

    form: ClassVar[str] = "promo_form"

    async def validate_promo_code(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        codes = _CODE.findall(str(value)) or _CODE_ALONE.findall(str(value).split()[-1])
        if not codes:
            return self.ask_again(turn, "promo_code", "utter_promo_code_unclear")
        return self.accept(promo_code=codes[-1].upper())


class ActionGiftCardBalance(ShopAction):
    """What is left on a gift card? Whoever has the code may know: it works like cash."""

    action_name = "action_gift_card_balance"

    async def answer(self, turn: Turn) -> list[Event]:
        code = gift_card_code(turn.slot("gift_card") or "")
        if code is None:
            return turn.ask(
                "gift_card_form", SlotSet("pending_action", self.action_name), *forget("gift_card")
            )
        card = await turn.pos.gift_card(code)
        today = local_date(turn.context.now, turn.context.timezone)
        if card is None:
            turn.say("utter_gift_card_unknown", code=code)
            return [SlotSet("pending_action", self.action_name), *forget("gift_card")]
        facts: dict[str, Any] = {
            "code": card.code,
            "balance": money(card.balance, card.currency),
            "expires": day(card.expires_on, today),
        }
        if card.expires_on < today:
            turn.say("utter_gift_card_expired", **facts)
        elif card.balance <= 0:
            turn.say("utter_gift_card_empty", **facts)
        else:
            turn.say("utter_gift_card_balance", **facts)
        return forget("gift_card")


class ValidateGiftCardForm(ShopForm):
    """Which gift card?"""

    form: ClassVar[str] = "gift_card_form"

    async def validate_gift_card(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Values:
        turn = Turn(dispatcher, tracker)
        code = gift_card_code(str(value or ""))
        if code is None:
            return self.ask_again(turn, "gift_card", "utter_gift_card_unclear")
        return self.accept(gift_card=code)


class ActionLoyaltyPoints(ShopAction):
    """How many points do I have?"""

    action_name = "action_loyalty_points"
    identity = Identity.CONFIRMED

    async def answer(self, turn: Turn) -> list[Event]:
        customer = await turn.crm.customer(turn.customer_id or "")
        if customer is None or not customer.loyalty_number:
            turn.say("utter_no_loyalty")
            return []
        turn.say(
            "utter_loyalty_points",
            points=f"{customer.loyalty_points:,}",
            tier=customer.loyalty_tier,
            number=customer.loyalty_number,
        )
        return []

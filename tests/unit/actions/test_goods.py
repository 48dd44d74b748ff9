"""Products, codes, gift cards, shops and reservations."""

from __future__ import annotations

import pytest

from actions.postcodes import whereabouts
from actions.products import (
    ActionCheckStock,
    ActionGiftCardBalance,
    ActionProductDetails,
    ActionProductPrice,
    ActionPromoCode,
    ValidateGiftCardForm,
    ValidateProductForm,
    ValidatePromoForm,
)
from actions.reservations import (
    ActionAskReserveFormBranch,
    ActionAskReserveFormProduct,
    ActionReserve,
    ActionReserveCollect,
    ValidateReserveForm,
)
from actions.returns import ActionWarranty
from actions.stores import ActionNearestBranch, ActionOpeningHours
from connectors.demo import cast
from tests.unit.actions.talk import Talk

COAT = "Rowan Winter Coat"


async def test_stock_of_one_variant(stranger: Talk) -> None:
    reply = await stranger.say(ActionCheckStock(), "check_stock", sku=cast.IN_STOCK_SKU)
    facts = reply.facts("utter_stock_everywhere")
    assert facts["online"] == "Navy in M"
    assert "Leeds" in facts["places"]
    assert "London" not in facts["places"]
    assert facts["image"]


async def test_stock_in_one_branch(stranger: Talk) -> None:
    sku = cast.IN_STOCK_SKU
    here = await stranger.say(ActionCheckStock(), "check_stock", sku=sku, branch="London")
    assert here.said == ["utter_stock_not_in_branch"]
    there = await stranger.say(ActionCheckStock(), "check_stock", sku=sku, branch="Leeds")
    assert there.said == ["utter_stock_in_branch"]
    assert "Reserve one" in there.titles()


async def test_sold_out(stranger: Talk) -> None:
    reply = await stranger.say(ActionCheckStock(), "check_stock", sku=cast.OUT_OF_STOCK_SKU)
    assert reply.said == ["utter_out_of_stock"]


async def test_a_size_that_does_not_exist(stranger: Talk) -> None:
    reply = await stranger.say(ActionCheckStock(), "check_stock", product=COAT, size="size 44")
    assert reply.said == ["utter_no_such_variant"]


async def test_a_size_of_something_else_does_not_matter(stranger: Talk) -> None:
    stranger.slots["size"] = "size 44"
    reply = await stranger.say(ActionCheckStock(), "check_stock", product=COAT)
    assert reply.said == ["utter_stock_everywhere"]


async def test_a_product_must_be_named(stranger: Talk) -> None:
    reply = await stranger.say(ActionCheckStock(), "check_stock")
    assert reply.next == "product_form"
    assert reply.slots["pending_action"] == "action_check_stock"


async def test_several_products_are_offered(stranger: Talk) -> None:
    reply = await stranger.say(ActionProductPrice(), "product_price", product="winter coat")
    assert reply.said == ["utter_which_product"]
    assert COAT in reply.titles()
    text = "the rowan one"
    chosen = await stranger.say(ActionProductPrice(), "inform", text=text)
    assert chosen.facts("utter_product_price")["price"] == "£129.00"


async def test_the_name_in_the_message_decides(stranger: Talk) -> None:
    text = "how much is the Rowan winter coat"
    reply = await stranger.say(ActionProductDetails(), text=text, product="winter coat")
    assert reply.facts("utter_product_details")["name"] == COAT


async def test_an_unknown_product(stranger: Talk) -> None:
    reply = await stranger.say(ActionProductPrice(), "product_price", product="flugelhorn")
    assert reply.said == ["utter_product_not_found"]
    stranger.form = "product_form"
    asked = await stranger.say(ValidateProductForm(), fill={"product": "flugelhorn"})
    assert asked.slots["product"] is None


async def test_a_guarantee(stranger: Talk) -> None:
    named = await stranger.say(ActionWarranty(), "warranty", text=COAT, product="winter coat")
    assert named.said == ["utter_warranty_product"]
    assert (await stranger.say(ActionWarranty(), "warranty")).said == ["utter_warranty"]


PROMOTIONS = [
    (cast.VALID_PROMOTION, "utter_promo_valid"),
    (cast.MINIMUM_PROMOTION, "utter_promo_minimum"),
    (cast.EXPIRED_PROMOTION, "utter_promo_over"),
    (cast.FUTURE_PROMOTION, "utter_promo_not_yet"),
    ("NOSUCH99", "utter_promo_unknown"),
]


@pytest.mark.parametrize(("code", "response"), PROMOTIONS)
async def test_why_a_code_fails(stranger: Talk, code: str, response: str) -> None:
    text = f"my code {code} doesn't work"
    reply = await stranger.say(ActionPromoCode(), "promo_code_fails", text=text)
    assert reply.said == [response]


async def test_a_code_is_asked_for(stranger: Talk) -> None:
    asked = await stranger.say(ActionPromoCode(), "promo_code_fails", text="my code fails")
    assert asked.next == "promo_form"
    stranger.form = "promo_form"
    reply = await stranger.say(ValidatePromoForm(), fill={"promo_code": "it's welcome10"})
    assert reply.slots["promo_code"] == cast.VALID_PROMOTION


CARDS = [
    (cast.GIFT_CARD, "utter_gift_card_balance"),
    (cast.EXPIRED_GIFT_CARD, "utter_gift_card_expired"),
    (cast.EMPTY_GIFT_CARD, "utter_gift_card_empty"),
    ("JGC-0000-0000", "utter_gift_card_unknown"),
]


@pytest.mark.parametrize(("code", "response"), CARDS)
async def test_gift_cards(stranger: Talk, code: str, response: str) -> None:
    reply = await stranger.say(ActionGiftCardBalance(), "gift_card_balance", gift_card=code)
    assert reply.said == [response]
    assert stranger.slots["gift_card"] is None


async def test_starting_a_form_asks_without_a_reproach(stranger: Talk) -> None:
    stranger.form = "gift_card_form"
    reply = await stranger.say(ValidateGiftCardForm(), fill={"gift_card": None})
    assert reply.said == []


async def test_an_unreadable_gift_card_twice_goes_to_a_human(stranger: Talk) -> None:
    stranger.form = "gift_card_form"
    first = await stranger.say(ValidateGiftCardForm(), fill={"gift_card": "the blue one"})
    assert first.said == ["utter_gift_card_unclear"]
    second = await stranger.say(ValidateGiftCardForm(), fill={"gift_card": "really blue"})
    assert second.handoff is not None
    assert second.handoff["reason"] == "form_loop"


# --- shops ------------------------------------------------------------------------------------


async def test_opening_hours(stranger: Talk) -> None:
    everywhere = await stranger.say(ActionOpeningHours(), "opening_hours")
    assert everywhere.facts("utter_opening_hours_all")["hours"].count("•") == 6
    leeds = await stranger.say(ActionOpeningHours(), "opening_hours", branch="Leeds")
    facts = leeds.facts("utter_opening_hours")
    assert "Leeds" in facts["name"]
    assert facts["week"].startswith("Mon")


@pytest.mark.parametrize(
    ("postcode", "city"),
    [("LS6 3HN", "Leeds"), ("eh3 9aa", "Edinburgh"), ("BA1 1AA", "Bristol"), ("CR0 1AA", "London"),
     ("L1 8JQ", "Manchester"), ("WS1 1AA", "Birmingham")],
)  # fmt: skip
async def test_the_nearest_branch(stranger: Talk, postcode: str, city: str) -> None:
    reply = await stranger.say(ActionNearestBranch(), "nearest_branch", postcode=postcode)
    assert city in reply.facts("utter_nearest_branch")["place"]
    assert reply.titles() == ["Show on a map"]


@pytest.mark.parametrize("postcode", ["ZZ1 1AA", "12345", ""])
def test_no_such_postcode_area(postcode: str) -> None:
    assert whereabouts(postcode) is None


async def test_a_reservation_asks_only_for_what_is_open(maya: Talk) -> None:
    started = await maya.say(ActionReserveCollect(), "reserve_collect", sku=cast.IN_STOCK_SKU)
    assert started.next == "reserve_form"
    maya.form = "reserve_form"
    maya.slots["branch"] = "Leeds"
    checked = await maya.say(ValidateReserveForm(), fill={"branch": "leeds"})
    assert checked.slots["requested_slot"] is None  # nothing left: the channel knows her name
    maya.form = None
    reply = await maya.say(ActionReserve())
    facts = reply.facts("utter_reserved")
    assert facts["name"] == f"{COAT} (Navy, M)"
    assert facts["number"].startswith("RS-")


async def test_a_stranger_reserves_under_a_name(stranger: Talk) -> None:
    stranger.form = "reserve_form"
    stranger.slots |= {"product": COAT, "size": "M", "colour": "navy", "branch": "Leeds"}
    asked = await stranger.say(ValidateReserveForm(), fill={"branch": "Leeds"})
    # Where all slots of the form are wanted, Rasa picks the next empty one: here the name.
    assert asked.slots.get("requested_slot", "customer_name") == "customer_name"
    stranger.slots["customer_name"] = "Jo Carter"
    stranger.form = None
    assert (await stranger.say(ActionReserve())).said == ["utter_reserved"]


async def test_another_branch_is_offered_where_there_is_none(maya: Talk) -> None:
    maya.slots |= {"product": COAT, "size": "M", "colour": "navy", "branch": "London"}
    reply = await maya.say(ActionReserve())
    assert reply.said == ["utter_reserve_elsewhere"]
    assert '/reserve_collect{"branch": "Leeds"}' in repr(reply.messages)


async def test_a_reservation_narrows_several_products_down(stranger: Talk) -> None:
    stranger.form = "reserve_form"
    await stranger.say(
        ValidateReserveForm(), text="winter coat", fill={"product": "winter coat"},
        product="winter coat",
    )  # fmt: skip
    assert not stranger.slots["product"]
    offered = await stranger.say(ActionAskReserveFormProduct(), product="winter coat")
    assert COAT in offered.titles()
    text = "the rowan one"
    await stranger.say(ValidateReserveForm(), text=text, fill={"product": text})
    assert stranger.slots["product"] == COAT
    where = await stranger.say(ActionAskReserveFormBranch())
    assert len(where.titles()) == 3


async def test_a_size_that_does_not_exist_is_not_reserved(stranger: Talk) -> None:
    stranger.form = "reserve_form"
    stranger.slots["product"] = COAT
    reply = await stranger.say(ValidateReserveForm(), fill={"size": "size 44"}, size="size 44")
    assert reply.said == ["utter_reserve_no_such_variant"]
    assert stranger.slots["size"] is None
    assert "requested_slot" not in reply.slots  # the form goes on, and the size is still open

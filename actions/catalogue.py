"""Which product, size, colour and branch a customer means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rasa_sdk.events import SlotSet

from actions.turn import Event, Turn, button, forget
from bot.core.shop import Branch, Product, Stock, Variant
from bot.core.shop_numbers import sku as sku_of

CHOICES = 3  # what fits on the buttons of every channel
CANDIDATES = 12  # among which a brand or another word decides
ONLINE = "online"

_WORD = re.compile(r"[^\W_]{2,}")
_SIZE_WORDS = {
    "extra small": "xs",
    "small": "s",
    "medium": "m",
    "large": "l",
    "extra large": "xl",
    "xxxl": "3xl",
}


def wanted_product(turn: Turn) -> str | None:
    """What the message calls the product; else what was talked about before."""
    return turn.entity("sku") or turn.entity("product") or turn.slot("product")


async def matching(turn: Turn, wanted: str) -> list[Product]:
    """Products that a name or SKU may mean, best first; one when it is exact.

    Other words of the message narrow it down: "the winter coat, Rowan I think".
    """
    sku = sku_of(wanted)
    if sku is not None:
        product = await turn.pos.product("-".join(sku.split("-")[:2]))
        return [product] if product else []
    found = await turn.pos.find_products(wanted, CANDIDATES)
    exact = [p for p in found if p.name.casefold() == wanted.casefold()]
    if exact:
        return exact[:1]
    said = _words(turn.text)
    scored = [(len(said & (_words(p.name) - _words(wanted))), p) for p in found]
    best = max((score for score, _ in scored), default=0)
    return [product for score, product in scored if score == best]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


async def the_product(turn: Turn, action: str) -> Product | list[Event]:
    """The product that the customer means.

    Args:
        turn: The current message.
        action: What goes on when the customer has named one.

    Returns:
        The product; or, when the customer has been asked instead, the events to return.
    """
    wanted = wanted_product(turn)
    if wanted is None:
        return turn.ask("product_form", SlotSet("pending_action", action))
    found = await matching(turn, wanted)
    if len(found) == 1:
        return found[0]
    pending = SlotSet("pending_action", action)
    if not found:
        turn.say("utter_product_not_found", wanted=wanted)
        return [pending, *forget("product", "sku")]
    turn.say("utter_which_product", product_buttons(found))
    return [pending]


def answered(action: str, product: Product) -> list[Event]:
    """What to remember of an answer, so that "and in Leeds?" makes sense after it."""
    return [SlotSet("product", product.name), SlotSet("topic", action)]


def product_buttons(products: Sequence[Product]) -> list[dict[str, str]]:
    """A choice for each of the first products; pressing one gives its full name."""
    return [button(p.name, "inform", product=p.name) for p in products[:CHOICES]]


def plain_size(said: str) -> str:
    """``m`` for ``medium``, ``9`` for ``size 9`` and ``UK 9``, ``king`` for ``king size``."""
    size = said.casefold().removeprefix("size").strip().removeprefix("uk").strip()
    size = re.sub(r"(?<=\w)[\s-]?sized?$", "", size)
    return _SIZE_WORDS.get(size, size)


def fits(variant: Variant, size: str | None, colour: str | None) -> bool:
    """Whether a variant has this size and colour; None is any."""
    if size and plain_size(size) != plain_size(variant.size):
        return False
    return not colour or colour.casefold() in variant.colour.casefold()


def wanted_variants(turn: Turn, product: Product) -> list[Variant]:
    """The product's variants that the customer may mean; empty when there are none like that.

    What was said about another product earlier does not rule anything out.
    """
    sku = sku_of(turn.entity("sku") or "")
    if sku:
        return [variant for variant in product.variants if variant.sku == sku]
    variants = list(product.variants)
    for slot in ("size", "colour"):
        said = turn.slot(slot)
        if not said:
            continue
        size, colour = (said, None) if slot == "size" else (None, said)
        left = [variant for variant in variants if fits(variant, size, colour)]
        if left or turn.entity(slot):
            variants = left
    return variants


def unique(values: Iterable[str]) -> list[str]:
    """Without empty ones and repetitions, in their order."""
    return list(dict.fromkeys(value for value in values if value))


def find_branch(branches: Sequence[Branch], said: str | None) -> Branch | None:
    """The branch that a customer calls by its city or name."""
    if not said:
        return None
    name = said.casefold().strip()
    for branch in branches:
        if name in (branch.city.casefold(), branch.name.casefold(), branch.id.casefold()):
            return branch
    near = [b for b in branches if name in b.name.casefold() or b.city.casefold() in name]
    return near[0] if len(near) == 1 else None


def in_stock(stock: Iterable[Stock], variants: Sequence[Variant], branch_id: str) -> list[Variant]:
    """Those of the variants that lie in a branch (or ``online``)."""
    there = {s.sku for s in stock if s.branch_id == branch_id and s.quantity > 0}
    return [variant for variant in variants if variant.sku in there]


def describe(variants: Sequence[Variant]) -> str:
    """``Blue in S, M and L; Red in M``, or only sizes or colours where there is nothing to tell."""
    by_colour: dict[str, list[str]] = {}
    for variant in variants:
        by_colour.setdefault(variant.colour, []).append(variant.size)
    parts = []
    for colour, sizes in by_colour.items():
        listed = ", ".join(unique(sizes))
        parts.append(f"{colour} in {listed}" if colour and listed else colour or listed)
    return "; ".join(part for part in parts if part)

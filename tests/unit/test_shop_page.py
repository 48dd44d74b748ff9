"""The demo shop's page says what the demo shop's data says."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from connectors.demo import cast
from connectors.demo.catalogue import CATEGORIES, LINES, price_of

STATIC = Path(cast.__file__).parent / "static"
PAGE = (STATIC / "shop.html").read_text(encoding="utf-8")
STYLE = (STATIC / "shop.css").read_text(encoding="utf-8")
_CARD = re.compile(
    r'/products/(\w+)\.svg".*?<h3>(.*?)</h3><p>(.*?)</p><p class="price">£(.*?)</p>', re.DOTALL
)


def test_the_cards_show_products_that_the_shop_has() -> None:
    line = next(iter(LINES))
    sold = {
        (category.name, f"{line} {article.name}", article.text, f"{price:f}")
        for category in CATEGORIES
        for article in category.articles
        for price in [price_of(article, 0, category.sizes[0])]
    }
    cards = {(kind, name, unescape(text), price) for kind, name, text, price in _CARD.findall(PAGE)}
    assert len(cards) == 6
    assert cards <= sold
    for kind, *_ in cards:
        assert (STATIC / "products" / f"{kind}.svg").exists()


def test_the_order_to_try_belongs_to_the_address_beside_it() -> None:
    assert f"<code>{cast.IN_TRANSIT}</code>" in PAGE
    assert f"<code>{cast.MAYA.email}</code>" in PAGE


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert re.findall(r'(?:src|href)="(?:https?:)?//', PAGE) == []
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert PAGE.count("/webchat/widget.js") == 1

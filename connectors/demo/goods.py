"""Products with their variants, branches with their stock, and promotions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

from connectors.demo import cast
from connectors.demo.catalogue import CATEGORIES, COLOURS, LINES, SIZE_CODES, price_of

Row = dict[str, object]

ONLINE = "online"
_FIRST_PRODUCT = 1001
_HOME = "https://www.juniper.example"


@dataclass(frozen=True, slots=True)
class Piece:
    """A variant as order lines name it."""

    sku: str
    product: str
    variant: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Shop:
    """One branch: its till code, where it is, and its hours, Monday first."""

    id: str
    city: str
    till: str
    line1: str
    postcode: str
    phone: str
    latitude: float
    longitude: float
    hours: tuple[str | None, ...]  # "09:30-18:00"


_WEEK = ("09:30-18:00",) * 3 + ("09:30-20:00", "09:30-18:30", "09:00-18:30")
SHOPS: tuple[Shop, ...] = (
    Shop("london", "London", "B1", "31 Neal Street", "WC2H 9PR", "+442079460121",
         51.5142, -0.1257, (*("10:00-20:00",) * 6, "12:00-18:00")),
    Shop("manchester", "Manchester", "B2", "22 King Street", "M2 6AQ", "+441614960122",
         53.4810, -2.2460, (*_WEEK, "11:00-17:00")),
    Shop("birmingham", "Birmingham", "B3", "9 New Street", "B2 4RJ", "+441214960123",
         52.4792, -1.8968, (*_WEEK, "11:00-17:00")),
    Shop("leeds", "Leeds", "B4", "14 Briggate", "LS1 6HD", "+441134960124",
         53.7969, -1.5424, (*_WEEK, "11:00-17:00")),
    Shop("bristol", "Bristol", "B5", "40 Park Street", "BS1 5JG", "+441174960125",
         51.4547, -2.6020, (*_WEEK, None)),
    Shop("edinburgh", "Edinburgh", "B6", "67 George Street", "EH2 2JG", "+441314960126",
         55.9537, -3.1978, (None, *_WEEK[1:], "11:00-17:00")),
)  # fmt: skip


def goods(rng: Random) -> tuple[dict[str, list[Row]], list[Piece]]:
    """All rows of products, variants and stock, and the pieces that can be bought."""
    rows: dict[str, list[Row]] = {"product": [], "variant": [], "stock": []}
    pieces: list[Piece] = []
    number = _FIRST_PRODUCT
    for category in CATEGORIES:
        for article in category.articles:
            for line, (line_name, line_text) in enumerate(LINES.items()):
                product_id, name = f"JNP-{number}", f"{line_name} {article.name}"
                rows["product"].append(
                    {
                        "id": product_id,
                        "name": name,
                        "category": category.name,
                        "description": f"{article.text} {line_name} is {line_text}.",
                        "image_url": f"/demo/products/{category.name}.svg",
                        "page_url": f"{_HOME}/products/{product_id.lower()}",
                        "warranty_months": category.warranty_months,
                    }
                )
                # Each article has Navy or Blue, so that the cast's SKUs exist.
                colours = [("Navy", "Blue")[number % 2 == 0]]
                colours += rng.sample(sorted(set(COLOURS) - {"Navy", "Blue"}), rng.randint(1, 2))
                for colour in colours:
                    for size in category.sizes:
                        code = SIZE_CODES.get(size, size)
                        sku = f"{product_id}-{COLOURS[colour]}-{code}"
                        price = price_of(article, line, size)
                        rows["variant"].append(
                            {
                                "sku": sku,
                                "product_id": product_id,
                                "size": size,
                                "colour": colour,
                                "price": price,
                                "position": len(rows["variant"]),
                            }
                        )
                        rows["stock"] += _stock(rng, sku)
                        label = colour if size == "One size" else f"{colour}, {size}"
                        pieces.append(Piece(sku, name, label, price))
                number += 1
    return rows, pieces


def branches() -> dict[str, list[Row]]:
    """All rows of branches and opening hours."""
    rows: dict[str, list[Row]] = {"branch": [], "opening": []}
    for shop in SHOPS:
        rows["branch"].append(
            {
                "id": shop.id,
                "name": f"Juniper & Co {shop.city}",
                "line1": shop.line1,
                "line2": "",
                "city": shop.city,
                "postcode": shop.postcode,
                "country": "GB",
                "phone": shop.phone,
                "latitude": shop.latitude,
                "longitude": shop.longitude,
            }
        )
        for weekday, span in enumerate(shop.hours):
            if span is not None:
                opens, closes = (time.fromisoformat(text) for text in span.split("-"))
                rows["opening"].append(
                    {"branch_id": shop.id, "weekday": weekday, "opens": opens, "closes": closes}
                )
    return rows


def promotions(today: date) -> list[Row]:
    """Codes that work, that have ended, that begin later, and that need a minimum."""
    planned = (
        (cast.VALID_PROMOTION, "10% off your first order", -200, 160, 0),
        (cast.MINIMUM_PROMOTION, "£20 off when you spend £60 or more", -10, 20, 60),
        ("FREEDEL30", "Free standard delivery from £30", -60, 30, 30),
        ("HOME15", "15% off everything for the home", -3, 4, 0),
        (cast.EXPIRED_PROMOTION, "15% off everything", -90, -30, 0),
        (cast.FUTURE_PROMOTION, "25% off coats", 5, 19, 0),
    )
    return [
        {
            "code": code,
            "description": text,
            "starts_on": today + timedelta(days=first),
            "ends_on": today + timedelta(days=last),
            "minimum": Decimal(minimum),
        }
        for code, text, first, last, minimum in planned
    ]


def _stock(rng: Random, sku: str) -> list[Row]:
    quantities = {shop.id: rng.choice((0, 0, 0, 1, 1, 2, 3, 4, 6, 9)) for shop in SHOPS}
    quantities[ONLINE] = rng.choice((0, 2, 5, 8, 12, 20, 35, 60))
    if sku == cast.IN_STOCK_SKU:
        quantities |= {"leeds": 3, "london": 0, ONLINE: 12}
    elif sku == cast.OUT_OF_STOCK_SKU:
        quantities = dict.fromkeys(quantities, 0)
    return [
        {"sku": sku, "branch_id": branch, "quantity": quantity}
        for branch, quantity in quantities.items()
    ]

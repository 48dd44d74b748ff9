"""The records that CRM and POS work with. Their table and column names are the demo schema."""

from __future__ import annotations

from decimal import Decimal

from bot.core.shop import OrderState, ReturnState
from bot.core.shop_numbers import (
    ORDER_PREFIX,
    RESERVATION_PREFIX,
    RETURN_PREFIX,
    TICKET_PREFIX,
)
from connectors.sql.fields import Entity, Field, Kind

_KEY = Field(key=True)
_TEXT = Field()
_REFERENCE = Field(index=True)
_OPTIONAL = Field(optional=True, default="")
_UNKNOWN = Field(optional=True)
_MONEY = Field(Kind.MONEY)
_COUNT = Field(Kind.INTEGER)
_MOMENT = Field(Kind.MOMENT)
_MOMENT_OR_NONE = Field(Kind.MOMENT, optional=True)
_DAY = Field(Kind.DAY)
_CURRENCY = Field(optional=True, default="GBP")

_ADDRESS = {
    "line1": _TEXT,
    "line2": _OPTIONAL,
    "city": _TEXT,
    "postcode": _TEXT,
    "country": Field(optional=True, default="GB"),
}
_LINE = {
    "position": Field(Kind.INTEGER, key=True, optional=True, default=0),
    "sku": _TEXT,
    "product": _TEXT,
    "variant": _OPTIONAL,
    "quantity": _COUNT,
    "unit_price": _MONEY,
}

CUSTOMER = Entity(
    "customer",
    "shop_customer",
    {
        "id": _KEY,
        "name": _TEXT,
        "email": _REFERENCE,
        "phone": Field(optional=True, default="", index=True),
        **_ADDRESS,
        "loyalty_number": _OPTIONAL,
        "loyalty_points": Field(Kind.INTEGER, optional=True, default=0),
        "loyalty_tier": _OPTIONAL,
        "marketing_consent": Field(Kind.FLAG, optional=True, default=False),
        "since": Field(Kind.DAY, optional=True),
    },
)
TICKET = Entity(
    "ticket",
    "frontdesk_ticket",
    {
        "number": _KEY,
        "kind": _TEXT,
        "summary": _TEXT,
        "customer_id": Field(optional=True, index=True),
        "order_number": _UNKNOWN,
        "state": Field(optional=True, default="open"),
        "opened_at": _MOMENT_OR_NONE,
    },
    ours=True,
    prefix=TICKET_PREFIX,
)
ERASURE = Entity(
    "erasure",
    "frontdesk_erasure",
    {
        "number": _KEY,
        "customer_id": _REFERENCE,
        "state": Field(default="open"),
        "requested_at": _MOMENT_OR_NONE,
    },
    ours=True,
    prefix="ER-",
)
ORDER = Entity(
    "order",
    "shop_order",
    {
        "number": _KEY,
        "customer_id": _REFERENCE,
        "state": Field(choices=tuple(state.value for state in OrderState)),
        "placed_at": _MOMENT,
        "total": _MONEY,
        "currency": _CURRENCY,
        "payment_method": _OPTIONAL,
        "delivery": Field(
            optional=True, default="standard", choices=("standard", "express", "collect")
        ),
        **_ADDRESS,
        # When the customer got it in the branch; parcels say it themselves.
        "collected_at": _MOMENT_OR_NONE,
    },
    prefix=ORDER_PREFIX,
)
ORDER_LINE = Entity("order_line", "shop_order_line", {"order_number": _KEY, **_LINE})
SHIPMENT = Entity(
    "shipment",
    "shop_shipment",
    {
        "order_number": _REFERENCE,
        "carrier": _TEXT,
        "tracking_number": _KEY,
        "tracking_url": _OPTIONAL,
        "state": Field(
            choices=("label_created", "in_transit", "out_for_delivery", "delivered", "lost")
        ),
        "shipped_at": _MOMENT_OR_NONE,
        "expected_on": Field(Kind.DAY, optional=True),
        "delivered_at": _MOMENT_OR_NONE,
    },
    optional=True,
)
RETURN = Entity(
    "return",
    "shop_return",
    {
        "number": _KEY,
        "order_number": _REFERENCE,
        "state": Field(choices=tuple(state.value for state in ReturnState)),
        "reason": _TEXT,
        "requested_at": _MOMENT,
        "refund": _MONEY,
        "refunded_at": _MOMENT_OR_NONE,
        "label_url": _OPTIONAL,
    },
    prefix=RETURN_PREFIX,
)
PRODUCT = Entity(
    "product",
    "shop_product",
    {
        "id": _KEY,
        "name": _TEXT,
        "category": _OPTIONAL,
        "description": _OPTIONAL,
        "image_url": _OPTIONAL,
        "page_url": _OPTIONAL,
        "warranty_months": Field(Kind.INTEGER, optional=True, default=0),
    },
)
VARIANT = Entity(
    "variant",
    "shop_variant",
    {
        "sku": _KEY,
        "product_id": _REFERENCE,
        "size": _OPTIONAL,
        "colour": _OPTIONAL,
        "price": _MONEY,
        "position": Field(Kind.INTEGER, optional=True, default=0),  # sizes in their own order
    },
)
STOCK = Entity(
    "stock",
    "shop_stock",
    {"sku": _KEY, "branch_id": _KEY, "quantity": _COUNT},
    optional=True,
)
BRANCH = Entity(
    "branch",
    "shop_branch",
    {
        "id": _KEY,
        "name": _TEXT,
        **_ADDRESS,
        "phone": _OPTIONAL,
        "latitude": Field(Kind.NUMBER),
        "longitude": Field(Kind.NUMBER),
    },
    optional=True,
)
OPENING = Entity(
    "opening",
    "shop_opening",
    {
        "branch_id": _KEY,
        "weekday": Field(Kind.INTEGER, key=True),  # 0 is Monday; no row is closed
        "opens": Field(Kind.CLOCK),
        "closes": Field(Kind.CLOCK),
    },
    optional=True,
)
RESERVATION = Entity(
    "reservation",
    "frontdesk_reservation",
    {
        "number": _KEY,
        "sku": _REFERENCE,
        "branch_id": _TEXT,
        "customer_id": _UNKNOWN,
        "name": _TEXT,
        "reserved_at": _MOMENT_OR_NONE,
        "expires_at": _MOMENT,
    },
    ours=True,
    prefix=RESERVATION_PREFIX,
)
GIFT_CARD = Entity(
    "gift_card",
    "shop_gift_card",
    {"code": _KEY, "balance": _MONEY, "currency": _CURRENCY, "expires_on": _DAY},
    optional=True,
)
RECEIPT = Entity(
    "receipt",
    "shop_receipt",
    {
        "number": _KEY,
        "branch_id": _TEXT,
        "customer_id": Field(optional=True, index=True),
        "bought_at": _MOMENT,
        "total": _MONEY,
        "url": _OPTIONAL,
    },
    optional=True,
)
RECEIPT_LINE = Entity(
    "receipt_line", "shop_receipt_line", {"receipt_number": _KEY, **_LINE}, optional=True
)
PROMOTION = Entity(
    "promotion",
    "shop_promotion",
    {
        "code": _KEY,
        "description": _OPTIONAL,
        "starts_on": _DAY,
        "ends_on": _DAY,
        "minimum": Field(Kind.MONEY, optional=True, default=Decimal(0)),
    },
    optional=True,
)

CRM_ENTITIES = (CUSTOMER, TICKET, ERASURE)
POS_ENTITIES = (
    ORDER,
    ORDER_LINE,
    SHIPMENT,
    RETURN,
    PRODUCT,
    VARIANT,
    STOCK,
    BRANCH,
    OPENING,
    RESERVATION,
    GIFT_CARD,
    RECEIPT,
    RECEIPT_LINE,
    PROMOTION,
)

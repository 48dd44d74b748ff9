"""The shop's own systems as Frontdesk sees them: two ports (CRM and POS) and their values.

Money is a `Decimal` in the shop's currency. Times are timezone-aware UTC. Every method raises
ShopUnavailableError when the system is down or too slow, and methods that write raise RefusedError
with a code when the shop's rules say no. `key` is an idempotency key: a second call with the same
key changes nothing and returns what the first returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class OrderState(StrEnum):
    """Where an order is."""

    PLACED = "placed"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    READY_FOR_COLLECTION = "ready_for_collection"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class ReturnState(StrEnum):
    """Where a return is."""

    REQUESTED = "requested"
    RECEIVED = "received"
    APPROVED = "approved"
    REFUNDED = "refunded"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PostalAddress:
    line1: str
    line2: str
    city: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the CRM knows them."""

    id: str
    name: str
    email: str
    phone: str  # E.164; empty when unknown
    address: PostalAddress
    loyalty_number: str
    loyalty_points: int
    loyalty_tier: str
    marketing_consent: bool
    since: date


@dataclass(frozen=True, slots=True)
class OrderLine:
    sku: str
    product: str
    variant: str  # "Blue, M"
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Shipment:
    carrier: str
    tracking_number: str
    tracking_url: str
    state: str  # "label_created", "in_transit", "out_for_delivery", "delivered", "lost"
    shipped_at: datetime | None
    expected_on: date | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order with what customers ask about it."""

    number: str  # "FD-104233"
    customer_id: str
    state: OrderState
    placed_at: datetime
    total: Decimal
    currency: str
    payment_method: str
    delivery: str  # "standard", "express" or "collect"
    address: PostalAddress
    lines: tuple[OrderLine, ...]
    shipments: tuple[Shipment, ...]


@dataclass(frozen=True, slots=True)
class Return:
    number: str  # "RT-20417"
    order_number: str
    state: ReturnState
    reason: str
    requested_at: datetime
    refund: Decimal
    refunded_at: datetime | None
    label_url: str


@dataclass(frozen=True, slots=True)
class Variant:
    sku: str
    size: str
    colour: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    category: str
    description: str
    image_url: str
    page_url: str
    warranty_months: int
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    id: str
    name: str
    city: str
    address: PostalAddress
    phone: str
    latitude: float
    longitude: float
    hours: tuple[tuple[time, time] | None, ...]  # Monday first; None is closed


@dataclass(frozen=True, slots=True)
class Stock:
    """How many of one variant lie where; ``branch_id`` is ``online`` for the online store."""

    sku: str
    branch_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class GiftCard:
    code: str
    balance: Decimal
    currency: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class Receipt:
    number: str  # "B3-88214"
    branch_id: str
    customer_id: str | None
    bought_at: datetime
    total: Decimal
    lines: tuple[OrderLine, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Promotion:
    code: str
    description: str
    starts_on: date
    ends_on: date
    minimum: Decimal


class Crm(Protocol):
    """Who the customers are, and what was agreed with them."""

    async def customer(self, customer_id: str) -> Customer | None: ...

    async def customer_by_phone(self, phone: str) -> Customer | None:
        """``phone`` is E.164. None when unknown, and when two customers share it."""
        ...

    async def customer_by_email(self, email: str) -> Customer | None:
        """Case does not matter. None when unknown, and when two customers share it."""
        ...

    async def change_contact(
        self, customer_id: str, *, key: str, email: str | None = None, phone: str | None = None
    ) -> Customer: ...

    async def set_marketing_consent(self, customer_id: str, consent: bool, *, key: str) -> None: ...

    async def request_erasure(self, customer_id: str, *, key: str) -> str:
        """Files the request; returns its reference number."""
        ...

    async def open_ticket(
        self,
        *,
        key: str,
        kind: str,
        summary: str,
        customer_id: str | None,
        order_number: str | None,
    ) -> str:
        """Returns the ticket's number, e.g. ``T-3012``."""
        ...

    async def prepare(self) -> None:
        """Makes what only Frontdesk needs there, e.g. the record of idempotency keys."""
        ...

    async def ping(self) -> None:
        """Raises ShopUnavailableError when the system cannot be reached."""
        ...

    async def close(self) -> None:
        """Frees connections."""
        ...


class Pos(Protocol):
    """What the shop sells, where it lies, and what was bought."""

    async def order(self, number: str) -> Order | None:
        """``number`` in any spelling customers use (``fd 104233``, ``#104233``)."""
        ...

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        """Newest first."""
        ...

    async def cancel_order(self, number: str, *, key: str) -> Order:
        """RefusedError codes: ``not_found``, ``already_shipped``, ``already_cancelled``."""
        ...

    async def change_order_address(self, number: str, address: PostalAddress, *, key: str) -> Order:
        """RefusedError codes: as `cancel_order`, and ``collect``: it is not sent anywhere."""
        ...

    async def returns_of(self, order_number: str) -> list[Return]: ...

    async def start_return(self, order_number: str, *, reason: str, key: str) -> Return:
        """RefusedError: ``not_found``, ``not_delivered``, ``window_over``, ``already_returned``."""
        ...

    async def find_products(self, query: str, limit: int = 5) -> list[Product]:
        """Best match first; forgives misspelling. Empty when nothing is near."""
        ...

    async def product(self, product_id: str) -> Product | None: ...

    async def stock(self, product_id: str) -> list[Stock]:
        """All variants, all branches and ``online``."""
        ...

    async def branches(self) -> list[Branch]: ...

    async def reserve(
        self, sku: str, branch_id: str, *, customer_id: str | None, name: str, key: str
    ) -> str:
        """Holds one piece for two days; returns the reservation's number.

        RefusedError code: ``out_of_stock``.
        """
        ...

    async def gift_card(self, code: str) -> GiftCard | None: ...

    async def receipts_of(self, customer_id: str, limit: int = 5) -> list[Receipt]:
        """Newest first."""
        ...

    async def promotion(self, code: str) -> Promotion | None: ...

    async def prepare(self) -> None:
        """Makes what only Frontdesk needs there, e.g. the record of idempotency keys."""
        ...

    async def ping(self) -> None:
        """Raises ShopUnavailableError when the system cannot be reached."""
        ...

    async def close(self) -> None:
        """Frees connections."""
        ...

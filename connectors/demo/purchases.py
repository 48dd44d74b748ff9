"""Orders with lines and shipments, returns and receipts, from their plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from bot.core.shop import OrderState, ReturnState
from connectors.demo import cast
from connectors.demo.goods import SHOPS, Piece
from connectors.demo.plans import Plan

Row = dict[str, object]

_RECEIPTS = 400
_LAST_RANDOM_RECEIPT = 88213  # the cast's is the next
_LAST_RANDOM_RETURN = 20416
_HOME = "https://www.juniper.example"
_CARRIERS = (
    ("Swift Parcel", "SP", "https://track.swiftparcel.example/"),
    ("Northway", "NW", "https://northway.example/track/"),
    ("Greenline Couriers", "GL", "https://greenline.example/parcel/"),
)
_PAYMENTS = ("Visa card", "Visa card", "Mastercard", "PayPal", "Apple Pay", "gift card")
_REASONS = ("too small", "too large", "changed my mind", "not as described", "damaged", "late")
_FREE_FROM = Decimal(50)
_FEES = {"standard": Decimal("3.95"), "express": Decimal("6.95"), "collect": Decimal(0)}
_ADDRESS_FIELDS = ("line1", "line2", "city", "postcode", "country")


class Purchases:
    """Fills plans with goods.

    Args:
        rng: Where chance comes from.
        today: What ages are counted from.
        pieces: What can be bought.
        customers: Rows of customers by id, for their addresses.
    """

    def __init__(
        self, rng: Random, today: date, pieces: list[Piece], customers: Mapping[str, Row]
    ) -> None:
        self._rng, self._today = rng, today
        self._pieces, self._customers = pieces, customers
        self._cast_pieces = {piece.sku: piece for piece in pieces}
        self.rows: dict[str, list[Row]] = {
            name: []
            for name in ("order", "order_line", "shipment", "return", "receipt", "receipt_line")
        }

    def add_orders(self, plans: list[Plan]) -> None:
        """Orders, lines and shipments, and the returns of those that have one."""
        returns: list[tuple[Plan, Decimal]] = []
        for plan in plans:
            goods_total = self._add_lines("order_line", "order_number", plan.number)
            self._add_order(plan, goods_total)
            if plan.parcel:
                self._add_shipment(plan)
            if plan.returned is not None:
                returns.append((plan, goods_total))
        known = {cast.REFUNDED: cast.REFUNDED_RETURN, cast.RETURN_REQUESTED: cast.REQUESTED_RETURN}
        ordinary = [item for item in returns if item[0].number not in known]
        ordinary.sort(key=lambda item: -item[0].return_age)
        first = _LAST_RANDOM_RETURN - len(ordinary) + 1
        for number, (plan, refund) in enumerate(ordinary, first):
            self._add_return(f"RT-{number}", plan, refund)
        for plan, refund in returns:
            if plan.number in known:
                self._add_return(known[plan.number], plan, refund)

    def add_receipts(self) -> None:
        """Receipts of the branches' tills; two of three are of a customer we know."""
        ids = sorted(self._customers)
        ages = sorted((self._rng.randint(1, 300) for _ in range(_RECEIPTS)), reverse=True)
        first = _LAST_RANDOM_RECEIPT - _RECEIPTS + 1
        for number, age in enumerate(ages, first):
            shop = self._rng.choice(SHOPS)
            customer = self._rng.choice(ids) if self._rng.random() < 0.67 else None
            self._add_receipt(f"{shop.till}-{number}", shop.id, customer, age)
        self._add_receipt(cast.RECEIPT, "birmingham", cast.MAYA.id, 12)

    def _moment(self, age: int) -> datetime:
        """A moment of the shop's day that many days ago."""
        clock = time(self._rng.randint(8, 20), self._rng.randint(0, 59), tzinfo=UTC)
        return datetime.combine(self._today - timedelta(days=age), clock)

    def _add_lines(self, entity: str, reference: str, number: str) -> Decimal:
        total = Decimal(0)
        # The return's example is known down to its article.
        chosen = (
            [self._cast_pieces[cast.IN_STOCK_SKU]]
            if number in (cast.RETURNABLE, cast.IN_TRANSIT)
            else self._rng.sample(self._pieces, self._rng.choice((1, 1, 1, 2, 2, 3, 4)))
        )
        for position, piece in enumerate(chosen):
            quantity = self._rng.choice((1, 1, 1, 1, 2))
            total += piece.price * quantity
            self.rows[entity].append(
                {
                    reference: number,
                    "position": position,
                    "sku": piece.sku,
                    "product": piece.product,
                    "variant": piece.variant,
                    "quantity": quantity,
                    "unit_price": piece.price,
                }
            )
        return total

    def _add_order(self, plan: Plan, goods_total: Decimal) -> None:
        fee = _FEES[plan.delivery]
        if plan.delivery == "standard" and goods_total >= _FREE_FROM:
            fee = Decimal(0)
        collected = plan.state is OrderState.COLLECTED
        self.rows["order"].append(
            {
                "number": plan.number,
                "customer_id": plan.customer_id,
                "state": plan.state.value,
                "placed_at": self._moment(plan.age),
                "total": goods_total + fee,
                "currency": "GBP",
                "payment_method": self._rng.choice(_PAYMENTS),
                "delivery": plan.delivery,
                **self._address(plan),
                "collected_at": self._moment(plan.age - 4) if collected else None,
            }
        )

    def _address(self, plan: Plan) -> Row:
        for shop in SHOPS:
            if shop.id == plan.branch:
                return {
                    "line1": f"Juniper & Co, {shop.line1}",
                    "line2": "",
                    "city": shop.city,
                    "postcode": shop.postcode,
                    "country": "GB",
                }
        customer = self._customers[plan.customer_id]
        return {name: customer[name] for name in _ADDRESS_FIELDS}

    def _add_shipment(self, plan: Plan) -> None:
        carrier, letters, page = self._rng.choice(_CARRIERS)
        tracking = f"{letters}{self._rng.randint(10**8, 10**9 - 1)}GB"
        days, promised = (1, 2) if plan.delivery == "express" else (3, 4)
        placed = self._today - timedelta(days=plan.age)
        left = plan.parcel != "label_created"
        self.rows["shipment"].append(
            {
                "order_number": plan.number,
                "carrier": carrier,
                "tracking_number": tracking,
                "tracking_url": page + tracking,
                "state": plan.parcel,
                "shipped_at": self._moment(plan.age - 1) if left else None,
                "expected_on": placed + timedelta(days=promised),
                "delivered_at": self._moment(plan.age - days)
                if plan.parcel == "delivered"
                else None,
            }
        )

    def _add_return(self, number: str, plan: Plan, refund: Decimal) -> None:
        refunded = plan.returned is ReturnState.REFUNDED
        self.rows["return"].append(
            {
                "number": number,
                "order_number": plan.number,
                "state": plan.returned.value if plan.returned else None,
                "reason": self._rng.choice(_REASONS),
                "requested_at": self._moment(plan.return_age),
                "refund": refund,
                "refunded_at": self._moment(max(1, plan.return_age - 7)) if refunded else None,
                "label_url": f"{_HOME}/returns/{number}/label",
            }
        )

    def _add_receipt(self, number: str, branch: str, customer: str | None, age: int) -> None:
        total = self._add_lines("receipt_line", "receipt_number", number)
        self.rows["receipt"].append(
            {
                "number": number,
                "branch_id": branch,
                "customer_id": customer,
                "bought_at": self._moment(age),
                "total": total,
                "url": f"{_HOME}/receipts/{number}",
            }
        )

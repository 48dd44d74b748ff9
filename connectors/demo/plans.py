"""Which orders there are, before they are filled: their states and ages."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bot.core.shop import OrderState, ReturnState
from connectors.demo import cast

ORDERS = 2000
_LAST_RANDOM_ORDER = 104232  # the cast begins after it


@dataclass(frozen=True, slots=True)
class Plan:
    """One order.

    Attributes:
        state: Where it is.
        age: Days since it was placed.
        parcel: State of its shipment; empty where there is none.
        delivery: How it travels.
        returned: State of its return; None where there is none.
        return_age: Days since the return was requested.
        branch: Where it is collected.
    """

    number: str
    customer_id: str
    state: OrderState
    age: int
    parcel: str = ""
    delivery: str = "standard"
    returned: ReturnState | None = None
    return_age: int = 0
    branch: str = ""


# A standard parcel leaves a day after the order, is there after three and promised for the fourth:
# the ages below follow from it.
CAST_PLANS: tuple[Plan, ...] = (
    Plan(cast.IN_TRANSIT, cast.MAYA.id, OrderState.SHIPPED, 3, "in_transit"),
    Plan(cast.CANCELLABLE, cast.MAYA.id, OrderState.PAID, 1),
    Plan(cast.RETURNABLE, cast.MAYA.id, OrderState.DELIVERED, 8, "delivered"),
    Plan(cast.TOO_OLD_TO_RETURN, cast.MAYA.id, OrderState.DELIVERED, 63, "delivered"),
    Plan(cast.LATE, cast.MAYA.id, OrderState.SHIPPED, 7, "in_transit"),
    Plan(
        cast.READY_FOR_COLLECTION,
        cast.MAYA.id,
        OrderState.READY_FOR_COLLECTION,
        4,
        delivery="collect",
        branch="leeds",
    ),
    Plan(
        cast.REFUNDED,
        cast.MAYA.id,
        OrderState.RETURNED,
        43,
        "delivered",
        returned=ReturnState.REFUNDED,
        return_age=16,
    ),
    Plan(cast.SOMEBODY_ELSES, cast.TOM.id, OrderState.SHIPPED, 2, "in_transit"),
    Plan(cast.LOST, cast.TOM.id, OrderState.SHIPPED, 16, "lost"),
    Plan(cast.PACKED, cast.TOM.id, OrderState.PACKED, 2, "label_created"),
    Plan(cast.CANCELLED, cast.TOM.id, OrderState.CANCELLED, 20),
    Plan(
        cast.RETURN_REQUESTED,
        cast.TOM.id,
        OrderState.DELIVERED,
        11,
        "delivered",
        returned=ReturnState.REQUESTED,
        return_age=2,
    ),
)

_SHARES: tuple[tuple[OrderState, int, tuple[int, int]], ...] = (
    (OrderState.PLACED, 3, (1, 1)),
    (OrderState.PAID, 6, (1, 2)),
    (OrderState.PACKED, 4, (1, 3)),
    (OrderState.SHIPPED, 12, (2, 3)),
    (OrderState.DELIVERED, 48, (4, 700)),
    (OrderState.READY_FOR_COLLECTION, 4, (3, 6)),
    (OrderState.COLLECTED, 10, (6, 500)),
    (OrderState.CANCELLED, 7, (2, 600)),
    (OrderState.RETURNED, 6, (25, 600)),
)


def plans(rng: Random, customers: list[str], branches: list[str]) -> list[Plan]:
    """The cast's orders and all others; the older the order, the lower its number."""
    drawn = [_draw(rng, customers, branches) for _ in range(ORDERS - len(CAST_PLANS))]
    drawn.sort(key=lambda plan: -plan[1])
    first = _LAST_RANDOM_ORDER - len(drawn) + 1
    filled = [_fill(rng, f"FD-{first + i}", *draw) for i, draw in enumerate(drawn)]
    return [*filled, *CAST_PLANS]


def _draw(
    rng: Random, customers: list[str], branches: list[str]
) -> tuple[OrderState, int, str, str, str]:
    state, _, (youngest, oldest) = rng.choices(_SHARES, [share for _, share, _ in _SHARES])[0]
    # Shops grow: half of what was sold was sold in the last quarter of the time.
    age = youngest + int((oldest - youngest + 0.999) * rng.random() ** 2)
    parcel = {OrderState.PACKED: "label_created"}.get(state, "")
    if state in (OrderState.DELIVERED, OrderState.RETURNED):
        parcel = "delivered"
    elif state is OrderState.SHIPPED:
        parcel, age = rng.choices(
            (
                ("in_transit", age),
                ("out_for_delivery", 4),
                ("in_transit", rng.randint(6, 12)),  # late
                ("lost", rng.randint(12, 25)),
            ),
            (70, 15, 10, 5),
        )[0]
    collects = state in (OrderState.READY_FOR_COLLECTION, OrderState.COLLECTED)
    return state, age, parcel, rng.choice(customers), rng.choice(branches) if collects else ""


def _fill(
    rng: Random, number: str, state: OrderState, age: int, parcel: str, customer: str, branch: str
) -> Plan:
    delivery = "collect" if branch else "standard"
    if parcel == "delivered" and rng.random() < 0.2:
        delivery = "express"
    returned, return_age = _return(rng, state, age)
    return Plan(number, customer, state, age, parcel, delivery, returned, return_age, branch)


def _return(rng: Random, state: OrderState, age: int) -> tuple[ReturnState | None, int]:
    if state is OrderState.RETURNED:
        return ReturnState.REFUNDED, age - rng.randint(5, 14)
    if state is OrderState.DELIVERED and 8 <= age <= 30 and rng.random() < 0.35:
        going = (ReturnState.REQUESTED, ReturnState.RECEIVED, ReturnState.APPROVED)
        return rng.choice(going), rng.randint(1, age - 4)
    if state is OrderState.DELIVERED and age > 30 and rng.random() < 0.05:
        return ReturnState.REJECTED, age - rng.randint(5, 25)
    return None, 0

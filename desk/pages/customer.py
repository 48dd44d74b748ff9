"""The customer's card as the desk shows it."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date
from babel.numbers import format_currency

from bot.core.identity import Identity
from bot.core.shop import Customer, Order, Shipment
from bot.flow.desk import Card
from desk.pages import words
from desk.pages.links import web_address
from desk.pages.views import View

_LOCALE = "en_GB"


def card(found: Card | None, identity: Identity) -> View:
    """The customer; None while the shop's systems are asked."""
    label, icon, tone = words.IDENTITIES[identity]
    customer = found.customer if found else None
    return {
        "identity": label,
        "icon": icon,
        "tone": tone,
        "loading": found is None,
        "problem": found.problem if found else "",
        "customer": _customer(customer) if customer else None,
        "orders": [_order(order) for order in found.orders] if found else [],
    }


def _customer(customer: Customer) -> View:
    home = customer.address
    points = f"{customer.loyalty_points:,} points"
    facts = {
        "E-mail": customer.email,
        "Phone": customer.phone,
        "Address": ", ".join(filter(None, (home.line1, home.line2, home.city, home.postcode))),
        "Loyalty": f"{customer.loyalty_tier} · {points}" if customer.loyalty_tier else points,
        "Customer": f"{customer.id}, since {_day(customer.since)}",
    }
    return {
        "name": customer.name,
        "facts": [{"name": name, "value": value} for name, value in facts.items() if value],
    }


def _order(order: Order) -> View:
    label, tone = words.ORDERS[order.state]
    count = sum(line.quantity for line in order.lines)
    return {
        "number": order.number,
        "state": label,
        "tone": tone,
        "placed": _day(order.placed_at.date()),
        "items": f"{count} item" if count == 1 else f"{count} items",
        "total": format_currency(order.total, order.currency, locale=_LOCALE),
        "shipments": [_shipment(each) for each in order.shipments],
    }


def _shipment(shipment: Shipment) -> View:
    when = ""
    if shipment.delivered_at is None and shipment.expected_on:
        when = f", expected {_day(shipment.expected_on)}"
    return {
        "text": f"{shipment.carrier}: {words.plain(shipment.state)}{when}",
        "number": shipment.tracking_number,
        "url": web_address(shipment.tracking_url),
    }


def _day(day: date) -> str:
    return str(format_date(day, "d MMM y", locale=_LOCALE))

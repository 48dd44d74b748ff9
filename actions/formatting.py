"""Money, dates and lists as people in Britain read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency

from bot.core.shop import Order, OrderLine, PostalAddress

LOCALE = "en_GB"


def money(amount: Decimal, currency: str = "GBP") -> str:
    """``£49.50``."""
    return str(format_currency(amount, currency, locale=LOCALE))


def local_date(moment: datetime, timezone: str) -> date:
    """The day on which a UTC moment falls in the shop's time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day(value: date, today: date) -> str:
    """``today``, ``tomorrow``, ``Tuesday 24 November``; with the year when it is another one."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((value - today).days)
    if near:
        return near
    pattern = "EEEE d MMMM" if value.year == today.year else "d MMMM yyyy"
    return str(format_date(value, pattern, locale=LOCALE))


def clock(value: time) -> str:
    """``9am``, ``5:30pm``."""
    hour = value.hour % 12 or 12
    minutes = f":{value.minute:02}" if value.minute else ""
    return f"{hour}{minutes}{'am' if value.hour < 12 else 'pm'}"


def phone(number: str) -> str:
    """``0113 496 0124`` from E.164; as it is when it cannot be read."""
    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))


def listing(items: Iterable[str], style: str = "standard") -> str:
    """``a, b and c``; style ``or`` gives ``a, b or c``."""
    return str(format_list(list(items), style=style, locale=LOCALE))


def items(lines: Sequence[OrderLine], limit: int = 3) -> str:
    """``Merino Jumper (Blue, M), 2 × Linen Scarf and 1 more``."""
    names = [
        (f"{line.quantity} × " if line.quantity > 1 else "")
        + line.product
        + (f" ({line.variant})" if line.variant else "")
        for line in lines[:limit]
    ]
    if len(lines) > limit:
        names.append(f"{len(lines) - limit} more")
    return listing(names)


def address(value: PostalAddress) -> str:
    """One line, without empty parts."""
    parts = (value.line1, value.line2, value.city, value.postcode)
    return ", ".join(part for part in parts if part)


def order_title(order: Order, today: date, timezone: str) -> str:
    """Short enough for a button: ``FD-104233 · 3 Nov``."""
    placed = local_date(order.placed_at, timezone)
    return f"{order.number} · {format_date(placed, 'd MMM', locale=LOCALE)}"

"""Customers, and the gift cards that they were given."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from bot.core.shop import PostalAddress
from connectors.demo import cast
from connectors.demo.names import FAMILIES, INWARD_LETTERS, STREETS, TOWNS

Row = dict[str, object]

CUSTOMERS = 360  # beside the cast
_FIRST_CUSTOMER = 1101
_FIRST_MOBILE = 447700900200  # the cast has those below
_CARDS = 60
_CARD_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that look alike


def customers(rng: Random, today: date) -> list[Row]:
    """The cast first, then everybody else."""
    rows = [
        _row(
            person.id,
            person.name,
            person.email,
            person.phone,
            person.address,
            person.points,
            person.tier,
            True,
            today - timedelta(days=900 + 31 * number),
        )
        for number, person in enumerate(cast.PEOPLE)
    ]
    taken = {person.name for person in cast.PEOPLE}
    while len(rows) < CUSTOMERS + len(cast.PEOPLE):
        name = _name(rng)
        if name in taken:
            continue
        taken.add(name)
        number = len(rows) - len(cast.PEOPLE)
        points = rng.choice((0, 35, 80, 120, 260, 410, 640, 900, 1450, 2200, 3900))
        rows.append(
            _row(
                f"C-{_FIRST_CUSTOMER + number}",
                name,
                _email(rng, name),
                f"+{_FIRST_MOBILE + number}" if rng.random() < 0.93 else "",
                _address(rng),
                points,
                "Gold" if points >= 2000 else "Silver" if points >= 600 else "Bronze",
                rng.random() < 0.6,
                today - timedelta(days=rng.randint(20, 2400)),
            )
        )
    return rows


def gift_cards(rng: Random, today: date) -> list[Row]:
    """The cast's cards and some more."""
    known = [
        (cast.GIFT_CARD, Decimal("35.50"), 420),
        (cast.EXPIRED_GIFT_CARD, Decimal("20.00"), -45),
        (cast.EMPTY_GIFT_CARD, Decimal("0.00"), 300),
    ]
    while len(known) < _CARDS:
        half = ["".join(rng.choices(_CARD_LETTERS, k=4)) for _ in range(2)]
        amount = Decimal(rng.choice((0, 10, 25, 50, 100))) + Decimal(rng.randint(0, 39)) / 4
        known.append(("JGC-" + "-".join(half), amount, rng.randint(-200, 700)))
    return [
        {
            "code": code,
            "balance": balance,
            "currency": "GBP",
            "expires_on": today + timedelta(days=days),
        }
        for code, balance, days in known
    ]


def _row(
    customer_id: str,
    name: str,
    email: str,
    phone: str,
    address: PostalAddress,
    points: int,
    tier: str,
    consent: bool,
    since: date,
) -> Row:
    return {
        "id": customer_id,
        "name": name,
        "email": email,
        "phone": phone,
        **asdict(address),
        "loyalty_number": f"JL-{customer_id.removeprefix('C-')}{sum(map(ord, name)) % 900 + 100}",
        "loyalty_points": points,
        "loyalty_tier": tier,
        "marketing_consent": consent,
        "since": since,
    }


def _name(rng: Random) -> str:
    # The first group is the largest, as in the country.
    firsts, lasts = FAMILIES[0] if rng.random() < 0.4 else rng.choice(FAMILIES[1:])
    return f"{rng.choice(firsts.split())} {rng.choice(lasts.split())}"


def _email(rng: Random, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return f"{plain.replace(' ', '.')}@example.{rng.choice(('com', 'com', 'org'))}"


def _address(rng: Random) -> PostalAddress:
    town = rng.choice(TOWNS)
    inward = f"{rng.randint(1, 9)}{''.join(rng.choices(INWARD_LETTERS, k=2))}"
    return PostalAddress(
        line1=f"{rng.randint(1, 148)} {rng.choice(STREETS)}",
        line2=f"Flat {rng.randint(1, 12)}" if rng.random() < 0.25 else "",
        city=town.name,
        postcode=f"{rng.choice(town.outward)} {inward}",
        country="GB",
    )

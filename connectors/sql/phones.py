"""Phone numbers: E.164 on our side, whatever a shop's staff typed on the other."""

from __future__ import annotations

import phonenumbers
import sqlalchemy as sa
from phonenumbers import PhoneNumberFormat as Format

_PUNCTUATION = "+ -().\u00a0/"


def e164(text: str, region: str) -> str | None:
    """The number as E.164, e.g. ``+447700900123``; None when it cannot be one.

    Args:
        text: As customers or staff write it.
        region: ISO country code of numbers without a country code.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" and not "valid": numbers kept for films and demos belong to no network.
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, Format.E164))


def matches(column: sa.ColumnElement[str], phone: str, region: str) -> sa.ColumnElement[bool]:
    """Whether the column holds the E.164 number in any of the usual spellings.

    Spaces, brackets and dashes are taken off in the database, so this reads the whole table: shops
    with very many customers keep E.164 in the column and say so in the configuration.
    """
    number = phonenumbers.parse(phone, region)
    international = phone.removeprefix("+")
    national = str(phonenumbers.national_significant_number(number))
    spellings = [international, f"00{international}", f"{number.country_code}0{national}"]
    if number.country_code == phonenumbers.country_code_for_region(region):
        spellings += [f"0{national}", national]
    bare: sa.ColumnElement[str] = sa.type_coerce(column, sa.String)
    for mark in _PUNCTUATION:
        bare = sa.func.replace(bare, mark, "", type_=sa.String)
    return bare.in_(spellings)

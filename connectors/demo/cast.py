"""The fixed part of the demo: who and what demos and tests may count on, whatever day it is.

Everything else is filled up at random (always the same random). Days are relative to the day of the
seed.

==============  ====================================================================================
Maya Okafor     C-1001, maya.okafor@example.com, +447700900123, gold, 2,340 points
  FD-104233     shipped 2 days ago, in transit, expected tomorrow
  FD-104234     paid yesterday: can be cancelled, its address can be changed
  FD-104235     delivered 5 days ago: can be returned
  FD-104236     delivered 60 days ago: too late to return
  FD-104237     in transit, expected 3 days ago: late
  FD-104238     ready for collection in Leeds
  FD-104239     delivered 40 days ago; its return RT-20417 was refunded 9 days ago
  B3-88214      a receipt from Birmingham, 12 days ago
Tom Hughes      C-1002, tom.hughes@example.com, +447700900145: somebody else
  FD-104300     shipped yesterday, in transit
  FD-104301     lost by the carrier
  FD-104302     packed: too late to cancel
  FD-104303     cancelled
  FD-104304     delivered 8 days ago, return RT-20418 requested 2 days ago
Anna Kowalska   C-1003, anna.kowalska@example.com, and Piotr Kowalski, C-1004,
                piotr.kowalski@example.com: they share +447700900167, so it identifies nobody
Gift cards      JGC-7F3K-92QD £35.50; JGC-4TQM-88ZA expired with £20.00; JGC-9HWR-31NE is empty
Promotions      WELCOME10 valid; AUTUMN20 valid from £60; SPRING15 expired; SOON25 not yet valid
Winter coat     JNP-1001, Rowan Winter Coat: JNP-1001-NVY-M has 3 in Leeds, none in London and
                12 online; JNP-1001-NVY-XL is nowhere
==============  ====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.shop import PostalAddress


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of the cast."""

    id: str
    name: str
    email: str
    phone: str
    address: PostalAddress
    points: int
    tier: str


MAYA = Person(
    "C-1001",
    "Maya Okafor",
    "maya.okafor@example.com",
    "+447700900123",
    PostalAddress("14 Hawthorn Lane", "Flat 2", "Leeds", "LS7 4QT", "GB"),
    2340,
    "Gold",
)
TOM = Person(
    "C-1002",
    "Tom Hughes",
    "tom.hughes@example.com",
    "+447700900145",
    PostalAddress("8 Regent Terrace", "", "Bristol", "BS6 5LN", "GB"),
    410,
    "Bronze",
)
ANNA = Person(
    "C-1003",
    "Anna Kowalska",
    "anna.kowalska@example.com",
    "+447700900167",
    PostalAddress("51 Lime Avenue", "", "Manchester", "M21 7RD", "GB"),
    980,
    "Silver",
)
PIOTR = Person(
    "C-1004",
    "Piotr Kowalski",
    "piotr.kowalski@example.com",
    ANNA.phone,
    ANNA.address,
    120,
    "Bronze",
)
PEOPLE = (MAYA, TOM, ANNA, PIOTR)

IN_TRANSIT = "FD-104233"
CANCELLABLE = "FD-104234"
RETURNABLE = "FD-104235"
TOO_OLD_TO_RETURN = "FD-104236"
LATE = "FD-104237"
READY_FOR_COLLECTION = "FD-104238"
REFUNDED = "FD-104239"
SOMEBODY_ELSES = "FD-104300"
LOST = "FD-104301"
PACKED = "FD-104302"
CANCELLED = "FD-104303"
RETURN_REQUESTED = "FD-104304"

REFUNDED_RETURN = "RT-20417"
REQUESTED_RETURN = "RT-20418"
RECEIPT = "B3-88214"

GIFT_CARD = "JGC-7F3K-92QD"  # £35.50
EXPIRED_GIFT_CARD = "JGC-4TQM-88ZA"
EMPTY_GIFT_CARD = "JGC-9HWR-31NE"

VALID_PROMOTION = "WELCOME10"
MINIMUM_PROMOTION = "AUTUMN20"  # from £60
EXPIRED_PROMOTION = "SPRING15"
FUTURE_PROMOTION = "SOON25"

WINTER_COAT = "JNP-1001"
IN_STOCK_SKU = "JNP-1001-NVY-M"  # Leeds 3, London 0, online 12
OUT_OF_STOCK_SKU = "JNP-1001-NVY-XL"  # nowhere

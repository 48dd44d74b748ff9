"""What is known about a customer, and what each level may hear."""

from __future__ import annotations

from enum import IntEnum


class Identity(IntEnum):
    """How sure we are who is writing; higher levels may hear all that lower ones may.

    ANONYMOUS: nothing is known. CONFIRMED: order number with matching e-mail or phone was given.
    CHANNEL_VERIFIED: the platform vouches for a phone number that the CRM knows.
    """

    ANONYMOUS = 0
    CONFIRMED = 1
    CHANNEL_VERIFIED = 2

    @property
    def may_hear_personal_data(self) -> bool:
        """Whether the customer's own orders, receipts and details may be told."""
        return self >= Identity.CONFIRMED

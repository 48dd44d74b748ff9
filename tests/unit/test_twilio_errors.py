"""What Twilio's refusals mean for the message, for the account, and for people."""

from __future__ import annotations

import pytest

from connectors.channels.twilio import explain
from connectors.channels.twilio.errors import _REASONS, _TEMPORARY, refused


@pytest.mark.parametrize(
    ("status", "code", "permanent", "whole_account"),
    [
        (429, 20429, False, True),
        (429, 429, False, True),
        (429, None, False, True),
        (400, 63018, False, True),
        (400, 21611, False, True),
        (429, 14107, False, False),  # of one customer only
        (400, 21610, True, False),
        (401, 20003, True, False),
        (503, 20500, False, False),
    ],
)
def test_whom_a_refusal_concerns(
    status: int, code: int | None, permanent: bool, whole_account: bool
) -> None:
    error = refused(status, code, "7")
    assert (error.permanent, error.whole_account) == (permanent, whole_account)
    assert error.retry_after == (None if permanent else 7.0)


def test_the_customer_s_and_the_shop_s_own_troubles_are_explained() -> None:
    told_otherwise = {20404, 21617, 21619, 21623, 21658}  # mistakes of ours, not of the shop's
    for code in set(_REASONS) - _TEMPORARY - told_otherwise:
        told = explain(str(code))
        assert told is not None, code
        assert told.happened.endswith("."), code
        assert told.todo.endswith("."), code

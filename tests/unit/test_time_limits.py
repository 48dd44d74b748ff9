"""The times of ``endpoints.yml``: read, or refused with the key, the value and the next step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.errors import ConfigurationError
from bot.core.time_limits import TimeLimits
from bot.flow.time_limits import KEYS, read_time_limits


def test_what_is_not_named_has_its_default() -> None:
    assert read_time_limits({}) == TimeLimits()


def test_minutes_and_hours() -> None:
    section = {"queue_timeout": 30, "parked_timeout": "90", "reply_window_warning": 0.5}
    assert read_time_limits(section) == TimeLimits(
        timedelta(minutes=30), timedelta(minutes=90), timedelta(minutes=30)
    )


@pytest.mark.parametrize("value", [0, "0", 0.0])
def test_zero_is_never(value: object) -> None:
    assert read_time_limits(dict.fromkeys(KEYS, value)) == TimeLimits(None, None, None)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [-1, "soon", True, float("nan"), float("inf"), [5], 1e12])
def test_anything_else_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_time_limits({key: value})
    assert raised.value.key == f"endpoints.yml: handoff.{key}"
    assert raised.value.value == value or value != value
    assert f"{key}: 60" in str(raised.value)

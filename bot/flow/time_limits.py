"""The times in ``endpoints.yml: handoff``, read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from bot.core.errors import ConfigurationError
from bot.core.time_limits import TimeLimits

QUEUE, PARKED, WARNING = "queue_timeout", "parked_timeout", "reply_window_warning"
KEYS = (QUEUE, PARKED, WARNING)
_LONGEST = timedelta(days=366)


def read_time_limits(section: Mapping[str, object]) -> TimeLimits:
    """The limits of the section ``handoff``; keys that it lacks have their defaults.

    Raises:
        ConfigurationError: A value is no number of minutes or hours.
    """
    default = TimeLimits()
    return TimeLimits(
        queue=_read(section, QUEUE, "minutes", default.queue),
        parked=_read(section, PARKED, "minutes", default.parked),
        warning=_read(section, WARNING, "hours", default.warning),
    )


def _read(
    section: Mapping[str, object], key: str, unit: str, default: timedelta | None
) -> timedelta | None:
    value = section.get(key)
    if value is None:
        return default
    try:
        # A number from the environment is text.
        count = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        count = math.nan
    one = timedelta(**{unit: 1})
    # Written so that NaN is refused too.
    if not 0 <= count <= _LONGEST / one:
        raise ConfigurationError(
            f"endpoints.yml: handoff.{key}",
            f"is not a number of {unit} between 0 and a year",
            f"Write for instance '{key}: 60', 0 for never, or remove the line.",
            value,
        )
    return count * one or None

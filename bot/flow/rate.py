"""How many messages a second an account may send."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from bot.core.errors import ConfigurationError

# A tenth of a second's messages may go at once: more would break a limit that the platform counts
# by the second.
_BURST_SECONDS = 0.1


class TokenBucket:
    """Lets so many messages through a second.

    Args:
        rate: Messages a second; None for no limit.
        clock: Seconds that only grow.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = 1.0 if rate is None else max(1.0, rate * _BURST_SECONDS)
        self._tokens, self._filled_at = self._most, clock()

    def wait(self) -> float:
        """Seconds until the next message may go; 0 now."""
        if self._rate is None:
            return 0.0
        now = self._clock()
        gained = (now - self._filled_at) * self._rate
        self._tokens, self._filled_at = min(self._most, self._tokens + gained), now
        return max(0.0, 1.0 - self._tokens) / self._rate

    def room(self) -> float:
        """How many may go at once, now."""
        return math.inf if self._rate is None else math.floor(self._tokens)

    def take(self) -> None:
        """Notes that a message goes, which `wait` allowed."""
        if self._rate is not None:
            self._tokens -= 1.0


def read_rate(channel: str, value: object) -> float | None:
    """The key ``rate`` of a channel's section in ``credentials.yml``.

    Returns:
        Messages a second; None where the section has no such key: no limit.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if value is None:
        return None
    try:
        # A number from the environment is text.
        rate = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        rate = math.nan
    if not math.isfinite(rate) or rate <= 0:
        raise ConfigurationError(
            f"credentials.yml: {channel}.rate",
            "is not a number of messages a second above 0",
            "Write for instance 'rate: 1', or remove the line for no limit.",
            value,
        )
    return rate

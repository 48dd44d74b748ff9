"""How often one visitor may do something."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_MANY = 10_000


class RateLimit:
    """At most ``times`` in any ``seconds``, for each key.

    It is kept in memory: with several replicas a visitor may do it that often on each of them,
    which still stops a script that writes without end.

    Args:
        times: How often it is allowed.
        seconds: In which time.
        clock: Seconds that only grow.
    """

    def __init__(
        self, times: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._times, self._seconds, self._clock = times, seconds, clock
        self._seen: dict[str, deque[float]] = {}

    def wait(self, key: str) -> float:
        """Counts one attempt.

        Returns:
            0 when it is allowed; else the seconds after which it will be (it is not counted then).
        """
        now = self._clock()
        if len(self._seen) > _MANY:
            self._forget(now)
        seen = self._seen.setdefault(key, deque())
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._times:
            return seen[0] + self._seconds - now
        seen.append(now)
        return 0.0

    def _forget(self, now: float) -> None:
        old = [
            key for key, seen in self._seen.items() if not seen or seen[-1] <= now - self._seconds
        ]
        for key in old:
            del self._seen[key]

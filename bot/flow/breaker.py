"""A circuit breaker: while a platform is down, messages wait instead of failing one by one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from math import inf

from bot.store.outbox import LONGEST_RETRY_AFTER

# So many failures in a row, of at least so many conversations, open it: a message that can never
# be sent must be set aside, and not hold up its neighbours.
FAILURES_TO_OPEN = 5
CONVERSATIONS_TO_OPEN = 2
# How long it stays open: doubled by every probe that fails.
SHORTEST_PAUSE = 5.0
LONGEST_PAUSE = 120.0


class Breaker:
    """One platform account as this process sees it.

    Closed, everything is sent. Open, nothing is, for a pause. When the pause is over, one message
    goes ahead as a probe: the platform's answer closes the breaker, a failure opens it again.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._conversations: set[str] = set()
        self._pause = SHORTEST_PAUSE
        self._until: float | None = None
        self._probing = False

    def wait(self) -> float:
        """Seconds until a message may go: 0 now, infinite while a probe is out."""
        if self._probing:
            return inf
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    @property
    def is_open(self) -> bool:
        """Whether nothing may go but a probe."""
        return self._until is not None

    def begin(self) -> bool:
        """Notes that a message goes, which `wait` allowed.

        Returns:
            Whether it is a probe.
        """
        self._probing = self._until is not None
        return self._probing

    def end(self, *, probe: bool) -> None:
        """Notes that a message came back, whatever became of it: another may be the probe."""
        if probe:
            self._probing = False

    def answered(self) -> None:
        """The platform took a message, or refused it for the message's own sake: it works."""
        self._failures, self._pause, self._until = 0, SHORTEST_PAUSE, None
        self._conversations.clear()

    def failed(self, conversation: str, *, probe: bool) -> None:
        """The platform failed on a message of this conversation."""
        if probe:
            self._open(self._pause * random.uniform(0.75, 1.0))
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
        elif self._until is None:
            self._failures += 1
            self._conversations.add(conversation)
            enough = self._failures >= FAILURES_TO_OPEN
            if enough and len(self._conversations) >= CONVERSATIONS_TO_OPEN:
                self.failed(conversation, probe=True)

    def refused(self, retry_after: float | None, *, probe: bool) -> None:
        """The platform takes nothing from this account for so many seconds."""
        if retry_after is None:
            self._open(self._pause)
            if probe:
                self._pause = min(LONGEST_PAUSE, self._pause * 2)
        else:
            self._open(min(LONGEST_RETRY_AFTER, retry_after))

    def _open(self, seconds: float) -> None:
        # Several messages may be under way at once: the longest wait counts.
        self._until = max(self._until or 0.0, self._clock() + seconds)

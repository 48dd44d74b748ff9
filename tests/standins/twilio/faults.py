"""Trouble on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What goes wrong with one API request."""

    SLOW = "slow"
    STATUS = "status"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Fault:
    """One API request that goes wrong. Made by the class methods.

    Attributes:
        kind: How.
        after: Whether Twilio has done its work before: a message is then taken and goes out.
        seconds: For SLOW.
        status, code, retry_after: For STATUS.
        method: The HTTP method it waits for; empty for any.
    """

    kind: Kind
    after: bool = False
    seconds: float = 0.0
    status: int = 500
    code: int = 20500
    retry_after: str | None = None
    method: str = ""

    @classmethod
    def slow(cls, seconds: float, *, after: bool = False, method: str = "") -> Fault:
        """The answer takes that long."""
        return cls(Kind.SLOW, after, seconds=seconds, method=method)

    @classmethod
    def error(
        cls, status: int, *, code: int = 20500, after: bool = False, method: str = ""
    ) -> Fault:
        """The answer is an error."""
        return cls(Kind.STATUS, after, status=status, code=code, method=method)

    @classmethod
    def throttle(cls, retry_after: str = "1", *, method: str = "") -> Fault:
        """429 with Retry-After."""
        return cls(Kind.STATUS, status=429, code=20429, retry_after=retry_after, method=method)

    @classmethod
    def reset(cls, *, after: bool = False, method: str = "") -> Fault:
        """The connection breaks without an answer."""
        return cls(Kind.RESET, after, method=method)


class Faults:
    """Faults in the order in which requests will meet them."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def add(self, *faults: Fault) -> None:
        """Each spoils one request."""
        self._waiting.extend(faults)

    def take(self, method: str) -> Fault | None:
        """The next fault that concerns the method."""
        for fault in self._waiting:
            if fault.method in ("", method):
                self._waiting.remove(fault)
                return fault
        return None


@dataclass(slots=True)
class Rate:
    """At most `limit` creations in `per` seconds of the stand-in's clock; more get 429."""

    limit: int
    per: float = 1.0
    _times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Counts one; 0 when it may pass, else the seconds until one may."""
        while self._times and self._times[0] <= now - self.per:
            self._times.popleft()
        if len(self._times) >= self.limit:
            return self._times[0] + self.per - now
        self._times.append(now)
        return 0.0


@dataclass(slots=True)
class Callbacks:
    """How status callbacks behave.

    Attributes:
        outcomes: By recipient, the statuses after the first one, instead of the usual; with the
            error code for the last one, or None.
        duplicate: Each is sent twice.
        reverse: The last comes first.
        pause: Seconds between two.
    """

    outcomes: dict[str, tuple[tuple[str, ...], int | None]] = field(default_factory=dict)
    duplicate: bool = False
    reverse: bool = False
    pause: float = 0.0
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def until_released(self) -> None:
        """Waits while they are held back."""
        await self.held.wait()

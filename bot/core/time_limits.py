"""How long a conversation may stay as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The times after which something happens by itself; None: never.

    Attributes:
        queue: For how long a customer waits for an agent before the conversation expires.
        parked: For how long an agent may leave it parked before it expires.
        warning: So long before the end of a channel's reply window agents are told.
    """

    queue: timedelta | None = timedelta(days=1)
    parked: timedelta | None = timedelta(days=7)
    warning: timedelta | None = timedelta(hours=2)

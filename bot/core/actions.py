"""What a custom action gets besides its tracker: the shop's systems and the turn it runs in."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from bot.core.shop import Crm, Pos


@dataclass(frozen=True, slots=True)
class ActionContext:
    """Set around every in-process action.

    Attributes:
        crm, pos: The shop's systems.
        key: Idempotency key of the turn: the inbound message's id. Use `key_for` when writing.
        now: The turn's time (aware, UTC).
        channel: The connector's name.
        timeout: Seconds a lookup may take.
        timezone: IANA name of the shop's time zone.
    """

    crm: Crm
    pos: Pos
    key: str
    now: datetime
    channel: str = ""
    timeout: float = 5.0
    timezone: str = "Europe/London"

    def key_for(self, operation: str) -> str:
        """The idempotency key of one write in this turn."""
        return f"{self.key}:{operation}"


current_action: ContextVar[ActionContext] = ContextVar("current_action")

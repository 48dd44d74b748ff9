"""The port to where humans work: the built-in desk, or a helpdesk the shop already has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.conversation import HandoffReason
from bot.core.identity import Identity


@dataclass(frozen=True, slots=True)
class HandoffCase:
    """What a human gets with the chat.

    Attributes:
        conversation: Its id.
        reason, evidence: Why the bot stopped, and the facts found so far.
        asked: The customer's latest messages, oldest first.
        intents: What the bot understood lately, oldest first.
    """

    conversation: str
    reason: HandoffReason
    evidence: Mapping[str, object]
    asked: Sequence[str]
    intents: Sequence[str]
    identity: Identity
    profile_name: str = ""


class Handoff(Protocol):
    """One place where humans take over. `connectors/handoff/<name>/` offers ``create(...)``."""

    @property
    def name(self) -> str:
        """The connector's name."""
        ...

    async def accept(self, case: HandoffCase) -> str:
        """Takes the case on; called before the turn is committed, and perhaps again after a crash.

        Returns:
            The brief: two or three lines an agent reads instead of the chat.
        """
        ...

    async def aclose(self) -> None:
        """Frees connections."""
        ...

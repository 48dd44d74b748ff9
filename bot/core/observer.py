"""The port through which the message path tells what it does: for metrics and traces.

Nothing that is told here carries a customer's words or personal data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol


class TurnOutcome(StrEnum):
    """How a turn ended."""

    ANSWERED = "answered"
    HANDED_OVER = "handed_over"  # a human was asked to go on
    WITH_HUMAN = "with_human"  # the bot was silent, since a human or the queue has the chat
    FAILED = "failed"  # counted as a failure, to be tried again
    ERROR = "error"  # nothing was written: the database was away, or a bug


class DeliveryOutcome(StrEnum):
    """What became of one attempt to send a message."""

    SENT = "sent"
    FOUND = "found"  # a crash left it open, and the platform has it
    RETRIED = "retried"
    FAILED = "failed"
    DROPPED = "dropped"


class TurnWatch(Protocol):
    """Follows one turn. One that never `ended` did not take place: nothing waited."""

    def passed(self, step: str) -> None:
        """A step is done (``claim``, ``answer`` or ``commit``); the next begins."""
        ...

    def ended(self, outcome: TurnOutcome) -> None:
        """The turn is over."""
        ...


class DeliveryWatch(Protocol):
    """Follows one attempt to send."""

    def ended(self, outcome: DeliveryOutcome) -> None:
        """The attempt is over, and what it came to is stored."""
        ...


class WebhookWatch(Protocol):
    """Follows one webhook request."""

    def answered(self, status: int) -> None:
        """The HTTP status; an error that leaves the context stands for its own."""
        ...


class Observer(Protocol):
    """Is told what the message path does. No method blocks, and none raises."""

    def webhook(self, channel: str) -> AbstractContextManager[WebhookWatch]:
        """One request of a channel, for as long as the context is open."""
        ...

    def repeated(self, channel: str, count: int) -> None:
        """So many messages came again and were not stored twice."""
        ...

    def turn(self, turn: str) -> AbstractContextManager[TurnWatch]:
        """One turn, by its id, for as long as the context is open."""
        ...

    def understood(self, confidence: float) -> None:
        """How sure the bot was of a message, from 0 to 1."""
        ...

    def handed_over(self, reason: str) -> None:
        """A conversation went to humans, for one of `bot.core.conversation.HandoffReason`."""
        ...

    def delivery(self, channel: str) -> AbstractContextManager[DeliveryWatch]:
        """One message that is due, for as long as the context is open."""
        ...


class Unobserved:
    """An `Observer` that nobody listens to."""

    @contextmanager
    def webhook(self, channel: str) -> Iterator[WebhookWatch]:
        """As `Observer.webhook`."""
        yield _Nobody()

    def repeated(self, channel: str, count: int) -> None:
        """As `Observer.repeated`."""

    @contextmanager
    def turn(self, turn: str) -> Iterator[TurnWatch]:
        """As `Observer.turn`."""
        yield _Nobody()

    def understood(self, confidence: float) -> None:
        """As `Observer.understood`."""

    def handed_over(self, reason: str) -> None:
        """As `Observer.handed_over`."""

    @contextmanager
    def delivery(self, channel: str) -> Iterator[DeliveryWatch]:
        """As `Observer.delivery`."""
        yield _Nobody()


class _Nobody:
    def passed(self, step: str) -> None: ...
    def ended(self, outcome: StrEnum) -> None: ...
    def answered(self, status: int) -> None: ...

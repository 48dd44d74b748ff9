"""Messages that failed for good, and what they mean to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.messages import Author


@dataclass(frozen=True, slots=True)
class Explanation:
    """Two plain sentences.

    Attributes:
        happened: What went wrong.
        todo: What to do about it.
    """

    happened: str
    todo: str


Explain = Callable[[str], Explanation | None]
"""A connector's words for a code of its platform; None where it has none. Offered by a module in
``connectors/channels/<name>/`` as ``explain``, which is optional."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was given up. It carries neither its text nor who wrote or got it.

    Attributes:
        id: The message's.
        author: CUSTOMER when the bot failed on a message that came in; else who wrote what could
            not be sent.
        since: When it was given up.
        attempts: How often it was tried.
        error: What went wrong, in the connector's words, or the exception's type.
        code: The platform's error code; empty where there is none.
    """

    id: str
    conversation: str
    channel: str
    author: Author
    since: datetime
    attempts: int
    error: str
    code: str

    @property
    def inbound(self) -> bool:
        """Whether the customer wrote it."""
        return self.author is Author.CUSTOMER


NOT_CONNECTED = "not_connected"
GAVE_UP = "gave_up"
"""Codes of ours, where no platform was asked or none had one."""


def explain(letter: DeadLetter, connectors: Mapping[str, Explain]) -> Explanation:
    """What happened to it, and what to do.

    Args:
        connectors: Who knows a channel's codes, by channel.
    """
    if letter.inbound:
        return Explanation(
            f"The bot failed {letter.attempts} times on this message ({letter.error}) and handed "
            "over to a human.",
            "Look for 'a turn failed' in the log of that time. When the cause is mended, let the "
            "bot try again; if a human has answered since, nothing is left to do.",
        )
    if letter.code == NOT_CONNECTED:
        return Explanation(
            f"The channel '{letter.channel}' is not connected.",
            "Put its section back into credentials.yml, restart, and send it again.",
        )
    if letter.code == GAVE_UP:
        tried = f"was tried {letter.attempts} times, and could not be sent"
        waited = "could not be sent for a day"
        return Explanation(
            f"It {tried if letter.attempts > 1 else waited}: {letter.error.rstrip('.')}.",
            "Send it again when the platform works.",
        )
    known = connectors.get(letter.channel)
    told = known(letter.code) if known and letter.code else None
    if told is not None:
        return told
    if letter.error == letter.code:
        return Explanation(
            f"The platform took the message and could not deliver it (error {letter.code}).",
            "Look the code up in the platform's documentation. Reach the customer another way, or "
            "send it again.",
        )
    return Explanation(
        f"The platform did not take it: {letter.error.rstrip('.')}.",
        "It will not take it until the cause is mended. Mend it, then send it again, or reach "
        "the customer another way.",
    )

"""The port that every messaging channel implements."""

from __future__ import annotations

from typing import Protocol

from bot.core.messages import Capabilities, Outgoing, WebhookRequest, WebhookResult


class Channel(Protocol):
    """One messaging platform, with the credentials of one shop.

    A connector module in ``connectors/channels/<name>/`` offers
    ``create(name: str, credentials: Mapping[str, object], public_url: str) -> Channel``, which
    raises ConfigurationError for a missing or wrong credential.
    """

    @property
    def name(self) -> str:
        """The key in ``credentials.yml`` and in ``/webhooks/<name>/…``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the channel can show."""
        ...

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """Verifies, then parses one webhook request. Does no other work.

        Raises:
            SignatureError: The platform did not send it.
            PayloadError: The body cannot be understood.
        """
        ...

    async def send(self, message: Outgoing) -> str:
        """Hands one message to the platform.

        Returns:
            The platform's id of (the last part of) the message.

        Raises:
            DeliveryError: With ``permanent`` and, where the platform says so, ``retry_after``.
        """
        ...

    async def find_sent(self, message: Outgoing, since: float) -> str | None:
        """Looks up a message whose sending a crash left ambiguous.

        Args:
            message: As it was given to `send`.
            since: Unix time of the attempt.

        Returns:
            The platform's id when the message was sent; None when it was not, or when the platform
            cannot tell.
        """
        ...

    async def aclose(self) -> None:
        """Frees connections."""
        ...

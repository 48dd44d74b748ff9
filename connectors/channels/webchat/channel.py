"""The web chat as a channel: visitors prove themselves by a token that we signed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.core.errors import ConfigurationError, PayloadError, SignatureError
from bot.core.messages import (
    Address,
    Capabilities,
    Inbound,
    Outgoing,
    WebhookRequest,
    WebhookResult,
)
from bot.core.transcript import conversation_id
from connectors.channels.webchat.limits import RateLimit
from connectors.channels.webchat.payload import clean, parse
from connectors.channels.webchat.token import VisitorTokens, new_visitor

SHORTEST_SECRET = 16
MESSAGES_A_MINUTE = 30


class WebchatChannel:
    """Frontdesk's own channel. What it sends is the transcript, which the widget reads.

    Args:
        name: The key in ``credentials.yml``.
        account: The shop's side of every address.
        tokens: Signs and checks visitor tokens.
        origins: Whose pages may embed the widget, as ``https://host[:port]``.
        public_url: Where Frontdesk is reached.
        limit: How often one visitor may write.
    """

    capabilities = Capabilities(
        text_limit=8_000,
        buttons=12,
        button_title_limit=60,
        attachments=10,
        typing=True,
        reads_transcript=True,
    )

    def __init__(
        self,
        name: str,
        account: str,
        tokens: VisitorTokens,
        origins: frozenset[str],
        public_url: str,
        limit: RateLimit | None = None,
    ) -> None:
        self.name, self.public_url, self.origins = name, public_url, origins
        self._account, self._tokens = account, tokens
        self._limit = limit or RateLimit(MESSAGES_A_MINUTE, 60.0)

    def address(self, authorization: str) -> Address:
        """Who is writing.

        Args:
            authorization: The request's Authorization header; empty when it has none.

        Raises:
            SignatureError: It carries no valid visitor token.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise SignatureError("The visitor token is missing: Authorization: Bearer <token>")
        return self._address(self._tokens.visitor(token.strip()))

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """Answers ``session`` and ``messages``; see `bot.core.channel.Channel.receive`."""
        authorization = request.headers.get("authorization", "")
        if request.path == "session":
            return self._session(authorization)
        if request.path == "messages":
            return self._message(self.address(authorization), request.body)
        raise PayloadError("The web chat takes POST on session and messages only")

    async def send(self, message: Outgoing) -> str:
        """Nothing is left to do: the widget reads the message in the transcript."""
        return message.id

    async def find_sent(self, message: Outgoing, since: float) -> str | None:
        """A message in the transcript is a message that was sent."""
        return message.id

    async def aclose(self) -> None:
        """Nothing is open."""

    def _address(self, visitor: str) -> Address:
        return Address(self.name, self._account, visitor)

    def _session(self, authorization: str) -> WebhookResult:
        # A token that is no longer good is refused instead of replaced: the widget must know that
        # it starts anew, and drops what it showed.
        address = self.address(authorization) if authorization else self._address(new_visitor())
        token = self._tokens.issue(address.sender)
        return _json(200, {"token": token, "conversation": conversation_id(address)})

    def _message(self, address: Address, body: bytes) -> WebhookResult:
        sent = parse(body)
        wait = self._limit.wait(address.sender)
        if wait > 0:
            seconds = math.ceil(wait)
            problem = f"Too many messages in a short time. Try again in {seconds} seconds."
            return _json(429, {"detail": problem, "retry_after": seconds})
        inbound = Inbound(
            address=address,
            provider_id=f"{address.sender}:{sent.id}",
            text=clean(sent.text),
            button=sent.button,
        )
        return _json(202, {"accepted": True}, inbound)


def create(name: str, credentials: Mapping[str, object], public_url: str) -> WebchatChannel:
    """Builds the channel from its section of ``credentials.yml``.

    Args:
        name: The section's name.
        credentials: ``secret`` (needed), ``allowed_origins`` (other sites whose pages embed the
            widget; Frontdesk's own origin is always among them) and ``account``.
        public_url: Where Frontdesk is reached from outside.

    Raises:
        ConfigurationError: A key is missing, unknown or wrong.
    """
    for key in credentials:
        if key not in ("secret", "allowed_origins", "account"):
            known = "Known are secret, allowed_origins and account."
            raise ConfigurationError(f"{name}.{key}", "is not a setting of the web chat", known)
    account = credentials.get("account", "default")
    if not isinstance(account, str) or not account:
        raise ConfigurationError(
            f"{name}.account", "is not a name", "Leave it out or write a short name.", account
        )
    tokens = VisitorTokens(_secret(name, credentials.get("secret")))
    origins = _origins(name, credentials.get("allowed_origins"))
    return WebchatChannel(name, account, tokens, origins | {_origin_of(public_url)}, public_url)


def _secret(name: str, secret: object) -> str:
    step = (
        "Set FRONTDESK_SECRET_KEY to a long random text and write secret: ${FRONTDESK_SECRET_KEY}."
    )
    if not isinstance(secret, str) or not secret.strip() or secret.startswith("${"):
        raise ConfigurationError(f"{name}.secret", "is missing", step)
    if len(secret) < SHORTEST_SECRET:
        short = f"is too short to sign with: it needs {SHORTEST_SECRET} characters at least"
        raise ConfigurationError(f"{name}.secret", short, step)
    return secret


def _origins(name: str, listed: object) -> frozenset[str]:
    step = "List every site as https://host, e.g. [https://shop.example]."
    key = f"{name}.allowed_origins"
    if listed is None:
        return frozenset()
    if not isinstance(listed, list | tuple):
        raise ConfigurationError(key, "is not a list", step, listed)
    for origin in listed:
        if not isinstance(origin, str) or not origin or _origin_of(origin) != origin.lower():
            # "*" ends here too: any page could then talk to the chat in a visitor's name.
            raise ConfigurationError(key, "holds something that is not an origin", step, origin)
    return frozenset(origin.lower() for origin in listed)


def _origin_of(url: str) -> str:
    """Scheme, host and port of a URL as browsers write them; empty when it is none."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def _json(status: int, body: dict[str, object], *inbound: Inbound) -> WebhookResult:
    return WebhookResult(
        inbound=inbound, status=status, body=json.dumps(body), content_type="application/json"
    )

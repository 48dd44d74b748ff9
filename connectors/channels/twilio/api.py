"""Twilio's message resource, through the official SDK's async client."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from connectors.channels.twilio.credentials import TwilioCredentials
from connectors.channels.twilio.errors import refused, unreachable
from connectors.channels.twilio.render import Part

# A conversation rarely has more messages than this between an attempt and its repetition.
_LOOK_BACK = 50


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that Twilio has on record as going out; `created` is Unix time, whole seconds."""

    sid: str
    body: str
    media: int
    created: float


@dataclass(slots=True)
class _Exchange:
    """What is known of one HTTP exchange and the SDK does not tell."""

    sent: bool = False
    retry_after: str | None = None


_exchange: ContextVar[_Exchange] = ContextVar("twilio_exchange")


class TwilioApi:
    """Creates and lists messages. Belongs to the event loop of its first call."""

    def __init__(self, credentials: TwilioCredentials, status_callback: str) -> None:
        self._credentials = credentials
        self._status_callback = status_callback
        self._client: Client | None = None

    async def create(self, part: Part, sender: str, recipient: str) -> str:
        """Sends one message.

        Returns:
            Twilio's message SID.

        Raises:
            DeliveryError: `UnconfirmedError` when Twilio may nevertheless have taken it.
        """
        service = self._credentials.messaging_service_sid
        async with self._exchanging() as client:
            message = await client.messages.create_async(
                to=recipient,
                # Beside a Messaging Service too: the answer must come from the number that the
                # customer wrote to, or the reply to it would open a second conversation.
                from_=sender,
                messaging_service_sid=values.unset if service is None else service,
                body=part.body or values.unset,
                media_url=list(part.media) or values.unset,
                status_callback=self._status_callback,
            )
            if not message.sid:
                raise ValueError("no SID")
            return str(message.sid)

    async def recent(self, sender: str, recipient: str) -> list[SentMessage]:
        """The latest messages from the shop's number to the customer, newest first.

        Not filtered by date at Twilio: its filter is on the date of sending, which a queued
        message does not have yet.

        Raises:
            DeliveryError: Twilio could not be asked.
        """
        async with self._exchanging() as client:
            records = await client.messages.list_async(to=recipient, from_=sender, limit=_LOOK_BACK)
        found = [
            SentMessage(
                str(record.sid),
                record.body or "",
                int(record.num_media or 0),
                record.date_created.timestamp(),
            )
            for record in records
            if record.date_created is not None
            and str(record.direction or "").startswith("outbound")
        ]
        # Stable: within one second, which is as exact as its times are, Twilio's order stays.
        return sorted(found, key=lambda message: message.created, reverse=True)

    async def aclose(self) -> None:
        """Closes the SDK's connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.http_client.close()

    @asynccontextmanager
    async def _exchanging(self) -> AsyncIterator[Client]:
        """Times one call of the SDK and turns its exceptions into ours.

        Ours do not chain the SDK's: their texts quote phone numbers.
        """
        exchange = _Exchange()
        token = _exchange.set(exchange)
        try:
            # The SDK's own timeout argument does not reach its async requests.
            async with asyncio.timeout(self._credentials.send_timeout):
                yield self._connected()
        except TwilioException as error:
            status, code = _status_and_code(error)
            raise refused(status, code, exchange.retry_after) from None
        except TimeoutError:
            raise unreachable("time ran out", sent=exchange.sent) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(type(error).__name__, sent=exchange.sent) from None
        except ValueError:
            raise unreachable("its answer was not understood", sent=True) from None
        finally:
            _exchange.reset(token)

    def _connected(self) -> Client:
        # On first use, because the SDK's HTTP client needs a running event loop.
        if self._client is None:
            self._client = _client(self._credentials)
        return self._client


class _BasicAuth:
    """The SDK's hook for credentials.

    Given user and password instead, its async client uses aiohttp's BasicAuth, which aiohttp warns
    about and is to remove.
    """

    def __init__(self, user: str, password: str) -> None:
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._header = f"Basic {encoded}"

    def to_auth_strategy(self) -> _BasicAuth:
        return self

    def get_auth_string(self) -> str:
        return self._header


def _client(credentials: TwilioCredentials) -> Client:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_on_headers_sent)
    trace.on_request_end.append(_on_end)
    # The SDK logs query strings, which hold phone numbers: its logger leads nowhere.
    silent = logging.Logger("twilio", level=logging.CRITICAL + 1)
    client = Client(
        account_sid=credentials.account_sid,
        credential_provider=_BasicAuth(credentials.account_sid, credentials.auth_token),
        http_client=AsyncTwilioHttpClient(trace_configs=[trace], logger=silent),
    )
    if credentials.api_base_url is not None:
        client.api.base_url = credentials.api_base_url
        # Else TWILIO_REGION and TWILIO_EDGE would rewrite the host.
        client.region = client.edge = None
    return client


async def _on_headers_sent(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    _exchange.get().sent = True


async def _on_end(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestEndParams,
) -> None:
    # The SDK's exceptions do not carry the response's headers.
    _exchange.get().retry_after = params.response.headers.get("Retry-After")


def _status_and_code(error: TwilioException) -> tuple[int, int | None]:
    """The SDK has three kinds: two with status and code, and for lists the bare response."""
    response = error.args[1] if len(error.args) > 1 else None
    status = getattr(error, "status", getattr(response, "status_code", 500))
    code = getattr(error, "code", None)
    return int(status), code if isinstance(code, int) else None

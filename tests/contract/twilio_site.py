"""A shop's web server around the Twilio channel, and messages to send by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.core.channel import Channel
from bot.core.errors import WebhookError
from bot.core.messages import (
    Address,
    Attachment,
    Author,
    Button,
    Content,
    Outgoing,
    Status,
    WebhookRequest,
    WebhookResult,
)
from connectors.channels.twilio import create
from tests.standins.twilio import Message, TwilioStandin

SHOP, CUSTOMER = "+447700900100", "+447700900111"
SMS = Address("twilio", SHOP, CUSTOMER)
WHATSAPP = Address("twilio", f"whatsapp:{SHOP}", f"whatsapp:{CUSTOMER}")
PUBLIC_URL = "https://chat.juniper.example"


class Site:
    """The shop's web server: hands webhooks to the channel and keeps the results."""

    def __init__(self) -> None:
        self.url = self.public_url = ""
        self.channel: Channel | None = None
        self.results: list[WebhookResult] = []
        self.refused: list[WebhookError] = []

    async def handle(self, request: web.Request) -> web.Response:
        assert self.channel is not None
        plain = WebhookRequest(
            request.method,
            f"{self.public_url or self.url}{request.rel_url}",
            request.path.rpartition("/")[2],
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        try:
            result = await self.channel.receive(plain)
        except WebhookError as error:
            self.refused.append(error)
            return web.Response(status=403)
        self.results.append(result)
        return web.Response(
            status=result.status, text=result.body, content_type=result.content_type
        )

    @property
    def statuses(self) -> list[Status]:
        return [receipt.status for result in self.results for receipt in result.receipts]


@asynccontextmanager
async def site_of(twilio: TwilioStandin, **credentials: object) -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_post("/webhooks/twilio/{path}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    site.channel = create("twilio", twilio.credentials(SHOP, **credentials), site.url)
    try:
        yield site
    finally:
        await site.channel.aclose()
        await runner.cleanup()


def outgoing(
    text: str = "Hello",
    address: Address = SMS,
    id: str = "m1",
    buttons: tuple[Button, ...] = (),
    attachments: tuple[Attachment, ...] = (),
) -> Outgoing:
    return Outgoing(id, address, Content(text, buttons, attachments), Author.BOT, 1)


def sent(twilio: TwilioStandin) -> list[Message]:
    return [m for m in twilio.record.messages if m.direction == "outbound-api"]

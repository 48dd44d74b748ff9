"""What the stand-in posts, signed, to a real web server: messages and receipts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.core.errors import DeliveryError
from bot.core.messages import (
    Attachment,
    Outgoing,
    Status,
)
from tests.contract.twilio_site import (
    CUSTOMER,
    PUBLIC_URL,
    SHOP,
    SMS,
    WHATSAPP,
    Site,
    outgoing,
    site_of,
)
from tests.standins.twilio import TwilioStandin


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as standin:
        yield standin


@pytest.fixture
async def site(twilio: TwilioStandin) -> AsyncIterator[Site]:
    async with site_of(twilio) as site:
        yield site


class TestReceipts:
    async def run(self, twilio: TwilioStandin, site: Site, message: Outgoing) -> str:
        assert site.channel is not None
        sid = await site.channel.send(message)
        await asyncio.to_thread(twilio.wait_for_callbacks)
        assert site.refused == []
        receipts = [receipt for result in site.results for receipt in result.receipts]
        assert {(r.channel, r.account, r.provider_id) for r in receipts} == {
            ("twilio", message.address.account, sid)
        }
        return sid

    async def test_sms(self, twilio: TwilioStandin, site: Site) -> None:
        await self.run(twilio, site, outgoing())
        assert site.statuses == [Status.SENT, Status.DELIVERED]
        assert all(reply.status == 200 for reply in twilio.record.replies)

    async def test_a_messaging_service_says_more(self, twilio: TwilioStandin) -> None:
        async with site_of(twilio, messaging_service_sid="MG1") as site:
            await self.run(twilio, site, outgoing())
            assert site.statuses == [Status.SENT, Status.DELIVERED]
            assert len(site.results) == 4

    async def test_whatsapp_is_read(self, twilio: TwilioStandin, site: Site) -> None:
        await self.customer_writes(twilio, site)
        await self.run(twilio, site, outgoing(address=WHATSAPP))
        assert site.statuses == [Status.SENT, Status.DELIVERED, Status.READ]

    async def test_outside_the_window(self, twilio: TwilioStandin, site: Site) -> None:
        await self.customer_writes(twilio, site)
        twilio.clock.advance(24 * 3600 + 60)
        await self.run(twilio, site, outgoing(address=WHATSAPP))
        (receipt,) = site.results[-1].receipts
        assert (receipt.status, receipt.error) == (Status.FAILED, "63016")

    async def test_undelivered(self, twilio: TwilioStandin, site: Site) -> None:
        twilio.callbacks.outcomes[CUSTOMER] = (("sent", "undelivered"), 30003)
        await self.run(twilio, site, outgoing())
        assert site.statuses == [Status.SENT, Status.FAILED]
        assert site.results[-1].receipts[0].error == "30003"

    async def test_twice_and_in_any_order(self, twilio: TwilioStandin, site: Site) -> None:
        twilio.callbacks.duplicate = twilio.callbacks.reverse = True
        await self.run(twilio, site, outgoing())
        assert site.statuses == [Status.DELIVERED] * 2 + [Status.SENT] * 2

    async def test_held_back(self, twilio: TwilioStandin, site: Site) -> None:
        assert site.channel is not None
        twilio.hold_callbacks()
        await site.channel.send(outgoing())
        await asyncio.sleep(0.2)
        assert site.statuses == []
        twilio.release_callbacks()
        await asyncio.to_thread(twilio.wait_for_callbacks)
        assert site.statuses == [Status.SENT, Status.DELIVERED]

    async def customer_writes(self, twilio: TwilioStandin, site: Site) -> None:
        await asyncio.to_thread(
            twilio.customer_sends,
            WHATSAPP.sender,
            "hi",
            to=WHATSAPP.account,
            webhook_url=f"{site.url}/webhooks/twilio/webhook",
        )


class TestInbound:
    async def test_a_redelivery_has_the_same_id(self, twilio: TwilioStandin, site: Site) -> None:
        replies = await asyncio.to_thread(
            twilio.customer_sends,
            CUSTOMER,
            "",
            {"https://api.twilio.com/media/1": "image/png"},
            to=SHOP,
            webhook_url=f"{site.url}/webhooks/twilio/webhook?shop=1",
            duplicates=2,
        )
        assert [(r.status, r.content_type) for r in replies] == [(200, "text/xml")] * 3
        messages = [message for result in site.results for message in result.inbound]
        assert len({message.provider_id for message in messages}) == 1
        assert messages[0].attachments == (
            Attachment("https://api.twilio.com/media/1", "image/png"),
        )
        assert messages[0].address == SMS

    async def test_behind_a_proxy_the_public_url_is_signed(
        self, twilio: TwilioStandin, site: Site
    ) -> None:
        hook = "/webhooks/twilio/webhook"
        local, public = site.url + hook, PUBLIC_URL + hook

        async def write() -> int:
            replies = await asyncio.to_thread(
                twilio.customer_sends, CUSTOMER, "hi", to=SHOP, webhook_url=local, sign_as=public
            )
            return replies[0].status

        assert await write() == 403
        site.public_url = PUBLIC_URL
        assert await write() == 200

    async def test_advanced_opt_out(self, twilio: TwilioStandin, site: Site) -> None:
        twilio.use_advanced_opt_out()
        await asyncio.to_thread(
            twilio.customer_sends,
            WHATSAPP.sender,
            "Stop",
            to=WHATSAPP.account,
            webhook_url=f"{site.url}/webhooks/twilio/webhook",
        )
        assert site.results[0].inbound == ()
        assert site.channel is not None
        with pytest.raises(DeliveryError) as caught:
            await site.channel.send(outgoing(address=WHATSAPP))
        assert caught.value.code == "21610"

    async def test_a_shop_that_is_down_gets_it_at_the_fallback(
        self, twilio: TwilioStandin, site: Site
    ) -> None:
        replies = await asyncio.to_thread(
            twilio.customer_sends,
            CUSTOMER,
            "hi",
            to=SHOP,
            webhook_url="http://127.0.0.1:9/webhooks/twilio/webhook",
            fallback_url=f"{site.url}/webhooks/twilio/webhook",
        )
        assert [reply.status for reply in replies] == [200]
        assert len(site.results) == 1

"""Sending with Twilio's real SDK to the stand-in, faults included."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.core.channel import Channel
from bot.core.errors import DeliveryError
from bot.core.messages import (
    Address,
    Attachment,
    Button,
)
from connectors.channels.twilio import create
from tests.contract.twilio_site import (
    CUSTOMER,
    SHOP,
    Site,
    outgoing,
    sent,
    site_of,
)
from tests.standins.twilio import Fault, Rate, TwilioStandin


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as standin:
        yield standin


@pytest.fixture
async def site(twilio: TwilioStandin) -> AsyncIterator[Site]:
    async with site_of(twilio) as site:
        yield site


@pytest.fixture
async def channel(twilio: TwilioStandin) -> AsyncIterator[Channel]:
    """A channel whose status callbacks go nowhere."""
    channel = create("twilio", twilio.credentials(SHOP, send_timeout=2), "http://127.0.0.1:9")
    yield channel
    await channel.aclose()


class TestSend:
    async def test_request(self, twilio: TwilioStandin, channel: Channel) -> None:
        picture = Attachment("/media/a.jpg", "image/jpeg")
        sid = await channel.send(outgoing("Look", attachments=(picture,)))
        (request,) = twilio.record.requests
        assert dict(request.form) == {
            "To": CUSTOMER,
            "From": SHOP,
            "Body": "Look",
            "MediaUrl": "http://127.0.0.1:9/media/a.jpg",
            "StatusCallback": "http://127.0.0.1:9/webhooks/twilio/status",
        }
        assert sent(twilio)[0].sid == sid

    async def test_the_reply_comes_from_the_number_that_was_written_to(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        await channel.send(outgoing(address=Address("twilio", "+447700900199", CUSTOMER)))
        await channel.send(outgoing(address=Address("twilio", "default", CUSTOMER)))
        await channel.send(outgoing(address=Address("twilio", "", f"whatsapp:{CUSTOMER}")))
        senders = [message.sender for message in sent(twilio)]
        assert senders == ["+447700900199", SHOP, f"whatsapp:{SHOP}"]

    async def test_a_messaging_service_keeps_the_number(self, twilio: TwilioStandin) -> None:
        async with site_of(twilio, messaging_service_sid="MG1") as site:
            assert site.channel is not None
            await site.channel.send(outgoing())
            assert (sent(twilio)[0].service, sent(twilio)[0].sender) == ("MG1", SHOP)

    async def test_a_long_text_goes_out_in_order(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        paragraphs = [f"{i} " + "word " * 250 for i in range(4)]
        last = await channel.send(outgoing("\n\n".join(paragraphs)))
        bodies = [message.body for message in sent(twilio)]
        assert bodies == [paragraph.strip() for paragraph in paragraphs]
        assert sent(twilio)[-1].sid == last

    async def test_tokens_stay_here(self, twilio: TwilioStandin, channel: Channel) -> None:
        button = Button("Track it", token="tok-secret", payload="/order_status")
        await channel.send(outgoing("Well?", buttons=(button,)))
        assert sent(twilio)[0].body == "Well?\n\n1. Track it\nReply with a number."

    async def test_nothing_to_say(self, twilio: TwilioStandin, channel: Channel) -> None:
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing(""))
        assert caught.value.permanent
        assert twilio.record.requests == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("address", "code"),
        [
            (Address("twilio", SHOP, "+12"), "21211"),
            (Address("twilio", SHOP, "somebody"), "21211"),
        ],
    )
    async def test_wrong_numbers(
        self, twilio: TwilioStandin, channel: Channel, address: Address, code: str
    ) -> None:
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing(address=address))
        assert (caught.value.permanent, caught.value.code) == (True, code)

    async def test_an_opted_out_customer(self, twilio: TwilioStandin, site: Site) -> None:
        assert site.channel is not None
        url = f"{site.url}/webhooks/twilio/webhook"
        await asyncio.to_thread(twilio.customer_sends, CUSTOMER, "stop", to=SHOP, webhook_url=url)
        assert site.results[0].inbound == ()
        with pytest.raises(DeliveryError) as caught:
            await site.channel.send(outgoing())
        assert (caught.value.permanent, caught.value.code) == (True, "21610")
        assert CUSTOMER not in str(caught.value)
        assert caught.value.__suppress_context__
        await asyncio.to_thread(twilio.customer_sends, CUSTOMER, "START", to=SHOP, webhook_url=url)
        assert await site.channel.send(outgoing())

    async def test_a_wrong_token(self, twilio: TwilioStandin) -> None:
        async with site_of(twilio, auth_token="wrong") as site:
            assert site.channel is not None
            with pytest.raises(DeliveryError) as caught:
                await site.channel.send(outgoing())
            assert (caught.value.permanent, caught.value.code) == (True, "20003")

    async def test_retry_after_is_passed_on(self, twilio: TwilioStandin, channel: Channel) -> None:
        twilio.faults.add(Fault.throttle("12"))
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing())
        assert (caught.value.permanent, caught.value.retry_after) == (False, 12.0)

    async def test_retry_after_is_not_mixed_up(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        twilio.faults.add(*(Fault.throttle(str(i)) for i in range(1, 6)))
        results = await asyncio.gather(
            *(channel.send(outgoing(id=f"m{i}")) for i in range(6)), return_exceptions=True
        )
        waits = sorted(r.retry_after or 0 for r in results if isinstance(r, DeliveryError))
        assert waits == [1.0, 2.0, 3.0, 4.0, 5.0]

    async def test_the_rate(self, twilio: TwilioStandin, channel: Channel) -> None:
        twilio.limit_rate(Rate(limit=2, per=60))
        await channel.send(outgoing(id="a"))
        await channel.send(outgoing(id="b"))
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing(id="c"))
        assert caught.value.retry_after is not None
        assert 55 < caught.value.retry_after <= 60
        twilio.clock.advance(61)
        assert await channel.send(outgoing(id="c"))

    async def test_a_throttled_part_does_not_repeat_the_ones_before(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        twilio.limit_rate(Rate(limit=1, per=60))
        message = outgoing("a" * 1600 + " " + "b" * 1600)
        with pytest.raises(DeliveryError):
            await channel.send(message)
        twilio.clock.advance(61)
        await channel.send(message)
        assert [m.body[0] for m in sent(twilio)] == ["a", "b"]


class TestFaults:
    @pytest.mark.parametrize(
        "fault",
        [Fault.error(500), Fault.error(503), Fault.reset(), Fault.slow(2.5), Fault.throttle()],
        ids=["500", "503", "reset", "slow", "429"],
    )
    async def test_trouble_is_temporary_and_a_retry_sends_once(
        self, twilio: TwilioStandin, channel: Channel, fault: Fault
    ) -> None:
        twilio.faults.add(fault)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing())
        assert not caught.value.permanent
        # What was slow has arrived by then.
        await asyncio.sleep(max(0.0, fault.seconds - 2) + 0.2)
        sid = await channel.send(outgoing())
        assert [message.sid for message in sent(twilio)] == [sid]

    @pytest.mark.parametrize(
        "fault",
        [Fault.error(500, after=True), Fault.reset(after=True), Fault.slow(2.5, after=True)],
        ids=["500", "reset", "slow"],
    )
    async def test_what_was_taken_without_an_answer_is_not_sent_again(
        self, twilio: TwilioStandin, channel: Channel, fault: Fault
    ) -> None:
        twilio.faults.add(fault)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(outgoing())
        assert not caught.value.permanent
        assert await channel.send(outgoing()) == sent(twilio)[0].sid
        assert len(sent(twilio)) == 1

    async def test_while_twilio_cannot_tell_nothing_is_sent(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        twilio.faults.add(Fault.reset(after=True), Fault.error(503, method="GET"))
        for _ in range(2):
            with pytest.raises(DeliveryError):
                await channel.send(outgoing())
        assert await channel.send(outgoing()) == sent(twilio)[0].sid
        assert len(sent(twilio)) == 1

    async def test_nobody_listens(self, twilio: TwilioStandin) -> None:
        async with site_of(twilio, api_base_url="http://127.0.0.1:9") as site:
            assert site.channel is not None
            with pytest.raises(DeliveryError) as caught:
                await site.channel.send(outgoing())
            assert not caught.value.permanent

    async def test_the_timeout_holds(self, twilio: TwilioStandin) -> None:
        async with site_of(twilio, send_timeout=0.3) as site:
            assert site.channel is not None
            twilio.faults.add(Fault.slow(60))
            async with asyncio.timeout(20):
                with pytest.raises(DeliveryError):
                    await site.channel.send(outgoing())

    async def test_logs_hold_no_text_and_no_number(
        self, twilio: TwilioStandin, channel: Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        twilio.faults.add(Fault.reset(after=True))
        with pytest.raises(DeliveryError):
            await channel.send(outgoing("my secret text"))
        await channel.send(outgoing("my secret text"))
        shown = "\n".join(
            record.getMessage() for record in caplog.records if "twilio" in record.name
        )
        assert "secret" not in shown
        assert CUSTOMER[1:] not in shown

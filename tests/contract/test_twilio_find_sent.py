"""Looking up at the stand-in what a crash left open."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from bot.core.channel import Channel
from bot.core.errors import DeliveryError
from bot.core.messages import (
    Address,
    Attachment,
)
from connectors.channels.twilio import create
from tests.contract.twilio_site import (
    CUSTOMER,
    SHOP,
    WHATSAPP,
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
async def channel(twilio: TwilioStandin) -> AsyncIterator[Channel]:
    """A channel whose status callbacks go nowhere."""
    channel = create("twilio", twilio.credentials(SHOP, send_timeout=2), "http://127.0.0.1:9")
    yield channel
    await channel.aclose()


class TestFindSent:
    """As after a crash: another channel object looks for what the first one sent."""

    @asynccontextmanager
    async def restarted(self, twilio: TwilioStandin) -> AsyncIterator[Channel]:
        async with site_of(twilio) as site:
            assert site.channel is not None
            yield site.channel

    async def test_it_was_sent(self, twilio: TwilioStandin, channel: Channel) -> None:
        since = time.time()
        sid = await channel.send(outgoing("Two\nlines "))
        async with self.restarted(twilio) as after:
            assert await after.find_sent(outgoing("Two\nlines "), since) == sid

    async def test_it_was_not(self, twilio: TwilioStandin, channel: Channel) -> None:
        since = time.time()
        await channel.send(outgoing("Something else"))
        await channel.send(outgoing(address=Address("twilio", SHOP, "+447700900122")))
        await channel.send(outgoing(address=Address("twilio", "+447700900199", CUSTOMER)))
        assert await channel.find_sent(outgoing("Hello", id="m2"), since) is None

    async def test_an_equal_text_of_before_is_not_it(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        await channel.send(outgoing())
        async with self.restarted(twilio) as after:
            assert await after.find_sent(outgoing(id="m2"), time.time() + 10) is None

    async def test_an_equal_text_of_another_message_is_not_it(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        since = time.time()
        first = await channel.send(outgoing(id="m1"))
        assert await channel.find_sent(outgoing(id="m2"), since) is None
        assert await channel.find_sent(outgoing(id="m1"), since) == first

    async def test_of_equal_texts_the_last_is_it(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        since = time.time()
        await channel.send(outgoing(id="m1"))
        second = await channel.send(outgoing(id="m2"))
        async with self.restarted(twilio) as after:
            assert await after.find_sent(outgoing(id="m2"), since) == second

    async def test_half_of_it_was_sent(self, twilio: TwilioStandin, channel: Channel) -> None:
        since = time.time()
        message = outgoing("a" * 1600 + " " + "b" * 1600)
        twilio.limit_rate(Rate(limit=1, per=60))
        with pytest.raises(DeliveryError):
            await channel.send(message)
        twilio.limit_rate(None)
        async with self.restarted(twilio) as after:
            assert await after.find_sent(message, since) is None
            sid = await after.send(message)
        assert [m.body[0] for m in sent(twilio)] == ["a", "b"]
        assert sent(twilio)[1].sid == sid

    async def test_equal_files_are_told_apart(
        self, twilio: TwilioStandin, channel: Channel
    ) -> None:
        since = time.time()
        picture = Attachment("https://x.example/a.jpg")
        message = outgoing("", WHATSAPP, attachments=(picture, picture))
        twilio.limit_rate(Rate(limit=1, per=60))
        with pytest.raises(DeliveryError):
            await channel.send(message)
        async with self.restarted(twilio) as after:
            assert await after.find_sent(message, since) is None

    async def test_a_trial_accounts_prefix(self, twilio: TwilioStandin, channel: Channel) -> None:
        since = time.time()
        sid = await channel.send(outgoing())
        sent(twilio)[0].body = "Sent from your Twilio trial account - Hello"
        assert await channel.find_sent(outgoing(), since) == sid

    async def test_twilio_cannot_be_asked(self, twilio: TwilioStandin, channel: Channel) -> None:
        since = time.time()
        sid = await channel.send(outgoing())
        async with self.restarted(twilio) as after:
            twilio.faults.add(Fault.error(500, method="GET"))
            assert await after.find_sent(outgoing(), since) is None
            # It looks again before it sends.
            assert await after.send(outgoing()) == sid
        assert len(sent(twilio)) == 1

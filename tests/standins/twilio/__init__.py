"""A stand-in for Twilio's messaging API and its webhooks, on a local port.

    with TwilioStandin() as twilio:
        channel = create("twilio", twilio.credentials("+447700900100"), public_url)
        twilio.customer_sends("+447700900111", "hello", webhook_url=f"{public_url}/webhooks/…")

`python -m tests.standins.twilio --help` starts one by hand.
"""

from __future__ import annotations

from tests.standins.twilio.faults import Callbacks, Fault, Rate
from tests.standins.twilio.model import Clock, Logged, Message, Reply
from tests.standins.twilio.server import TwilioStandin

__all__ = [
    "Callbacks",
    "Clock",
    "Fault",
    "Logged",
    "Message",
    "Rate",
    "Reply",
    "TwilioStandin",
]

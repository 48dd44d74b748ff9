"""Twilio: SMS, MMS and WhatsApp. `create` is what the wiring calls."""

from __future__ import annotations

from connectors.channels.twilio.channel import TwilioChannel, create

__all__ = ["TwilioChannel", "create"]

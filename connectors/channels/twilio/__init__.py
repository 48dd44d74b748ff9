"""Twilio: SMS, MMS and WhatsApp. `create` and `explain` are what the wiring calls."""

from __future__ import annotations

from connectors.channels.twilio.channel import TwilioChannel, create
from connectors.channels.twilio.explain import explain

__all__ = ["TwilioChannel", "create", "explain"]

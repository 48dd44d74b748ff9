"""The web chat: Frontdesk's own channel, a widget on the shop's pages."""

from connectors.channels.webchat.channel import WebchatChannel, create

__all__ = ["WebchatChannel", "create"]

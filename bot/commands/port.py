"""The port to serve on."""

from __future__ import annotations

import errno
import socket

from bot.core.errors import ConfigurationError
from bot.settings import Settings

# As many connections may wait while no worker takes them, e.g. between two lives.
_BACKLOG = 2048


def check_port(settings: Settings) -> None:
    """Fails early: training first and failing then would waste a minute.

    Raises:
        ConfigurationError: The port is in use, or the address is none of this machine.
    """
    _bound(settings).close()


def listen(settings: Settings) -> socket.socket:
    """The listening socket that several processes share.

    Raises:
        ConfigurationError: As `check_port`.
    """
    listener = _bound(settings)
    listener.listen(_BACKLOG)
    return listener


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
    except OSError as error:
        made.close()
        used = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            "FRONTDESK_PORT" if used else "FRONTDESK_HOST",
            "is in use by another program" if used else f"cannot be used ({error.strerror})",
            f"Stop that program, or choose another: frontdesk serve --port {settings.port + 1}."
            if used
            else "Use 127.0.0.1, or 0.0.0.0 for all addresses of this machine.",
            settings.port if used else settings.host,
        ) from error
    return made

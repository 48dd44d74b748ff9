"""Logging failures whose message may quote a customer."""

from __future__ import annotations

import logging
import traceback


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Logs the error's type and where it came from, but not its message."""
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    logger.error("%s: %s", what, type(error).__name__, extra={"frames": frames})

"""Rasa's logs without what customers wrote: its log lines carry texts, entities and slots."""

from __future__ import annotations

import logging
import warnings
from collections.abc import MutableMapping
from typing import Any

import structlog


def _without_content(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {"event": event.get("event", "")}


def quieten_rasa(level: int) -> None:
    """Keeps the names of Rasa's log events, of this level and above, and none of their values.

    Its standard loggers are held at ERROR: at lower levels they quote messages too.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(max(level, logging.INFO)),
        processors=[
            _without_content,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S"),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )
    for name in ("rasa", "rasa_sdk"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Deprecations inside Rasa, which runs on newer libraries than it was written for.
    warnings.filterwarnings("ignore", module="rasa|sklearn|sanic|pkg_resources")

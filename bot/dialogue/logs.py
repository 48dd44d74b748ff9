"""Rasa's logs without what customers wrote: its log lines carry texts, entities and slots."""

from __future__ import annotations

import logging
import warnings
from collections.abc import MutableMapping
from typing import Any

import structlog

from bot.core.log_context import current_ids


def _without_content(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {"event": event.get("event", "")}


def _renamed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The fields that the other lines have."""
    return {
        "time": event["timestamp"],
        "level": event["level"],
        "logger": "rasa",
        "message": event["event"],
        **current_ids(),
    }


_TEXT = (
    structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S"),
    structlog.dev.ConsoleRenderer(colors=False),
)
_JSON = (
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _renamed,
    structlog.processors.JSONRenderer(),
)


def quieten_rasa(level: int, *, as_json: bool = False) -> None:
    """Keeps the names of Rasa's log events, of this level and above, and none of their values.

    Its standard loggers are held at ERROR: at lower levels they quote messages too.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(max(level, logging.INFO)),
        processors=[
            _without_content,
            structlog.processors.add_log_level,
            *(_JSON if as_json else _TEXT),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )
    for name in ("rasa", "rasa_sdk"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Deprecations inside Rasa, which runs on newer libraries than it was written for.
    warnings.filterwarnings("ignore", module="rasa|sklearn|sanic|pkg_resources")

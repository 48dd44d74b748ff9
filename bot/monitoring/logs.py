"""Log lines, text or JSON: with ids of conversation and turn, without what people wrote."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import traceback
from datetime import UTC, datetime
from typing import Any

from bot.core.errors import ConfigurationError
from bot.core.log_context import current_ids
from bot.dialogue.logs import quieten_rasa
from bot.flow.failures import log_failure

logger = logging.getLogger(__name__)
_FORMATS = ("text", "json")


def configure_logs() -> bool:
    """Sets up logging as FRONTDESK_LOG_LEVEL and FRONTDESK_LOG_FORMAT say.

    Returns:
        Whether lines are JSON.

    Raises:
        ConfigurationError: One of them has a value that is not known.
    """
    level = os.environ.get("FRONTDESK_LOG_LEVEL", "WARNING").upper()
    known = logging.getLevelNamesMapping()
    if level not in known:
        raise ConfigurationError(
            "FRONTDESK_LOG_LEVEL", "is no log level", "Use WARNING, INFO or ERROR.", level
        )
    form = os.environ.get("FRONTDESK_LOG_FORMAT", "text").lower()
    if form not in _FORMATS:
        raise ConfigurationError(
            "FRONTDESK_LOG_FORMAT", "is no log format", "Use text or json.", form
        )
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quieten_rasa(known[level], as_json=form == "json")
    return form == "json"


def log_task_failures(loop: asyncio.AbstractEventLoop) -> None:
    """Logs what goes wrong in tasks that nobody waits for; asyncio itself would quote the error."""

    def log(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            log_failure(logger, "a background task failed", error)
        else:
            logger.error("the event loop reports a problem")

    loop.set_exception_handler(log)


class _Discreet(logging.Formatter):
    """Shows of an error its type and where it was raised: its message may quote a customer."""

    def formatException(self, ei: Any) -> str:
        kind, _, trace = ei
        frames = "".join(traceback.format_tb(trace)).rstrip()
        return f"{kind.__name__ if kind else 'no error'}\n{frames}".rstrip()

    def stack(self, record: logging.LogRecord) -> str:
        """Where it happened; empty where no error is logged."""
        frames = str(getattr(record, "frames", ""))
        return self.formatException(record.exc_info) if record.exc_info else frames


class TextFormatter(_Discreet):
    """One line for people; the frames of an error on the lines below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        ids = " ".join(f"{name}={value}" for name, value in current_ids().items())
        line = self.formatMessage(record) + (f" [{ids}]" if ids else "")
        stack = self.stack(record)
        return f"{line}\n{stack}" if stack else line


class JsonFormatter(_Discreet):
    """One JSON object a line: time, level, logger, message, conversation, turn, stack."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **current_ids(),
        }
        if stack := self.stack(record):
            line["stack"] = stack
        return json.dumps(line, ensure_ascii=False)

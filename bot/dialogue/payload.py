"""What a message means to Rasa: buttons by what the server issued, typing as plain text."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.core.messages import Attachment

_PAYLOAD = re.compile(r"^/(?P<intent>[\w-]+)(?P<entities>\{.*\})?$", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
# Rasa looks behind white space for its shorthand, so "/ / /restart" must not leave one either.
_LEADING = re.compile(r"^[\s/]+")
# Longer messages are cut before they are understood; the transcript keeps them whole.
MAX_UNDERSTOOD = 2_000


def typed_text(text: str, attachments: tuple[Attachment, ...]) -> str:
    """The text that the brain reads.

    A leading ``/`` is text, not Rasa's shorthand for an intent; a message of media alone reads as
    the kind of media it is, e.g. ``[photo]``.
    """
    cleaned = _LEADING.sub("", _CONTROL.sub(" ", text[:MAX_UNDERSTOOD])).strip()
    if cleaned:
        return cleaned
    if not attachments:
        return "?"
    kind = attachments[0].content_type.partition("/")[0]
    return {"image": "[photo]", "audio": "[voice message]", "video": "[video]"}.get(kind, "[file]")


def parse_payload(payload: str) -> dict[str, Any] | None:
    """A button's payload in the form of Rasa's parse result; None when it is plain text."""
    match = _PAYLOAD.match(payload.strip())
    if match is None:
        return None
    values = json.loads(match["entities"]) if match["entities"] else {}
    intent = {"name": match["intent"], "confidence": 1.0}
    return {
        "text": payload,
        "intent": intent,
        "intent_ranking": [intent],
        "entities": [
            {"entity": name, "value": value, "start": 0, "end": len(payload)}
            for name, each in values.items()
            for value in (each if isinstance(each, list) else [each])
        ],
    }

"""What components read: the text of a message, the words of a lookup table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

# The attribute beside Rasa's TEXT, which stays as the customer typed it.
NORMALIZED = "normalized_text"


def readable_text(message: Message) -> str:
    """The text to understand, without white space around it; empty where there is none."""
    normalized = message.get(NORMALIZED)
    return str(message.get(TEXT) or "" if normalized is None else normalized).strip()


def lookup_elements(table: dict[str, Any]) -> list[str]:
    """The elements of one of Rasa's lookup tables, which may be the name of a file instead."""
    elements = table["elements"]
    if isinstance(elements, list):
        return [str(element) for element in elements]
    lines = Path(elements).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]

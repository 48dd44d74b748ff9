"""Reading the domain's slot mappings: what a form would take for a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa.shared.core.domain import Domain


def takes_any_text(domain: Domain, form: str, asked: str) -> bool:
    """Whether whatever the customer writes is what a form has asked for.

    Args:
        form: The form that is active.
        asked: The slot that it asked for.
    """
    return any(
        mapping.get("type") == "from_text"
        and not mapping.get("intent")
        and _applies(mapping, form, asked)
        for mapping in _mappings(domain, [asked])
    )


def takes(
    domain: Domain, form: str, asked: str, intent: str, entities: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether a form would take a message of this intent for the value of one of its slots."""
    return any(
        _fits(mapping, intent, entities) and _applies(mapping, form, asked)
        for mapping in _mappings(domain, domain.required_slots_for_form(form))
    )


def _mappings(domain: Domain, slots: Sequence[str]) -> list[Mapping[str, Any]]:
    return [mapping for slot in domain.slots if slot.name in slots for mapping in slot.mappings]


def _applies(mapping: Mapping[str, Any], form: str, asked: str) -> bool:
    """Whether a mapping is in force while a form asks for a slot."""
    conditions = mapping.get("conditions") or []
    return not conditions or any(
        condition.get("active_loop") == form and condition.get("requested_slot") in (None, asked)
        for condition in conditions
    )


def _fits(mapping: Mapping[str, Any], intent: str, entities: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a mapping takes a value from a message of this intent with these entities."""
    named, excluded = _names(mapping.get("intent")), _names(mapping.get("not_intent"))
    if (named and intent not in named) or intent in excluded:
        return False
    match mapping.get("type"):
        case "from_entity":
            return any(entity.get("entity") == mapping.get("entity") for entity in entities)
        case "from_intent" | "from_text":
            return True
        case _:
            return False


def _names(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(name) for name in value]
    return [str(value)] if value else []

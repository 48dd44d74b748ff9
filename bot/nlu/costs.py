"""The tables of costs in `config.yml`, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rasa.shared.exceptions import InvalidConfigException

from bot.core.decision import Costs, Grievances

PER_INTENT, LISTS = "wrong_answer_of", "never_offered"


def read_costs(component: str, table: object) -> Costs:
    """The costs of outcomes, of which missing ones have their defaults.

    Args:
        component: Whose section of `config.yml` it stands in.
        table: What stands there.

    Raises:
        InvalidConfigException: A key is unknown or a value cannot be a cost.
    """
    given = _table(component, "costs", table)
    _check_keys(component, "costs", given, {each.name for each in fields(Costs)})
    read: dict[str, Any] = {
        key: _cost(component, f"costs.{key}", value)
        for key, value in given.items()
        if key not in (PER_INTENT, LISTS)
    }
    single = _table(component, f"costs.{PER_INTENT}", given.get(PER_INTENT))
    read[PER_INTENT] = {
        str(intent): _cost(component, f"costs.{PER_INTENT}.{intent}", value)
        for intent, value in single.items()
    }
    read[LISTS] = frozenset(read_intents(component, f"costs.{LISTS}", given.get(LISTS)))
    return Costs(**read)


def read_grievances(component: str, table: object) -> Grievances:
    """What signs of a bad conversation cost; raises like `read_costs`."""
    given = _table(component, "conversation", table)
    _check_keys(component, "conversation", given, {each.name for each in fields(Grievances)})
    return Grievances(
        **{key: _cost(component, f"conversation.{key}", value) for key, value in given.items()}
    )


def read_intents(component: str, key: str, value: object) -> list[str]:
    """A list of intents' names.

    Raises:
        InvalidConfigException: It is no list of names.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(component, key, value, "Give a list of intents: [greet, thank]")
    return value


def _table(component: str, key: str, value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(component, key, value, "Give lines of 'name: minutes'.")
    return value


def _check_keys(component: str, key: str, given: Mapping[str, object], known: set[str]) -> None:
    for name in given:
        if name not in known:
            raise _wrong(
                component, f"{key}.{name}", given[name], f"There are: {', '.join(sorted(known))}."
            )


def _cost(component: str, key: str, value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(float(str(value))) or float(str(value)) < 0:
        raise _wrong(component, key, value, "Give a number of an agent's minutes, 0 or more.")
    return float(str(value))


def _wrong(component: str, key: str, value: object, next_step: str) -> InvalidConfigException:
    return InvalidConfigException(
        f"{component} in config.yml: {key} is {value!r}. {next_step} (docs/escalation.md)"
    )

"""The costs of EscalationPolicy as `config.yml` has them, for those who do not run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa.shared.exceptions import InvalidConfigException

from bot.core.decision import Costs
from bot.core.errors import ConfigurationError
from bot.dialogue.escalation import NAME
from bot.nlu.costs import read_costs


def table_of_costs(config: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under ``costs`` of EscalationPolicy.

    Args:
        config: The contents of `config.yml`.

    Raises:
        ConfigurationError: There is no such policy, or no table.
    """
    for policy in config.get("policies") or []:
        if isinstance(policy, Mapping) and str(policy.get("name")).endswith(NAME):
            table = policy.get("costs") or {}
            if not isinstance(table, Mapping):
                raise ConfigurationError(
                    f"{NAME}.costs", "is no table", "Give lines of 'name: minutes'.", table
                )
            return dict(table)
    raise ConfigurationError(
        "config.yml",
        f"has no {NAME} under policies",
        "Add bot.dialogue.escalation.EscalationPolicy, see docs/escalation.md.",
    )


def costs_of(table: Mapping[str, Any]) -> Costs:
    """The costs in a table.

    Raises:
        ConfigurationError: A key is unknown or a value cannot be a cost.
    """
    try:
        return read_costs(NAME, table)
    except InvalidConfigException as error:
        raise ConfigurationError("config.yml", str(error), "Mend that key.") from error

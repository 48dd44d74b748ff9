"""The assistant's own YAML files, with ``${VARIABLES}`` filled in."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from bot.core.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping; empty when there is no such file.

    Variables that the environment does not have stay as they are written, so that their reader can
    say which key needs them.

    Raises:
        ConfigurationError: The file is not YAML, or no mapping; names the line.
    """
    if not path.exists():
        return {}
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(
            path.name,
            f"is not valid YAML{place}: {getattr(error, 'problem', None) or 'cannot be read'}",
            "Mend that line; the lines before it decide the indentation.",
        ) from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigurationError(
            path.name, "must be a list of 'key: value' lines", "See the file's first comment.", data
        )
    expanded: dict[str, Any] = _expand(data)
    return expanded


def _expand(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _expand(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_expand(each) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda m: os.environ.get(m[1], m[0]), value)
    return value

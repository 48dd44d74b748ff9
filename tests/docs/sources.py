"""Reads what the code does, so that the documentation can be held against it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

from bot.settings import Settings
from tests.docs.markdown import ROOT

_READING = {"get", "getenv", "setdefault", "pop"}
_VARIABLE = re.compile(r"FRONTDESK_[A-Z_]+")


@functools.cache
def environment_variables() -> frozenset[str]:
    """Every ``FRONTDESK_…`` variable that something reads."""
    settings = {f"FRONTDESK_{name.upper()}" for name in Settings.model_fields}
    read = {
        text
        for name, text in _calls("bot", "actions", "connectors", "desk", "tests")
        if name in _READING and _VARIABLE.fullmatch(text)
    }
    return frozenset(settings | read)


def fault_points() -> list[str]:
    """The points at which a test can kill the process."""
    return sorted(text for name, text in _calls("bot") if name == "fault_point")


def _calls(*folders: str) -> Iterator[tuple[str, str]]:
    """The name of each function that is called with a text first, and that text."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Name(id=name) | ast.Attribute(attr=name),
                        args=[ast.Constant(value=str(text)), *_],
                    ):
                        yield name, text

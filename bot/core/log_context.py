"""Which conversation and turn a log line belongs to: ids, which say nothing about a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_EMPTY: Mapping[str, str] = {}
_ids: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=_EMPTY)


@contextmanager
def log_ids(**ids: str) -> Iterator[None]:
    """Adds ids to every log line that is written while the context is open, in this task."""
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def current_ids() -> Mapping[str, str]:
    """The ids that hold here, by name."""
    return _ids.get()

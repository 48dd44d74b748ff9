"""Customers' cards, fetched beside the page: a slow shop system must not hold up the chat."""

from __future__ import annotations

import time
from collections.abc import Callable

from nicegui import background_tasks

from bot.core.access import Agent
from bot.flow.desk import Card, Desk
from bot.store.desk import Summary

_FRESH_SECONDS = 30.0
_KEPT = 50


class Cards:
    """The cards of one window.

    Args:
        arrived: Called when a card that was asked for is there.
    """

    def __init__(self, desk: Desk, arrived: Callable[[], None]) -> None:
        self._desk, self._arrived = desk, arrived
        self._known: dict[tuple[str, str | None], tuple[float, Card]] = {}
        self._asked: set[tuple[str, str | None]] = set()

    def of(self, agent: Agent, summary: Summary) -> Card | None:
        """The card as it is known now; None while it is fetched for the first time."""
        if summary.customer_id is None:
            return Card()
        key = (summary.id, summary.customer_id)
        fetched, card = self._known.get(key, (0.0, None))
        old = card is None or time.monotonic() - fetched > _FRESH_SECONDS
        if old and key not in self._asked:
            self._asked.add(key)
            background_tasks.create(self._fetch(agent, summary, key), name="desk-card")
        return card

    async def _fetch(self, agent: Agent, summary: Summary, key: tuple[str, str | None]) -> None:
        try:
            card = await self._desk.card(agent, summary)
        finally:
            self._asked.discard(key)
        while len(self._known) >= _KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[key] = (time.monotonic(), card)
        self._arrived()

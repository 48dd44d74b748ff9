"""What each agent has read."""

from __future__ import annotations

from collections import defaultdict

from bot.core.conversation import WAITING_STATES
from bot.core.messages import Author
from bot.store.desk import Summary
from desk.pages.views import milliseconds

_KEPT = 1000


class Seen:
    """Up to which message each agent has read each conversation; forgotten at a restart."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, int]] = defaultdict(dict)

    def note(self, agent: str, summary: Summary) -> None:
        """The agent has the conversation on the screen."""
        seen = self._seen[agent]
        seen.pop(summary.id, None)
        seen[summary.id] = milliseconds(summary.last_at) or 0
        if len(seen) > _KEPT:
            seen.pop(next(iter(seen)))

    def unread(self, agent: str, summary: Summary) -> bool:
        """Whether there is something new to the agent that concerns them."""
        newest = milliseconds(summary.last_at) or 0
        # Who waits was perhaps answered by the bot last; a human has not read it all the same.
        waits = summary.state in WAITING_STATES
        written = summary.assignee == agent and summary.last_author is Author.CUSTOMER
        return (waits or written) and newest > self._seen[agent].get(summary.id, 0)

"""What the customer is told about who is answering. The words are the designer's: `domain.yml`."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversation import WAITING_STATES
from bot.core.messages import Content
from bot.store import tables as t
from bot.store.rows import utc_now

# Used where domain.yml does not name the response.
_DEFAULTS = {
    "utter_handoff_queued": "I'm passing you to a colleague, who sees this chat. {wait}",
    "utter_agent_joined": "{agent} has joined the chat.",
    "utter_bot_back": "{agent} has left the chat. I'm the shop's assistant again: how can I help?",
    "utter_conversation_resolved": "{agent} has closed this chat. Write any time to start again.",
    "utter_handoff_expired": "I'm sorry, no colleague was free in time. I'm the shop's assistant "
    "again: write any time, or ask for a colleague once more.",
    "utter_parked_expired": "This chat has rested for a while, so I have closed it. Write any time "
    "to start again.",
    "utter_default": "Sorry, I can't help with that here. Would you like a colleague to?",
    "utter_lookup_failed": "I'm sorry, something went wrong on our side.",
}
_DEFAULT_HANDLING = timedelta(minutes=4)
_RECENT = timedelta(hours=4)


class Notices:
    """Finds the words.

    Args:
        responses: Gives the domain's responses of the model in use.
    """

    def __init__(self, responses: Callable[[], dict[str, list[dict[str, Any]]]]) -> None:
        self._responses = responses

    def _say(self, name: str, **values: str) -> Content:
        variations = self._responses().get(name) or []
        texts = [str(v["text"]) for v in variations if v.get("text") and not v.get("channel")]
        text = random.choice(texts) if texts else _DEFAULTS[name]
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        return Content(text.strip())

    def apology(self) -> Content:
        """Said when the bot itself failed."""
        return self._say("utter_lookup_failed")

    def unanswered(self) -> Content:
        """Said when no rule or story has an answer: a customer never hears nothing."""
        return self._say("utter_default")

    def joined(self, agent: str) -> Content:
        """Said when an agent takes the chat."""
        return self._say("utter_agent_joined", agent=agent)

    def back(self, agent: str) -> Content:
        """Said when the bot has the chat again."""
        return self._say("utter_bot_back", agent=agent)

    def resolved(self, agent: str) -> Content:
        """Said when the agent closes the chat."""
        return self._say("utter_conversation_resolved", agent=agent)

    def expired(self, *, parked: bool) -> Content:
        """Said when no agent came in time, or none went on with a parked chat."""
        return self._say("utter_parked_expired" if parked else "utter_handoff_expired")

    async def queued(self, connection: AsyncConnection) -> Content:
        """Said when the chat goes to the queue, with a rough waiting time."""
        return self._say("utter_handoff_queued", wait=_in_words(await _expected_wait(connection)))


async def _expected_wait(connection: AsyncConnection) -> timedelta:
    """People ahead, times how long recent episodes took, shared among the agents at work."""
    ahead = await connection.scalar(
        select(func.count())
        .select_from(t.conversation)
        .where(t.conversation.c.state.in_(WAITING_STATES))
    )
    recent = (
        await connection.execute(
            select(t.episode.c.taken_at, t.episode.c.ended_at, t.episode.c.agent_id).where(
                t.episode.c.ended_at >= utc_now() - _RECENT, t.episode.c.taken_at.is_not(None)
            )
        )
    ).all()
    durations = [row.ended_at - row.taken_at for row in recent]
    handling = sum(durations, timedelta()) / len(durations) if durations else _DEFAULT_HANDLING
    agents = len({row.agent_id for row in recent}) or 1
    return handling * (int(ahead or 0) + 1) / agents


def _in_words(wait: timedelta) -> str:
    minutes = round(wait.total_seconds() / 60)
    if minutes <= 1:
        return "It should take a minute or so."
    if minutes <= 45:
        return f"It should take about {minutes} minutes."
    return "It is busy right now, so it may take an hour or more."

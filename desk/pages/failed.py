"""What an agent may do about messages that failed for good."""

from __future__ import annotations

from bot.core.access import Agent, check_may_replay
from bot.core.errors import ConversationError
from bot.flow.dead_letters import Explained, may_be_asked_again
from bot.store.desk import Summary
from desk.pages import words
from desk.pages.views import ownership_of


def try_again(failed: Explained, summary: Summary, agent: Agent) -> str:
    """The words on the button; empty where the agent may do nothing."""
    ownership = ownership_of(summary)
    try:
        check_may_replay(agent, ownership)
    except ConversationError:
        return ""
    if not failed.letter.inbound:
        return words.SEND_AGAIN
    return words.ASK_AGAIN if may_be_asked_again(ownership, summary.reason) else ""

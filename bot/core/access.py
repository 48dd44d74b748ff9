"""Who may see a conversation, and who may act in it: decided here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.core.conversation import Owner, Ownership
from bot.core.errors import NotVisibleError, TakenError


class Role(StrEnum):
    """What an agent may do; ADMIN may also act in chats of others."""

    AGENT = "agent"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Agent:
    """A human who answers customers."""

    id: str
    email: str
    name: str
    role: Role
    active: bool = True


def check_may_see(agent: Agent) -> None:
    """Every agent at work sees every conversation: the shop is one team.

    Raises:
        NotVisibleError: As if the conversation did not exist.
    """
    if not agent.active:
        raise NotVisibleError("no such conversation")


# Who works on the command line of the server; no chat is theirs.
OPERATOR = Agent("", "", "the command line", Role.AGENT)


def check_may_write(agent: Agent, ownership: Ownership) -> None:
    """Only the agent who took a chat writes in it.

    Raises:
        TakenError: It belongs to the bot, the queue or another agent.
    """
    check_may_see(agent)
    if ownership.owner is not Owner.AGENT:
        raise TakenError("take the conversation first: nobody owns it but the bot or the queue")
    if ownership.assignee != agent.id and agent.role is not Role.ADMIN:
        raise TakenError("another agent owns this conversation")


def check_may_replay(agent: Agent, ownership: Ownership) -> None:
    """What failed may be tried again by everybody who sees it; in a human's chat by that human.

    Raises:
        TakenError: It belongs to another agent.
    """
    check_may_see(agent)
    if ownership.owner is Owner.AGENT:
        check_may_write(agent, ownership)

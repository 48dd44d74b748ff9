"""Who owns a conversation: a state machine, and the reasons why one is handed to a human.

    bot → requested → queued → offered → agent → (parked | returning) → bot | resolved | expired

Every change raises the owner epoch. What is not in `TRANSITIONS` is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.errors import IllegalTransitionError


class State(StrEnum):
    """Where a conversation stands between bot and humans."""

    BOT = "bot"
    REQUESTED = "requested"
    QUEUED = "queued"
    OFFERED = "offered"
    AGENT = "agent"
    PARKED = "parked"
    RETURNING = "returning"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class Trigger(StrEnum):
    """What can happen to a conversation."""

    REQUEST = "request"  # the bot or the customer wants a human
    ENQUEUE = "enqueue"  # the handoff connector accepted it
    OFFER = "offer"  # it is shown to one agent
    DECLINE = "decline"  # that agent did not want it
    TAKE = "take"  # an agent owns it
    PARK = "park"  # the agent waits for something
    RESUME = "resume"  # the agent goes on
    GIVE_BACK = "give_back"  # the agent gives it back to the bot
    RETURNED = "returned"  # the bot has it again
    WITHDRAW = "withdraw"  # the customer no longer wants a human
    RESOLVE = "resolve"  # done
    EXPIRE = "expire"  # nobody came, or nobody wrote, in time
    REOPEN = "reopen"  # the customer writes again


class Owner(StrEnum):
    """Who answers."""

    BOT = "bot"
    QUEUE = "queue"
    AGENT = "agent"
    NOBODY = "nobody"


class HandoffReason(StrEnum):
    """Why a conversation went to a human."""

    CUSTOMER_REQUEST = "customer_request"
    LOW_CONFIDENCE = "low_confidence"
    ACTION_FAILED = "action_failed"
    FORM_LOOP = "form_loop"
    REPEATED_QUESTION = "repeated_question"
    COMPLAINT = "complaint"
    POLICY = "policy"
    ENGINE_ERROR = "engine_error"


_S, _T = State, Trigger

TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (_S.BOT, _T.REQUEST): _S.REQUESTED,
    (_S.BOT, _T.TAKE): _S.AGENT,  # an agent may step in unasked
    (_S.BOT, _T.RESOLVE): _S.RESOLVED,
    (_S.REQUESTED, _T.ENQUEUE): _S.QUEUED,
    (_S.REQUESTED, _T.WITHDRAW): _S.BOT,
    (_S.REQUESTED, _T.EXPIRE): _S.EXPIRED,
    (_S.QUEUED, _T.OFFER): _S.OFFERED,
    (_S.QUEUED, _T.TAKE): _S.AGENT,
    (_S.QUEUED, _T.WITHDRAW): _S.BOT,
    (_S.QUEUED, _T.RESOLVE): _S.RESOLVED,
    (_S.QUEUED, _T.EXPIRE): _S.EXPIRED,
    (_S.OFFERED, _T.DECLINE): _S.QUEUED,
    (_S.OFFERED, _T.TAKE): _S.AGENT,
    (_S.OFFERED, _T.WITHDRAW): _S.BOT,
    (_S.OFFERED, _T.RESOLVE): _S.RESOLVED,
    (_S.OFFERED, _T.EXPIRE): _S.EXPIRED,
    (_S.AGENT, _T.PARK): _S.PARKED,
    (_S.AGENT, _T.GIVE_BACK): _S.RETURNING,
    (_S.AGENT, _T.RESOLVE): _S.RESOLVED,
    (_S.PARKED, _T.RESUME): _S.AGENT,
    (_S.PARKED, _T.GIVE_BACK): _S.RETURNING,
    (_S.PARKED, _T.RESOLVE): _S.RESOLVED,
    (_S.PARKED, _T.EXPIRE): _S.EXPIRED,
    (_S.RETURNING, _T.RETURNED): _S.BOT,
    (_S.RESOLVED, _T.REOPEN): _S.BOT,
    (_S.EXPIRED, _T.REOPEN): _S.BOT,
}

_OWNERS: dict[State, Owner] = {
    _S.BOT: Owner.BOT,
    _S.REQUESTED: Owner.QUEUE,
    _S.QUEUED: Owner.QUEUE,
    _S.OFFERED: Owner.QUEUE,
    _S.AGENT: Owner.AGENT,
    _S.PARKED: Owner.AGENT,
    _S.RETURNING: Owner.NOBODY,
    _S.RESOLVED: Owner.NOBODY,
    _S.EXPIRED: Owner.NOBODY,
}

WAITING_STATES = (State.REQUESTED, State.QUEUED, State.OFFERED)
CLOSED_STATES = (State.RESOLVED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns one conversation right now.

    Attributes:
        epoch: Raised by every change; a bot message of an older epoch is never sent.
        assignee: The agent's id while a human owns it; None otherwise.
    """

    state: State = State.BOT
    epoch: int = 0
    assignee: str | None = None

    @property
    def owner(self) -> Owner:
        """Who answers the customer in this state."""
        return _OWNERS[self.state]

    def after(self, trigger: Trigger, *, agent: str | None = None) -> Ownership:
        """The ownership that follows.

        Args:
            trigger: What happens.
            agent: The agent's id; needed for TAKE.

        Raises:
            IllegalTransitionError: The state does not allow it.
        """
        target = TRANSITIONS.get((self.state, trigger))
        if target is None:
            raise IllegalTransitionError(
                f"a conversation that is '{self.state}' cannot be changed by '{trigger}'"
            )
        if trigger is Trigger.TAKE and not agent:
            raise IllegalTransitionError("an agent is needed to take a conversation")
        assignee = agent if trigger is Trigger.TAKE else self.assignee
        if _OWNERS[target] is not Owner.AGENT:
            assignee = None
        return replace(self, state=target, epoch=self.epoch + 1, assignee=assignee)

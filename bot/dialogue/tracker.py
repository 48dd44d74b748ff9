"""A tracker that remembers what policies have seen of its past.

For each prediction every policy asks for all past states, `RulePolicy` even twice. Rasa's tracker
replays the whole conversation each time; here an event is replayed once.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import is_
from typing import Any

from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    DefinePrevUserUtteredFeaturization,
    EntitiesAdded,
    Event,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

# What a replay stops at: before an action policies saw a state. The others change the message that
# came before them in each replay, though it may have been seen already.
_NOTED = (ActionExecuted, DefinePrevUserUtteredFeaturization, EntitiesAdded)


class ConversationTracker(DialogueStateTracker):
    """Says what Rasa's tracker says, sooner. A copy of it is Rasa's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Rasa's."""
        super().__init__(*args, **kwargs)
        self._known: list[Event] = []
        self._applied: list[Event] = []
        self._past: _Past | None = None

    def applied_events(self) -> list[Event]:
        """The events without those that were undone."""
        if not _same(self.events, self._known):
            self._applied = super().applied_events()
            self._known = list(self.events)
        return list(self._applied)

    def past_states(
        self,
        domain: Domain,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        """What policies see: the state before each action, and now. The caller may change it.

        Args:
            domain: What makes the states.
            omit_unset_slots: Whether slots that were never set are left out.
            ignore_rule_only_turns: Whether turns that only rules know are left out.
            rule_only_data: Slots and loops that only rules know: left out with them.
        """
        applied = self.applied_events()
        if self._past is None or not self._past.goes_on(self, domain, omit_unset_slots, applied):
            self._past = _Past(self, domain, omit_unset_slots)
        self._past.applied = applied
        states: list[State] = _MadeStates().states_for_tracker_history(
            self._past, omit_unset_slots, ignore_rule_only_turns, rule_only_data
        )
        return states


def _same(some: Collection[object], others: Collection[object]) -> bool:
    """Whether these are the same objects."""
    return len(some) == len(others) and all(map(is_, some, others))


class _MadeStates(Domain):
    """Leaves out what only rules know, as every domain does, of states that are made already."""

    def __init__(self) -> None:
        """Takes nothing: all that it is asked for is below."""

    def get_active_state(self, tracker: _Moment, omit_unset_slots: bool = False) -> State:
        """A copy of the moment's state."""
        state = {USER: tracker.message.state()} | tracker.rest
        return {name: dict(part) for name, part in state.items()}


class _Past:
    """The replay of a conversation, which goes on where it stopped; a tracker to `Domain`.

    It holds as long as events and slots are the same objects. An event is taken as it was when it
    was applied, but for what policies change later: whether an action is hidden, and the message.

    Args:
        tracker: The conversation's; gives the slots.
        domain: What makes the states.
        omit_unset_slots: How it makes them.

    Attributes:
        applied: The conversation's events, without those that were undone.
    """

    def __init__(
        self, tracker: DialogueStateTracker, domain: Domain, omit_unset_slots: bool
    ) -> None:
        self.applied: list[Event] = []
        self._domain, self._omit_unset_slots = domain, omit_unset_slots
        self._slots = list(tracker.slots.values())
        self._tracker = tracker.init_copy()
        self._first = self._message = _Message(self._tracker.latest_message, domain)
        self._replayed: list[Event] = []
        self._moments: list[tuple[Event, _Moment]] = []

    def goes_on(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        omit_unset_slots: bool,
        applied: list[Event],
    ) -> bool:
        """Whether what is asked for begins with this."""
        return (
            domain is self._domain
            and omit_unset_slots == self._omit_unset_slots
            and _same(tracker.slots.values(), self._slots)
            and _same(applied[: len(self._replayed)], self._replayed)
        )

    def generate_all_prior_trackers(self) -> Iterator[tuple[_Moment, bool]]:
        """The moment before each action, with whether the action is hidden; then the present."""
        self._first.clear()
        for event, moment in self._moments:
            if isinstance(event, ActionExecuted):
                yield moment, event.hide_rule_turn
            else:
                event.apply_to(moment)
        for event in self.applied[len(self._replayed) :]:
            noted = [(event, self._moment())] if isinstance(event, _NOTED) else []
            if isinstance(event, ActionExecuted):
                yield noted[0][1], event.hide_rule_turn
            event.apply_to(self._tracker)
            self._replayed.append(event)
            self._moments += noted
        yield self._moment(), False

    def _moment(self) -> _Moment:
        tracker = self._tracker
        if self._message.latest is not tracker.latest_message:
            self._message = _Message(tracker.latest_message, self._domain)
        rest = self._domain.get_active_state(tracker, self._omit_unset_slots)
        rest.pop(USER, None)
        return _Moment(
            self._message,
            rest,
            tracker.followup_action,
            tracker.latest_action_name,
            tracker.active_loop_name,
        )


class _Message:
    """What policies see of the customer's latest message at a moment."""

    def __init__(self, latest: UserUttered, domain: Domain) -> None:
        self.latest = latest
        self._domain = domain
        self._made_of: object = None
        self._state: dict[str, Any] = {}

    def clear(self) -> None:
        """Makes the message that stands for none what it is when a replay begins."""
        self.latest.entities.clear()
        self.latest.use_text_for_featurization = None

    def state(self) -> dict[str, Any]:
        """Its part of a state, made again if the message has changed."""
        said = self.latest
        made_of = (said.text, said.intent, said.entities, said.use_text_for_featurization)
        if made_of != self._made_of:
            tracker = DialogueStateTracker("", [])
            tracker.latest_message = said
            self._state = self._domain.get_active_state(tracker).get(USER, {})
            self._made_of = copy.deepcopy(made_of)
        return self._state


@dataclass(frozen=True, slots=True)
class _Moment:
    """The conversation before an event: what `Domain`, and that event, ask of a tracker.

    Attributes:
        message: The customer's latest.
        rest: The state without it.
    """

    message: _Message
    rest: State
    followup_action: str | None
    latest_action_name: str | None
    active_loop_name: str | None

    @property
    def latest_action(self) -> dict[str, str]:
        """A copy: `Domain` gives it away."""
        return dict(self.rest.get(PREVIOUS_ACTION, {}))

    @property
    def latest_message(self) -> UserUttered:
        """The customer's latest message."""
        return self.message.latest

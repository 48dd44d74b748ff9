"""The state machine: every pair of state and trigger, and random sequences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.conversation import TRANSITIONS, Owner, Ownership, State, Trigger
from bot.core.errors import IllegalTransitionError

HUMAN_STATES = {State.AGENT, State.PARKED}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_pair_is_either_a_transition_or_refused(state: State, trigger: Trigger) -> None:
    before = Ownership(state, epoch=7, assignee="a" if state in HUMAN_STATES else None)

    if (state, trigger) not in TRANSITIONS:
        with pytest.raises(IllegalTransitionError, match=state.value):
            before.after(trigger, agent="b")
        return

    after = before.after(trigger, agent="b")
    assert after.state is TRANSITIONS[state, trigger]
    assert after.epoch == 8
    assert (after.assignee is not None) == (after.state in HUMAN_STATES)


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) | {State.BOT} == set(State)
    assert {state for state, _ in TRANSITIONS} == set(State)


def test_the_way_of_the_design() -> None:
    ownership = Ownership()
    way = [
        (Trigger.REQUEST, State.REQUESTED),
        (Trigger.ENQUEUE, State.QUEUED),
        (Trigger.OFFER, State.OFFERED),
        (Trigger.TAKE, State.AGENT),
        (Trigger.PARK, State.PARKED),
        (Trigger.RESUME, State.AGENT),
        (Trigger.GIVE_BACK, State.RETURNING),
        (Trigger.RETURNED, State.BOT),
    ]
    for trigger, state in way:
        ownership = ownership.after(trigger, agent="sam")
        assert ownership.state is state
    assert ownership.epoch == len(way)


def test_taking_needs_an_agent() -> None:
    with pytest.raises(IllegalTransitionError, match="agent is needed"):
        Ownership(State.QUEUED).after(Trigger.TAKE)


def test_parking_keeps_the_agent_and_giving_back_lets_go() -> None:
    taken = Ownership(State.QUEUED).after(Trigger.TAKE, agent="sam")
    assert taken.after(Trigger.PARK).assignee == "sam"
    assert taken.after(Trigger.GIVE_BACK).assignee is None


@given(st.lists(st.sampled_from(Trigger), max_size=40))
def test_the_epoch_counts_changes_and_only_them(triggers: list[Trigger]) -> None:
    ownership, changes = Ownership(), 0
    for trigger in triggers:
        try:
            ownership = ownership.after(trigger, agent="sam")
            changes += 1
        except IllegalTransitionError:
            pass
        assert ownership.epoch == changes
        assert (ownership.owner is Owner.AGENT) == (ownership.assignee is not None)

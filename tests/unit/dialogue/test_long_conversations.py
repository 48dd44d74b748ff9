"""Long conversations: their first events become few, and nothing that a turn needs is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.snapshot import KEPT_EVENTS, LONG, snapshot_of
from bot.dialogue.tracker_store import RecentTrackers, TurnMemory
from tests.process import ROOT

DOMAIN = Domain.load(str(ROOT / "domain.yml"))


def exchange(number: int, *more: Event) -> Iterator[Event]:
    """One question and its answer."""
    yield UserUttered(f"question {number}", {"name": "opening_hours", "confidence": 0.9})
    yield from more
    yield ActionExecuted("action_opening_hours")
    yield BotUttered(f"answer {number}")
    yield ActionExecuted("action_listen")


def conversation(*events: Event) -> DialogueStateTracker:
    """A tracker of these events."""
    return DialogueStateTracker.from_events("c1", list(events), DOMAIN.slots)


def reloaded(tracker: DialogueStateTracker) -> tuple[DialogueStateTracker, int]:
    """The tracker as a snapshot and the newest events give it back, and its number of events."""
    snapshot = snapshot_of(tracker, DOMAIN.slots)
    assert snapshot is not None
    tail = [event.as_dict() for event in tracker.events][-snapshot.kept :]
    events = [*snapshot.events, *tail]
    return DialogueStateTracker.from_dict("c1", events, DOMAIN.slots), len(events)


def long_chat(*first: Event, exchanges: int = 300) -> list[Event]:
    """Some events, and many exchanges after them."""
    rest = [event for number in range(exchanges) for event in exchange(number)]
    return [ActionExecuted("action_listen"), *first, *rest]


def test_a_short_conversation_stays_whole() -> None:
    assert snapshot_of(conversation(*long_chat(exchanges=LONG // 5)), DOMAIN.slots) is None


def test_what_slots_held_before_is_kept() -> None:
    whole = conversation(
        *long_chat(SlotSet("order_number", "JC1000001"), SlotSet("email", "a@b.c"))
    )

    again, events = reloaded(whole)

    assert events < LONG
    assert again.current_slot_values() == whole.current_slot_values()
    assert again.get_slot("order_number") == "JC1000001"
    assert again.latest_message == whole.latest_message
    assert again.latest_action_name == "action_listen"


def test_policies_see_the_same_exchanges() -> None:
    whole = conversation(*long_chat(SlotSet("order_number", "JC1000001")))

    again, _ = reloaded(whole)

    newest = KEPT_EVENTS // 5
    for ignored in (True, False):
        states: list[list[dict[str, Any]]] = [
            t.past_states(DOMAIN, ignore_rule_only_turns=ignored)[-newest:] for t in (whole, again)
        ]
        assert states[0] == states[1]


def test_a_form_is_never_cut_in_two() -> None:
    form = [
        event
        for number in range(60)
        for event in exchange(number, ActiveLoop("verify_form"), SlotSet("requested_slot", "email"))
    ]
    whole = conversation(*long_chat(exchanges=3), *form)

    again, _ = reloaded(whole)

    assert again.active_loop_name == "verify_form"
    assert again.get_slot("requested_slot") == "email"
    assert sum(isinstance(event, UserUttered) for event in again.events) == 60
    assert snapshot_of(conversation(*form), DOMAIN.slots) is None


def test_a_tracker_is_used_again_only_when_nothing_came_between() -> None:
    recent, tracker = RecentTrackers(size=2), conversation(*long_chat(exchanges=1))
    recent.keep(tracker, 6)
    assert recent.take("c1", 7) is None
    recent.keep(tracker, 6)
    assert recent.take("c1", 6) is tracker
    assert recent.take("c1", 6) is None, "two turns would write into one tracker"


def test_trackers_that_are_not_used_are_forgotten() -> None:
    recent = RecentTrackers(size=2)
    for name in ("c1", "c2", "c3"):
        recent.keep(DialogueStateTracker.from_events(name, [], DOMAIN.slots), 1)
    assert recent.take("c1", 1) is None
    assert recent.take("c3", 1) is not None


@pytest.mark.parametrize("kept", [0, 2])
def test_a_turn_on_a_kept_tracker_goes_back_to_where_it_was(kept: int) -> None:
    tracker = conversation(*long_chat(exchanges=2))
    before = [event.as_dict() for event in tracker.events]
    memory = TurnMemory("c1", [], tracker)
    for event in exchange(9):
        tracker.update(event)
    memory.new = [event.as_dict() for event in tracker.events][len(before) :]
    new = list(memory.new)

    memory.undo(kept)

    assert memory.tracker is None
    assert memory.loaded == before + new[:kept]
    assert memory.new == new[:kept]

"""Which wishes wait, and how a turn goes back to before one was tried."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.slots import AnySlot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.mappings import takes, takes_any_text
from bot.dialogue.tracker_store import TurnMemory
from bot.dialogue.waiting import WAIT_SECONDS, WAITING_SLOT, parse_data, still_wanted, waiting_in
from bot.nlu.wishes import Wish
from tests.process import ROOT

DOMAIN = Domain.load(ROOT / "domain.yml")


def tracker(intent: str) -> DialogueStateTracker:
    slot = AnySlot(WAITING_SLOT, mappings=[{}], influence_conversation=False)
    made = DialogueStateTracker("c1", [slot])
    made.update(UserUttered("…", {"name": intent, "confidence": 1.0}))
    return made


def wish(intent: str, at: float = 0.0) -> dict[str, Any]:
    return {"text": intent, "intent": {"name": intent}, "at": at}


@pytest.mark.parametrize(
    ("latest", "refused", "now", "left"),
    [
        ("inform", False, 1.0, ["refund_status", "invoice"]),
        ("refund_status", False, 1.0, ["invoice"]),  # asked again meanwhile
        ("nevermind", False, 1.0, []),
        ("deny", False, 1.0, ["refund_status", "invoice"]),  # "no, keep the order"
        ("deny", True, 1.0, []),  # "no, I won't tell you who I am"
        ("inform", False, WAIT_SECONDS, ["invoice"]),
        ("inform", False, WAIT_SECONDS + 10, []),
    ],
)
def test_what_is_still_wanted(latest: str, refused: bool, now: float, left: list[str]) -> None:
    waiting = [wish("refund_status"), wish("invoice", at=5.0)]
    found = still_wanted(waiting, tracker(latest), now, refused=refused)
    assert [each["intent"]["name"] for each in found] == left


def test_nothing_waits_where_the_domain_has_no_slot_for_it() -> None:
    assert waiting_in(None) == waiting_in(DialogueStateTracker("c1", [])) == []


def test_what_is_not_clear_is_asked_about() -> None:
    ranking = [{"name": "warranty", "confidence": 0.25}]
    parse = {"intent": ranking[0], "intent_ranking": ranking, "entities": [], "text_tokens": []}
    clear = Wish("x", 0, 1, parse)
    assert parse_data(clear)["intent"] == ranking[0]
    asked = parse_data(Wish("x", 0, 1, parse, sure=False))
    assert asked["intent"] == {"name": "nlu_fallback", "confidence": 0.75}
    assert (asked["intent_ranking"], "text_tokens" in asked) == (ranking, False)


@pytest.mark.parametrize(
    ("form", "asked", "any_text"),
    [
        ("address_form", "new_address", True),
        ("ticket_form", "ticket_details", True),
        ("reserve_form", "branch", False),  # only what is nothing else
        ("verify_form", "order_number", False),
        ("cancel_form", "cancel_confirmed", False),
    ],
)
def test_forms_that_wait_for_free_text(form: str, asked: str, any_text: bool) -> None:
    assert takes_any_text(DOMAIN, form, asked) is any_text


@pytest.mark.parametrize(
    ("form", "asked", "intent", "entities", "taken"),
    [
        ("verify_form", "order_number", "refund_status", ["order_number"], True),
        ("verify_form", "order_number", "refund_status", ["branch"], False),
        ("cancel_form", "cancel_confirmed", "affirm", [], True),
        ("cancel_form", "cancel_confirmed", "refund_status", ["order_number"], False),
        ("return_form", "return_reason", "order_status", [], False),
        ("return_form", "return_reason", "inform", [], True),
    ],
)
def test_wishes_that_a_form_would_take_for_a_value(
    form: str, asked: str, intent: str, entities: list[str], taken: bool
) -> None:
    found = [{"entity": entity, "value": "x"} for entity in entities]
    assert takes(DOMAIN, form, asked, intent, found) is taken


def test_a_turn_goes_back_to_where_it_was() -> None:
    history = [{"event": "old"}]
    memory = TurnMemory("c1", history)
    memory.new += [{"event": "a"}, {"event": "b"}, {"event": "c"}]
    memory.tracker = tracker("inform")
    for kept in (2, 1):
        memory.undo(kept)
        assert memory.tracker is None
        assert memory.loaded == [{"event": "old"}, {"event": "a"}, {"event": "b"}][: kept + 1]
    assert (memory.new, history) == ([{"event": "a"}], [{"event": "old"}])

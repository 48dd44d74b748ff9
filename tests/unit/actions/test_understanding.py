"""Not sure once: ask. Twice in a row: a human. And what yes, no and bare values mean."""

from __future__ import annotations

import pytest

from actions.smalltalk import (
    ActionAffirm,
    ActionComplain,
    ActionDeny,
    ActionHandoff,
    ActionNevermind,
)
from actions.stores import ActionOpeningHours
from actions.understanding import TITLES, ActionEscalate, ActionInform, ActionLowConfidence
from connectors.demo import cast
from tests.unit.actions.talk import DOMAIN, Reply, Talk

GUESSES = [("nlu_fallback", 0.4), ("refund_status", 0.2), ("out_of_scope", 0.15), ("invoice", 0.1)]


async def unclear(talk: Talk, intent: str = "nlu_fallback") -> Reply:
    return await talk.say(ActionLowConfidence(), intent, text="the thing with the", ranking=GUESSES)


async def test_once_asks_with_the_two_best(stranger: Talk) -> None:
    reply = await unclear(stranger)
    assert reply.said == ["utter_did_you_mean"]
    buttons = reply.messages[0]["buttons"]
    assert [b["payload"] for b in buttons] == ["/refund_status", "/invoice"]
    assert [b["title"] for b in buttons] == ["Where's my refund?", "Get an invoice"]
    assert reply.handoff is None


@pytest.mark.parametrize("second", ["nlu_fallback", "out_of_scope"])
async def test_twice_in_a_row_hands_over_with_evidence(stranger: Talk, second: str) -> None:
    await unclear(stranger)
    reply = await unclear(stranger, second)
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "low_confidence"
    assert reply.handoff["evidence"]["guesses"] == [
        {"intent": "refund_status", "confidence": 0.2},
        {"intent": "invoice", "confidence": 0.1},
    ]


def decision(**facts: object) -> dict[str, object]:
    """The event by which EscalationPolicy tells its decision."""
    value = {"expected": {"ask": 3.1}, "signals": {"anger": 3.0}, "reason": None} | facts
    return {"event": "slot", "name": "decision", "value": value}


async def test_the_policys_decision_counts_more_than_the_rounds(stranger: Talk) -> None:
    async def decided(**facts: object) -> Reply:
        message = {
            "text": "the thing",
            "intent": {"name": "nlu_fallback"},
            "intent_ranking": [{"name": "invoice", "confidence": 0.4}],
            "entities": [],
        }
        stranger.events += [{"event": "user", "text": "the thing", "parse_data": message}]
        stranger.events += [decision(**facts)]
        return await stranger.then(ActionLowConfidence())

    await unclear(stranger)
    assert (await decided(kind="ask")).said == ["utter_did_you_mean"]
    reply = await decided(kind="hand_over", reason="complaint")
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "complaint"
    assert reply.handoff["evidence"]["expected_cost"] == {"ask": 3.1}
    assert reply.handoff["evidence"]["spoke_against"] == {"anger": 3.0}


async def test_an_old_decision_is_not_taken_for_the_current_one(stranger: Talk) -> None:
    stranger.events += [decision(kind="hand_over", reason="complaint")]
    assert (await unclear(stranger)).handoff is None


async def test_a_conversation_that_goes_badly_ends_with_a_human(maya: Talk) -> None:
    maya.form = "return_form"
    await maya.say(ActionOpeningHours(), "opening_hours")
    maya.events += [decision(kind="hand_over", reason="repeated_question")]
    reply = await maya.then(ActionEscalate())
    assert reply.said == ["utter_escalate"]
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "repeated_question"
    assert reply.left_form
    assert reply.next == "action_listen"


async def test_an_understood_turn_in_between_starts_anew(stranger: Talk) -> None:
    await unclear(stranger)
    await stranger.say(ActionOpeningHours(), "opening_hours")
    assert (await unclear(stranger)).handoff is None


async def test_a_response_without_an_action_starts_anew_too(stranger: Talk) -> None:
    await unclear(stranger)
    understood = {"intent": {"name": "thank"}, "entities": []}
    stranger.events += [
        {"event": "user", "text": "thanks", "parse_data": understood},
        {"event": "action", "name": "utter_welcome"},
    ]
    assert (await unclear(stranger)).handoff is None


async def test_after_a_handoff_counting_starts_anew(stranger: Talk) -> None:
    await unclear(stranger)
    assert (await unclear(stranger)).handoff is not None
    assert (await unclear(stranger)).handoff is None


async def test_no_guess_asks_for_other_words(stranger: Talk) -> None:
    reply = await stranger.say(ActionLowConfidence(), "nlu_fallback", text="asdf jkl qwer uiop yx")
    assert reply.said == ["utter_rephrase"]


async def test_inside_a_form_no_other_topics_are_offered(stranger: Talk) -> None:
    stranger.form = "verify_form"
    reply = await unclear(stranger)
    assert reply.said == ["utter_not_understood_in_form"]
    assert not reply.left_form
    assert (await unclear(stranger)).left_form


async def test_a_bare_value_is_understood_without_confidence(stranger: Talk) -> None:
    reply = await stranger.say(
        ActionLowConfidence(), "nlu_fallback", text="London", branch="London"
    )
    assert reply.next == "action_inform"
    assert (await stranger.say(ActionInform(), text="London", branch="London")).next == (
        "action_opening_hours"
    )


def test_titles_fit_on_every_channel() -> None:
    assert set(TITLES) <= set(DOMAIN["intents"])
    assert [title for title in TITLES.values() if len(title) > 20] == []


async def test_yes_does_what_was_offered_just_before(stranger: Talk) -> None:
    assert (await stranger.say(ActionComplain(), "complain")).slots["offer"] == "action_handoff"
    assert (await stranger.say(ActionAffirm(), "affirm")).next == "action_handoff"
    reply = await stranger.then(ActionHandoff())
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "complaint"


async def test_yes_later_is_not_taken_for_the_offer(stranger: Talk) -> None:
    await stranger.say(ActionComplain(), "complain")
    await stranger.say(ActionOpeningHours(), "opening_hours")
    reply = await stranger.say(ActionAffirm(), "affirm")
    assert reply.said == ["utter_yes_to_what"]
    assert reply.next is None


async def test_the_second_complaint_brings_a_human(stranger: Talk) -> None:
    first = await stranger.say(ActionComplain(), "complain", text="😡")
    assert first.titles() == ["Talk to a person"]
    assert first.handoff is None
    second = await stranger.say(ActionComplain(), "complain", text="😡😡")
    assert second.handoff is not None
    assert second.handoff["reason"] == "complaint"


async def test_a_wish_for_a_human_is_granted_inside_a_form(maya: Talk) -> None:
    maya.form = "return_form"
    maya.slots["order_number"] = cast.RETURNABLE
    reply = await maya.say(ActionHandoff(), "request_human")
    assert reply.handoff is not None
    assert reply.handoff["reason"] == "customer_request"
    assert reply.handoff["evidence"]["order_number"] == cast.RETURNABLE
    assert reply.handoff["evidence"]["form"] == "return_form"
    assert reply.left_form


@pytest.mark.parametrize("action", [ActionDeny, ActionNevermind])
async def test_no_and_never_mind_leave_a_form_kindly(
    maya: Talk, action: type[ActionDeny] | type[ActionNevermind]
) -> None:
    maya.form = "return_form"
    maya.slots |= {"pending_action": "action_order_status", "form_misses": 1}
    reply = await maya.say(action(), "deny")
    assert reply.said == ["utter_left_form"]
    assert reply.left_form
    assert maya.slots["pending_action"] is None


async def test_a_value_goes_to_what_was_asked(maya: Talk) -> None:
    maya.slots["pending_action"] = "action_cancel_order"
    reply = await maya.say(ActionInform(), order_number=cast.CANCELLABLE)
    assert reply.next == "action_cancel_order"


async def test_a_value_refines_the_last_answer(stranger: Talk) -> None:
    stranger.slots |= {"topic": "action_check_stock", "product": "Rowan Winter Coat"}
    reply = await stranger.say(ActionInform(), text="and in Leeds?", branch="Leeds")
    assert reply.next == "action_check_stock"


async def test_another_order_inside_a_form_starts_it_anew(maya: Talk) -> None:
    maya.form = "cancel_form"
    reply = await maya.say(ActionInform(), order_number=cast.CANCELLABLE)
    assert reply.next == "action_cancel_order"


async def test_a_form_that_goes_round_twice_ends_with_a_human(stranger: Talk) -> None:
    stranger.form = "verify_form"
    first = await stranger.say(ActionInform(), colour="blue")
    assert first.said == ["utter_not_what_was_asked"]
    second = await stranger.say(ActionInform(), colour="red")
    assert second.handoff is not None
    assert second.handoff["reason"] == "form_loop"
    assert second.left_form


async def test_a_value_out_of_the_blue_asks_what_for(stranger: Talk) -> None:
    reply = await stranger.say(ActionInform(), email="jo@example.com")
    assert reply.said == ["utter_what_about_it"]

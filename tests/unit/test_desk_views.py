"""What the desk shows of stored values."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.access import Agent, Role
from bot.core.conversation import HandoffReason, State
from bot.core.dead_letters import DeadLetter, Explanation
from bot.core.decision import Grievances, Kind
from bot.core.identity import Identity
from bot.core.messages import Author, Status
from bot.core.shop import OrderState
from bot.core.transcript import TranscriptMessage
from bot.flow.dead_letters import Explained
from bot.flow.desk import Card
from bot.store.desk import Episode, Summary
from desk.pages import customer, views, words
from desk.pages.failed import try_again
from desk.pages.seen import Seen

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
SAM = Agent("sam", "sam@shop.example", "Sam", Role.AGENT)
BOSS = Agent("boss", "boss@shop.example", "Robin", Role.ADMIN)


def summary(state: State = State.QUEUED, **changes: Any) -> Summary:
    waits = state in (State.REQUESTED, State.QUEUED, State.OFFERED)
    made = Summary(
        id="c1",
        channel="twilio",
        sender="whatsapp:+447700900123",
        profile_name="Maya",
        customer_id=None,
        identity=Identity.ANONYMOUS,
        state=state,
        owner_epoch=1,
        assignee=None,
        assignee_name="",
        last_text="hello\nthere",
        last_author=Author.CUSTOMER,
        last_at=NOW,
        reason=HandoffReason.CUSTOMER_REQUEST if waits else None,
        waiting_since=NOW - timedelta(minutes=3) if waits else None,
        updated_at=NOW,
    )
    return replace(made, **changes)


def owned(by: str = "sam", name: str = "Sam", **changes: Any) -> Summary:
    return summary(State.AGENT, assignee=by, assignee_name=name, **changes)


def able(of: Summary, agent: Agent = SAM) -> list[str]:
    actions: Any = views.head(of, agent)["actions"]
    return [action["key"] for action in actions if action["able"]]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (summary(State.BOT), ["take", "resolve"]),
        (summary(State.REQUESTED), []),
        (summary(State.QUEUED), ["take", "resolve"]),
        (summary(State.OFFERED), ["take", "resolve"]),
        (owned(), ["return", "resolve"]),
        (owned("alex", "Alex"), []),
        (summary(State.PARKED, assignee="sam"), ["return", "resolve"]),
        (summary(State.RETURNING), []),
        (summary(State.RESOLVED), ["take"]),
        (summary(State.EXPIRED), ["take"]),
    ],
)
def test_buttons_follow_the_ownership(shown: Summary, expected: list[str]) -> None:
    assert able(shown) == expected


def test_an_administrator_may_act_in_chats_of_others() -> None:
    assert able(owned(), BOSS) == ["return", "resolve"]
    told = views.composer(owned(), BOSS)
    assert (told["mayReply"], told["hint"]) == (True, "Sam answers here")


def test_why_one_cannot_reply() -> None:
    assert views.composer(summary(), SAM)["hint"] == "Take the conversation to reply"
    assert views.composer(owned("alex", "Alex"), SAM)["hint"] == "Alex answers here"
    assert views.composer(owned(), SAM) == {"conversation": "c1", "mayReply": True, "hint": ""}


def test_a_line_of_the_queue() -> None:
    line = views.queue_line(summary(), SAM, unread=True)
    assert (line["name"], line["channel"], line["last"]) == ("Maya", "WhatsApp", "hello there")
    assert (line["reason"], line["tone"]) == ("Asked for a human", "warn")
    assert line["since"] == views.milliseconds(NOW - timedelta(minutes=3))
    assert views.queue_line(owned(), SAM, unread=False)["assignee"] == "You"
    angry = views.queue_line(summary(reason=HandoffReason.COMPLAINT), SAM, unread=False)
    assert angry["tone"] == "bad"
    new = views.queue_line(summary(reason="some_new_code"), SAM, unread=False)
    assert new["reason"] == "Some new code"


@pytest.mark.parametrize(
    ("channel", "sender", "name", "shown"),
    [
        ("twilio", "whatsapp:+447700900123", "WhatsApp", "+447700900123"),
        ("twilio", "+447700900123", "SMS", "+447700900123"),
        ("webchat", "v-1234567890ab", "Web chat", "Visitor 7890ab"),
        ("shop_app", "x1", "Shop app", "x1"),
    ],
)
def test_channels_and_strangers_have_names(
    channel: str, sender: str, name: str, shown: str
) -> None:
    line = views.queue_line(
        summary(channel=channel, sender=sender, profile_name=" "), SAM, unread=False
    )
    assert (line["channel"], line["name"]) == (name, shown)


def test_who_waits_longest_comes_first_then_the_newest() -> None:
    minutes = [timedelta(minutes=m) for m in range(10)]
    shown = [
        owned(id="answered", last_author=Author.AGENT, last_at=NOW - minutes[2]),
        owned(id="asks", last_at=NOW - minutes[1]),
        owned(id="newest", last_author=Author.AGENT, last_at=NOW),
        owned(id="asks-long", last_at=NOW - minutes[9]),
        summary(id="queued", waiting_since=NOW - minutes[5]),
    ]
    order = [each.id for each in views.by_waiting(shown)]
    assert order == ["asks-long", "queued", "asks", "newest", "answered"]


def test_unread_is_what_concerns_the_agent() -> None:
    seen = Seen()
    assert seen.unread("sam", summary())
    assert seen.unread("sam", summary(last_author=Author.BOT))
    assert seen.unread("sam", owned())
    assert not seen.unread("sam", owned("alex"))
    assert not seen.unread("sam", owned(last_author=Author.AGENT))
    assert not seen.unread("sam", summary(State.BOT))
    seen.note("sam", summary())
    assert not seen.unread("sam", summary())
    assert seen.unread("alex", summary())
    assert seen.unread("sam", summary(last_at=NOW + timedelta(seconds=1)))


def line(**changes: Any) -> TranscriptMessage:
    made = TranscriptMessage("m1", 1, Author.CUSTOMER, "", "hi", (), (), Status.PROCESSED, NOW)
    return replace(made, **changes)


def test_what_the_bot_understood_in_one_line() -> None:
    understood = {"intent": "order_status", "confidence": 0.514, "entities": [{"entity": "sku"}, 5]}
    shown = views.message(line(understood=understood), "Maya", SAM)
    assert (shown["understood"], shown["unsure"]) == ("order status · 51% · sku: None", True)
    for odd in (None, {}, {"intent": None}, {"intent": "x", "confidence": None, "entities": None}):
        shown = views.message(line(understood=odd), "Maya", SAM)
        assert (shown["understood"], shown["unsure"]) in (("", False), ("x", False))


def test_why_the_bot_asked_or_handed_over_in_one_line() -> None:
    offered = [{"intent": "order_status", "probability": 0.41}, {"intent": "refund_status"}]
    decision = {
        "kind": "ask",
        "offered": offered,
        "expected": {"answer": 3.54, "ask": 2.78, "hand_over": 6.0},
        "signals": {},
    }
    assert views.decided({"decision": decision}) == (
        "Not sure: order status 41%, refund status 0%; "
        "in minutes, answering costs 3.5, asking 2.8, an agent 6.0"
    )
    worse = decision | {"kind": "hand_over", "offered": [], "signals": {"anger": 3, "odd_sign": 1}}
    assert views.decided({"decision": worse}) == (
        "Handed over: no guess; in minutes, answering costs 3.5, asking 2.8, an agent 6.0; "
        "because the customer is angry, odd sign"
    )
    answered: dict[str, object] = {"decision": decision | {"kind": "answer"}}
    for plain in (None, {}, answered):
        assert views.decided(plain) == ""


def test_several_wishes_stand_in_one_line() -> None:
    also: list[object] = [
        {"intent": "refund_status", "confidence": 0.9, "entities": []},
        {"intent": "nlu_fallback", "confidence": 0.55},
        {"intent": "invoice", "earlier": True},
        {"intent": None},
        5,
    ]
    understood = {"intent": "cancel_order", "confidence": 0.98, "also": also}
    shown = views.message(line(understood=understood), "Maya", SAM)
    expected = "cancel order · 98% + refund status · 90% + nlu fallback · 55% ↩ invoice"
    assert (shown["understood"], shown["unsure"]) == (expected, True)
    shown = views.message(line(understood={"intent": "x", "also": None}), "Maya", SAM)
    assert (shown["understood"], shown["unsure"]) == ("x", False)


def test_who_said_it_and_what_became_of_it() -> None:
    def shown(**changes: Any) -> tuple[object, object, object]:
        view = views.message(line(**changes), "Maya", SAM)
        status: Any = view["status"]
        return view["kind"], view["name"], status and status["label"]

    agent = {"author": Author.AGENT, "author_name": "Sam"}
    assert shown() == ("customer", "Maya", None)
    assert shown(author=Author.BOT, status=Status.READ) == ("bot", "Bot", "Read")
    assert shown(**agent, status=Status.FAILED) == ("agent", "You", "Not delivered")
    assert shown(**agent, status=Status.NOTE) == (
        "note",
        "You · internal note",
        "Only agents see this",
    )
    warning = {"author": Author.SYSTEM, "author_name": "", "status": Status.NOTE}
    assert shown(**warning)[:2] == ("note", "Frontdesk · internal note")


DEAD = DeadLetter("m1", "c1", "twilio", Author.BOT, NOW, 1, "opted out", "21610")


def test_a_message_that_failed_for_good_says_why_and_what_to_do() -> None:
    told = Explained(DEAD, Explanation("They opted out.", "Call them."))
    view: Any = views.message(
        line(author=Author.BOT, status=Status.FAILED), "Maya", SAM, told, "Send again"
    )
    assert (view["failed"], view["again"]) == ("They opted out. Call them.", "Send again")
    view = views.message(
        line(), "Maya", SAM, Explained(replace(DEAD, author=Author.CUSTOMER), told.explanation)
    )
    assert view["status"]["label"] == "The bot failed on this"
    view = views.message(
        line(author=Author.BOT, status=Status.FAILED, replayed_at=NOW), "Maya", SAM
    )
    assert view["status"]["label"] == "Not delivered; sent again"
    assert (view["failed"], view["again"]) == ("", "")


@pytest.mark.parametrize(
    ("where", "send", "ask"),
    [
        (summary(State.BOT), True, True),
        (summary(State.QUEUED), True, False),
        (summary(State.QUEUED, reason=HandoffReason.ENGINE_ERROR), True, True),
        (owned(), True, False),
        (owned("alex", "Alex"), False, False),
        (summary(State.RESOLVED), True, False),
    ],
)
def test_who_may_try_again(where: Summary, send: bool, ask: bool) -> None:
    told = Explanation("", "")
    assert bool(try_again(Explained(DEAD, told), where, SAM)) is send
    inbound = replace(DEAD, author=Author.CUSTOMER)
    assert bool(try_again(Explained(inbound, told), where, SAM)) is ask


def episode(**changes: Any) -> Episode:
    made = Episode("e1", "low_confidence", {}, "Known: order FD-1.", None, None, NOW, None, None)
    return replace(made, **changes)


def test_the_brief_tells_each_fact_once_and_folds_when_answered() -> None:
    facts = {"order": "FD-1", "tried": ["cancel_order", {"b": 1}], "empty": "", "left": 2.5}
    shown: Any = views.brief([episode(evidence=facts)], [])
    assert shown["title"] == "Not understood"
    assert [(f["name"], f["value"]) for f in shown["facts"]] == [
        ("Tried", "cancel order, b 1"),
        ("Left", "2.5"),
    ]
    assert not shown["answered"]
    note = line(author=Author.AGENT, status=Status.NOTE)
    assert not (views.brief([episode()], [note]) or {})["answered"]
    reply = line(author=Author.AGENT, status=Status.SENT)
    assert (views.brief([episode()], [reply]) or {})["answered"]
    assert views.brief([episode(ended_at=NOW)], []) is None
    assert views.brief([], []) is None


def test_the_card_before_and_without_a_customer() -> None:
    assert customer.card(None, Identity.CONFIRMED)["loading"]
    empty = customer.card(Card(), Identity.ANONYMOUS)
    assert (empty["customer"], empty["orders"], empty["loading"]) == (None, [], False)
    assert customer.card(Card(problem="down"), Identity.CONFIRMED)["problem"] == "down"


def test_everything_has_words() -> None:
    assert set(words.REASONS) == set(HandoffReason)
    assert set(words.COSTS) == set(Kind) == {*words.DECISIONS, Kind.ANSWER}
    assert set(words.SIGNS) == {field.name for field in fields(Grievances)}
    assert set(words.STATES) == set(State)
    assert set(words.IDENTITIES) == set(Identity)
    assert set(words.ORDERS) == set(OrderState)
    assert set(words.DELIVERIES) == set(Status) - {Status.RECEIVED, Status.PROCESSED}

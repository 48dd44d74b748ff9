"""The decision by expected cost: what it does, and that it moves in the right direction."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.core.conversation import HandoffReason
from bot.core.decision import Costs, Decision, Grievances, Guess, Kind, decide, weigh
from bot.core.tradeoff import Case, Outcome, curve, outcome
from bot.nlu.costs import read_costs

COSTS = Costs(
    wrong_answer_of={"opening_hours": 4, "cancel_order": 15}, never_offered=frozenset({"greet"})
)
WEIGHTS = Grievances()
NAMES = ["opening_hours", "cancel_order", "invoice", "greet", "out_of_scope"]


@st.composite
def rankings(draw: st.DrawFn) -> list[Guess]:
    """Probabilities that add up to one at most."""
    parts = draw(st.lists(st.floats(0.001, 1), min_size=1, max_size=len(NAMES)))
    names = draw(st.permutations(NAMES))
    total = sum(parts) + draw(st.floats(0, 1))
    ranked = [(n, p / total) for n, p in zip(names, parts, strict=False)]
    return sorted(ranked, key=lambda guess: -guess[1])


SIGNS = st.dictionaries(
    st.sampled_from(["asked_just_before", "asked_before", "rephrased", "anger"]), st.integers(0, 4)
)
BOLDNESS = [Kind.ANSWER, Kind.ASK, Kind.HAND_OVER]


def decided(
    ranking: list[Guess], costs: Costs = COSTS, signs: dict[str, int] | None = None
) -> Decision:
    return decide(weigh(ranking, costs), costs, WEIGHTS.of(signs or {}))


@pytest.mark.parametrize(
    ("ranking", "kind"),
    [
        ([("opening_hours", 0.6), ("invoice", 0.1)], Kind.ANSWER),
        ([("cancel_order", 0.6), ("invoice", 0.1)], Kind.ASK),
        ([("cancel_order", 0.97), ("invoice", 0.01)], Kind.ANSWER),
        ([("invoice", 0.45), ("opening_hours", 0.4)], Kind.ASK),
        ([("out_of_scope", 0.5), ("opening_hours", 0.49)], Kind.ASK),
        ([("nlu_fallback", 0.9), ("opening_hours", 0.9)], Kind.ANSWER),
        ([("nlu_fallback", 0.9)], Kind.ASK),
        ([], Kind.ASK),
    ],
)
def test_an_error_that_costs_little_is_risked(ranking: list[Guess], kind: Kind) -> None:
    assert decided(ranking).kind is kind


def test_a_question_offers_the_two_best_that_can_be_offered() -> None:
    ranking = [("invoice", 0.3), ("greet", 0.25), ("out_of_scope", 0.2), ("cancel_order", 0.15)]
    found = weigh(ranking, COSTS)
    assert found.offered == (("invoice", 0.3), ("cancel_order", 0.15))
    assert found.ask == pytest.approx(2 + 0.55 * 3)
    assert found.answer == pytest.approx(0.7 * 6)


UNSURE = [("invoice", 0.3), ("cancel_order", 0.25)]
SURE = [("invoice", 0.97)]


@pytest.mark.parametrize(
    ("ranking", "signs", "reason"),
    [
        (UNSURE, {}, None),
        (UNSURE, {"asked_just_before": 1}, HandoffReason.LOW_CONFIDENCE),
        (UNSURE, {"anger": 1}, HandoffReason.COMPLAINT),
        (SURE, {"asked_just_before": 1}, None),
        (SURE, {"rephrased": 1}, None),
        (SURE, {"rephrased": 2}, HandoffReason.REPEATED_QUESTION),
        (SURE, {"form_circles": 3, "asked_before": 1}, HandoffReason.FORM_LOOP),
        (SURE, {"refused": 3}, HandoffReason.POLICY),
    ],
)
def test_what_goes_badly_ends_with_a_human_and_says_why(
    ranking: list[Guess], signs: dict[str, int], reason: HandoffReason | None
) -> None:
    found = decided(ranking, signs=signs)
    assert (found.kind is Kind.HAND_OVER, found.reason) == (reason is not None, reason)


@given(rankings(), st.floats(0, 50), st.floats(0, 50))
def test_dearer_errors_never_make_it_bolder(ranking: list[Guess], one: float, other: float) -> None:
    low, high = sorted((one, other))
    kinds = [decided(ranking, replace(COSTS, caution=c)).kind for c in (low, high)]
    assert BOLDNESS.index(kinds[0]) <= BOLDNESS.index(kinds[1])


@given(rankings(), SIGNS, st.sampled_from(["asked_just_before", "rephrased", "anger"]))
def test_a_worse_conversation_never_makes_it_bolder(
    ranking: list[Guess], signs: dict[str, int], more: str
) -> None:
    before = decided(ranking, signs=signs).kind
    after = decided(ranking, signs=signs | {more: signs.get(more, 0) + 1}).kind
    assert BOLDNESS.index(before) <= BOLDNESS.index(after)


@given(rankings(), SIGNS, st.floats(0, 30), st.floats(0, 30))
def test_a_dearer_agent_never_brings_more_of_them(
    ranking: list[Guess], signs: dict[str, int], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    cheap, dear = (decided(ranking, replace(COSTS, hand_over=c), signs) for c in (low, high))
    assert cheap.kind is Kind.HAND_OVER or dear.kind is not Kind.HAND_OVER


@given(rankings(), SIGNS)
def test_the_default_asks_once_and_hands_over_the_second_time(
    ranking: list[Guess], signs: dict[str, int]
) -> None:
    config = yaml.safe_load((Path(__file__).parents[2] / "config.yml").read_text(encoding="utf-8"))
    costs = read_costs("EscalationPolicy", config["policies"][0]["costs"])
    first = decided(ranking, costs)
    assert first.kind is not Kind.HAND_OVER
    if first.kind is Kind.ASK:
        assert decided(ranking, costs, signs | {"asked_just_before": 1}).kind is Kind.HAND_OVER


def test_facts_are_names_and_numbers() -> None:
    facts = decided(UNSURE, signs={"anger": 1}).as_facts()
    assert facts == {
        "kind": "hand_over",
        "offered": [
            {"intent": "invoice", "probability": 0.3},
            {"intent": "cancel_order", "probability": 0.25},
        ],
        "expected": {"answer": 7.2, "ask": 6.35, "hand_over": 6.0},
        "signals": {"anger": 3.0},
        "reason": "complaint",
        "weighed": True,
    }


# --- what it does to many messages ---


def test_an_outcome_counts_errors_questions_and_humans() -> None:
    cases = [
        Case(SURE, "invoice"),
        Case(SURE, "out_of_scope"),
        Case(UNSURE, "cancel_order"),
        Case(UNSURE, "opening_hours"),
        Case(UNSURE, "invoice", {"asked_just_before": 6.0}),
    ]
    found = outcome(cases, COSTS)
    assert found == Outcome(right=1, wrong=1, helped=1, missed=1, handed_over=1)
    assert (found.total, found.asked, found.humans) == (5, 2, 2)


def test_where_nobody_knows_the_probabilities_are_believed() -> None:
    found = outcome([Case(SURE), Case(UNSURE)], COSTS)
    assert [found.right, found.wrong] == pytest.approx([0.97, 0.03])
    assert [found.helped, found.missed] == pytest.approx([0.55, 0.45])


@given(st.lists(rankings(), min_size=1, max_size=5))
def test_along_the_curve_errors_fall_and_nothing_is_lost(each: list[list[Guess]]) -> None:
    points = [result for _, result in curve([Case(ranking) for ranking in each], COSTS)]
    wrong = [point.wrong for point in points]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(wrong))
    assert all(point.total == pytest.approx(len(each)) for point in points)

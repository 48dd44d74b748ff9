"""EscalationPolicy on real trackers: what it sees in a conversation, and what it votes for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from actions.understanding import TITLES
from bot.dialogue.escalation import EscalationPolicy
from bot.dialogue.grievances import exchanges, is_angry, signs
from bot.nlu.fallback import ExpectedCostFallback
from bot.training import check_costs
from tests.process import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
SECTION = {k: v for k, v in CONFIG["policies"][0].items() if k != "name"}


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load(str(ROOT / "domain.yml"))


def made(folder: Path, **changes: Any) -> EscalationPolicy:
    config = EscalationPolicy.get_default_config() | SECTION | changes
    context = ExecutionContext(GraphSchema({}), "test")
    return EscalationPolicy(config, LocalModelStorage(folder), Resource("p"), context)


@pytest.fixture
def policy(tmp_path: Path) -> EscalationPolicy:
    return made(tmp_path)


def said(
    intent: str,
    text: str = "some words or other",
    *,
    sure: float = 0.97,
    second: str = "invoice",
    entities: tuple[dict[str, str], ...] = (),
) -> list[Event]:
    """The customer writes; `sure` is the probability of the likeliest intent."""
    ranking = [{"name": intent, "confidence": sure}, {"name": second, "confidence": (1 - sure) / 2}]
    if intent == "nlu_fallback":
        ranking.insert(1, {"name": "refund_status", "confidence": 0.35})
    parsed = {"intent": ranking[0], "intent_ranking": ranking, "entities": list(entities)}
    message = UserUttered(text, ranking[0], list(entities), parsed)
    return [ActionExecuted("action_listen"), message]


def answered(action: str = "action_opening_hours", *slots: SlotSet) -> list[Event]:
    return [ActionExecuted(action), BotUttered("…", metadata={"utter_action": "utter_x"}), *slots]


def asked() -> list[Event]:
    return answered("action_low_confidence", SlotSet("low_confidence_count", 1))


UNSURE = said("nlu_fallback", "the thing with the", sure=0.6)


def vote(policy: EscalationPolicy, domain: Domain, *parts: list[Event]) -> tuple[str | None, Any]:
    """The action it votes for, and the decision it notes."""
    events = [event for part in parts for event in part]
    tracker = DialogueStateTracker.from_events("c", events, domain.slots, domain=domain)
    found: PolicyPrediction = policy.predict_action_probabilities(tracker, domain)
    best = max(range(domain.num_actions), key=lambda i: found.probabilities[i])
    action = domain.action_names_or_texts[best] if found.probabilities[best] else None
    noted = [event.value for event in found.events if isinstance(event, SlotSet)]
    return action, noted[0] if noted else None


def test_a_sure_answer_is_left_to_the_others(policy: EscalationPolicy, domain: Domain) -> None:
    action, decision = vote(policy, domain, said("opening_hours"))
    assert action is None
    assert decision["kind"] == "answer"
    assert decision["expected"]["answer"] == pytest.approx(0.12)


def test_not_sure_once_asks_twice_hands_over(policy: EscalationPolicy, domain: Domain) -> None:
    action, decision = vote(policy, domain, UNSURE)
    assert (action, decision["kind"]) == ("action_low_confidence", "ask")
    action, decision = vote(policy, domain, UNSURE, asked(), UNSURE)
    assert (action, decision["kind"]) == ("action_low_confidence", "hand_over")
    assert decision["reason"] == "low_confidence"
    between = said("opening_hours"), answered()
    assert vote(policy, domain, UNSURE, asked(), *between, UNSURE)[1]["kind"] == "ask"


def test_without_the_pipelines_part_it_asks_by_itself(
    policy: EscalationPolicy, domain: Domain
) -> None:
    doubtful = said("cancel_order", sure=0.6)
    assert vote(policy, domain, doubtful)[0] == "action_low_confidence"
    assert vote(policy, domain, doubtful, asked())[0] == "action_listen"
    assert vote(policy, domain, UNSURE, asked())[0] is None, "a rule says so"


def test_the_same_question_a_third_time_brings_a_human(
    policy: EscalationPolicy, domain: Domain
) -> None:
    once = [*said("return_policy", "how long can i return"), *answered()]
    assert vote(policy, domain, once, said("return_policy", "and returning?"))[0] is None
    action, decision = vote(policy, domain, once, once, said("return_policy", "returns??"))
    assert action == "action_escalate"
    assert decision["reason"] == "repeated_question"
    about_leeds = ({"entity": "branch", "value": "Leeds"},)
    assert vote(policy, domain, once, once, said("return_policy", entities=about_leeds))[0] is None


def test_a_reminder_is_no_question_of_the_customers(
    policy: EscalationPolicy, domain: Domain
) -> None:
    reminder = [ActionExecuted("action_listen"), UserUttered.create_external("return_policy")]
    once = [*reminder, *answered()]
    assert vote(policy, domain, once, once, said("return_policy", "returns??"))[0] is None
    assert vote(policy, domain, once, reminder) == (None, None)


@pytest.mark.parametrize("intent", ["affirm", "thank", "greet", "request_human", "complain"])
def test_small_talk_and_wishes_are_left_alone(
    policy: EscalationPolicy, domain: Domain, intent: str
) -> None:
    bad = [*said("opening_hours", "FFS WHEN ARE YOU OPEN!!!"), *answered()] * 3
    action, decision = vote(policy, domain, bad, said(intent, "YES YES DO IT ALREADY!!!"))
    assert (action, decision["kind"]) == (None, "answer")


def test_a_button_and_a_tests_message_are_no_guess(
    policy: EscalationPolicy, domain: Domain
) -> None:
    pressed = said("cancel_order", "/cancel_order", sure=0.1)
    assert vote(policy, domain, pressed) == (None, None)
    story = [ActionExecuted("action_listen"), UserUttered("x", {"name": "nlu_fallback"})]
    assert vote(policy, domain, story) == (None, None)


ASKING = [ActiveLoop("address_form"), SlotSet("requested_slot", "new_address")]


def test_what_a_form_took_is_no_request(policy: EscalationPolicy, domain: Domain) -> None:
    begun = [*said("change_address"), *answered("action_change_address"), *ASKING]
    address = [*said("nlu_fallback", "12 Mill Lane, Otley", sure=0.8)]
    taken = vote(policy, domain, begun, address, [SlotSet("new_address", "12 Mill Lane, Otley")])
    assert (taken[0], taken[1]["kind"], taken[1]["weighed"]) == (None, "answer", False)
    assert vote(policy, domain, begun, address)[0] == "action_low_confidence"


def test_a_bare_value_is_no_doubt(policy: EscalationPolicy, domain: Domain) -> None:
    place = said(
        "nlu_fallback", "Leeds", sure=0.8, entities=({"entity": "branch", "value": "Leeds"},)
    )
    assert vote(policy, domain, UNSURE, asked(), place)[0] is None


def seen(*parts: list[Event]) -> dict[str, int]:
    found = signs(exchanges([event for part in parts for event in part]))
    return {name: count for name, count in found.items() if count}


def test_circles_of_a_form_count_and_digressions_do_not() -> None:
    begun = [*said("change_address"), *answered("action_change_address"), *ASKING]
    refused = [*said("inform", "my house"), *answered("address_form")]
    left = [ActionExecutionRejected("address_form"), *answered()]
    aside = [*said("opening_hours"), *left]
    assert seen(begun, aside, said("inform")) == {}
    assert seen(begun, refused, refused, said("inform")) == {"form_circles": 2}


def test_refusals_and_a_human_in_between() -> None:
    no = BotUttered("no", metadata={"utter_action": "utter_refused_already_shipped"})
    refused = [*said("cancel_order"), ActionExecuted("action_cancel_order"), no]
    assert seen(refused, said("invoice", "an invoice please")) == {"refused": 1}
    human = BotUttered("", {"custom": {"handoff": {"reason": "policy"}}})
    assert seen(refused, [*said("request_human"), human], said("invoice")) == {}


@pytest.mark.parametrize(
    ("text", "angry"),
    [
        ("WHERE IS MY PARCEL", True),
        ("this is ridiculous", True),
        ("😡", True),
        ("hello!!!", True),
        ("FD-104233 JNP-100 OK", False),
        ("IT IS OK", False),
        ("where is my parcel?", False),
        ("/complain_loudly", False),
        ("scrap paper and a classic shirt", False),
    ],
)
def test_anger(text: str, angry: bool) -> None:
    (exchange,) = exchanges(said("order_status", text))
    assert bool(is_angry(exchange)) is angry


# --- configuration ---


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("costs", {"question": -1}, "costs.question is -1"),
        ("costs", {"question": "two"}, "costs.question is 'two'"),
        ("costs", {"question": True}, "costs.question is True"),
        ("costs", {"hand_over": float("nan")}, "costs.hand_over is nan"),
        ("costs", {"hand_ovr": 3}, "costs.hand_ovr is 3"),
        ("costs", {"wrong_answer_of": {"invoice": "x"}}, "costs.wrong_answer_of.invoice is 'x'"),
        ("costs", [1], "costs is"),
        ("costs", {"never_offered": "greet"}, "costs.never_offered is 'greet'"),
        ("conversation", {"anger": -1}, "conversation.anger is -1"),
        ("conversation", {"angr": 1}, "There are: anger"),
        ("untouched", {"greet": 1}, "untouched is"),
    ],
)
def test_wrong_costs_are_explained(tmp_path: Path, key: str, value: Any, named: str) -> None:
    with pytest.raises(InvalidConfigException) as error:
        made(tmp_path, **{key: value})
    assert named in str(error.value)
    assert str(error.value).startswith("EscalationPolicy in config.yml: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"costs": {"wrong_answer_of": {"cancel_ordr": 5}}},
        {"costs": {"never_offered": ["cancel_ordr"]}},
        {"untouched": ["cancel_ordr"]},
    ],
)
def test_unknown_intents_are_named_in_training(
    tmp_path: Path, domain: Domain, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidConfigException, match="'cancel_ordr', which is no intent"):
        made(tmp_path, **changes).train([], domain)


def test_what_the_domain_lacks_is_named_in_training(
    tmp_path: Path, policy: EscalationPolicy, domain: Domain
) -> None:
    policy.train([], domain)
    for part in ({"actions": ["action_low_confidence"]}, {"actions": domain.user_actions}):
        bare = Domain.from_dict({"intents": CONFIG_INTENTS, **part})
        with pytest.raises(InvalidConfigException, match=r"action_escalate|'decision'"):
            policy.train([], bare)


CONFIG_INTENTS = sorted(
    {
        *SECTION["costs"]["wrong_answer_of"],
        *SECTION["costs"]["never_offered"],
        *SECTION["untouched"],
    }
)


def test_what_is_never_offered_has_no_title(domain: Domain) -> None:
    never = set(SECTION["costs"]["never_offered"]) | {"nlu_fallback", "out_of_scope"}
    assert never == set(domain.intents) - set(TITLES) - {"restart", "back", "session_start"}


# --- the pipeline's part ---


def understood(*ranking: tuple[str, float]) -> tuple[str | None, list[str]]:
    """The intent and the ranking's names after `ExpectedCostFallback`."""
    guesses = [{"name": name, "confidence": p} for name, p in ranking]
    first = guesses[0] if guesses else {"name": None, "confidence": 0.0}
    message = Message({"text": "x", "intent": first, "intent_ranking": guesses})
    (out,) = ExpectedCostFallback({"costs": SECTION["costs"]}).process([message])
    return out.get("intent")["name"], [each["name"] for each in out.get("intent_ranking")]


def test_doubt_is_named_as_rasa_names_it() -> None:
    sure, doubt = ("opening_hours", 0.9), ("cancel_order", 0.5)
    assert understood(sure) == ("opening_hours", ["opening_hours"])
    assert understood(doubt) == ("nlu_fallback", ["nlu_fallback", "cancel_order"])
    assert understood(("out_of_scope", 0.4), doubt)[0] == "out_of_scope"
    assert understood() == ("nlu_fallback", ["nlu_fallback"])


def test_both_parts_have_the_same_costs(tmp_path: Path) -> None:
    check_costs(ROOT / "config.yml")
    other = {"name": "bot.nlu.fallback.ExpectedCostFallback", "costs": {"question": 9}}
    (tmp_path / "config.yml").write_text(yaml.safe_dump({**CONFIG, "pipeline": [other]}))
    with pytest.raises(Exception, match="different costs"):
        check_costs(tmp_path / "config.yml")

"""The domain, the rules and the actions name the same things, and the words fit every channel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk.executor import ActionExecutor

from actions.base import REFUSALS
from actions.forms import ShopForm
from actions.understanding import REFINED_BY, STARTED_BY, VALUE_MEANS
from bot.core.shop import OrderState, ReturnState
from tests.unit.actions.talk import DOMAIN, ROOT

# One with options of its own is a mapping.
ENTITIES = {e if isinstance(e, str) else next(iter(e)) for e in DOMAIN["entities"]}

BUTTON_TITLE_LIMIT = 20  # WhatsApp's and Messenger's


def actions_by_name() -> dict[str, Any]:
    executor = ActionExecutor()
    executor.register_package("actions")
    return {name: run.__self__ for name, run in executor.actions.items()}


def test_every_action_of_the_domain_is_written_and_every_written_one_is_known() -> None:
    assert set(actions_by_name()) == set(DOMAIN["actions"])


def used_in_flows() -> set[str]:
    names: set[str] = set()
    for path in [*(ROOT / "data/rules").glob("*.yml"), *(ROOT / "data/stories").glob("*.yml")]:
        names |= set(re.findall(r"action: (\w+)", path.read_text(encoding="utf-8")))
    return names


def named_in(folder: Path) -> set[str]:
    """The responses that a package's source names."""
    sources = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return {name for source in sources for name in re.findall(r"\"(utter_\w+)\"", source)}


def said_by_actions() -> set[str]:
    composed = [
        *REFUSALS.values(),
        *(f"utter_order_{state.value}" for state in OrderState),
        *(f"utter_return_{state.value}" for state in ReturnState),
        *(f"utter_ticket_{kind}" for kind in ("damaged_item", "wrong_item", "missing_item")),
        *(f"utter_ask_for_{slot}" for slot in ("size", "colour")),
    ]
    return named_in(ROOT / "actions") | set(composed)


def asked_by_forms() -> set[str]:
    return {
        name
        for form, parts in DOMAIN["forms"].items()
        for slot in parts["required_slots"]
        for name in (f"utter_ask_{form}_{slot}", f"utter_ask_{slot}")
    }


def test_no_response_is_missing_and_none_is_left_over() -> None:
    flows = {name for name in used_in_flows() if name.startswith("utter_")}
    said = said_by_actions() | flows
    assert said <= set(DOMAIN["responses"])
    # The engine's own notices (a human takes over, …) may be worded in the domain too.
    assert set(DOMAIN["responses"]) <= said | asked_by_forms() | named_in(ROOT / "bot")


@pytest.mark.parametrize("form", DOMAIN["forms"])
def test_every_form_is_checked_and_can_ask_for_each_slot(form: str) -> None:
    assert f"validate_{form}" in DOMAIN["actions"]
    known = set(DOMAIN["responses"]) | set(DOMAIN["actions"])
    for slot in DOMAIN["forms"][form]["required_slots"]:
        ways = {f"{kind}_ask_{part}" for kind in ("utter", "action") for part in
                (slot, f"{form}_{slot}")}  # fmt: skip
        assert ways & known, f"{form} cannot ask for {slot}"


@pytest.mark.parametrize("name", DOMAIN["responses"])
def test_answers_vary_and_their_buttons_fit(name: str) -> None:
    variations: list[dict[str, Any]] = DOMAIN["responses"][name]
    assert len(variations) >= 2
    for variation in variations:
        for button in variation.get("buttons", ()):
            assert len(button["title"]) <= BUTTON_TITLE_LIMIT
            intent, _, entities = button["payload"].removeprefix("/").partition("{")
            assert intent in DOMAIN["intents"]
            if entities:  # braces are doubled because Rasa fills in {slots}
                values = json.loads("{" + entities.removeprefix("{").replace("}}", "}"))
                assert set(values) <= ENTITIES


def test_every_intent_is_answered() -> None:
    answered: set[str] = set()
    for path in (ROOT / "data/rules").glob("*.yml"):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            answered |= {step["intent"] for step in rule["steps"] if "intent" in step}
    assert answered == set(DOMAIN["intents"])


def test_tables_in_actions_name_what_exists() -> None:
    actions = set(actions_by_name())
    assert set(VALUE_MEANS.values()) | set(REFINED_BY) | set(STARTED_BY.values()) <= actions
    assert set(VALUE_MEANS) <= ENTITIES
    assert set(STARTED_BY) <= set(DOMAIN["forms"])


def test_slots_that_open_doors_are_never_filled_from_what_customers_write() -> None:
    for slot in ("identity", "customer_id", "verify_attempts", "pending_action", "offer"):
        assert DOMAIN["slots"][slot]["mappings"] == [{"type": "custom"}]


def test_forms_that_actions_start_exist() -> None:
    written = actions_by_name().values()
    started = {action.starts for action in written if getattr(action, "starts", "")}
    checked = {action.form for action in written if isinstance(action, ShopForm)}
    assert started <= set(DOMAIN["forms"])
    assert checked == set(DOMAIN["forms"])
    assert set(DOMAIN["slots"]["next_step"]["values"]) == set(DOMAIN["forms"])

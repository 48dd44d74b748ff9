"""A custom action of this process gives what Rasa's own way of running it gives."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rasa.core.actions.action import Action, ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection as Refusal

from bot.dialogue.action_endpoint import InProcessActions
from bot.dialogue.in_process_action import InProcessAction
from bot.dialogue.runner import SequentialAgent
from tests.process import trained_model

DOMAIN = Domain.from_yaml("""
version: "3.1"
intents: [ask]
slots:
  city: {type: text, mappings: [{type: custom}]}
actions: [action_asked]
responses:
  utter_here:
  - text: "We are in {city}, {street}."
    buttons: [{title: "Map", payload: "/map"}]
""")
SLOT = {"event": "slot", "timestamp": 5.0, "name": "city", "value": "Leeds"}

RESULTS: dict[str, dict[str, Any]] = {
    "nothing": {"events": [], "responses": []},
    "not even lists": {},
    "events": {"events": [SLOT, {"event": "restart"}], "responses": []},
    "text": {"events": [], "responses": [{"text": "Hello", "buttons": [], "image": None}]},
    "a response of the domain": {
        "responses": [{"response": "utter_here", "street": "High Street", "buttons": []}]
    },
    "its buttons, and more": {
        "responses": [{"response": "utter_here", "buttons": [{"title": "Call", "payload": "/c"}]}]
    },
    "a response that is not there": {"responses": [{"response": "utter_gone"}, {"text": "Still"}]},
    "all that a message can be": {
        "events": [SLOT],
        "responses": [
            {
                "text": "Look",
                "image": "https://shop.example/1.png",
                "attachment": "https://shop.example/1.pdf",
                "custom": {"handoff": {"reason": "asked"}},
                "quick_replies": [{"title": "Yes"}],
                "elements": [{"title": "One"}],
                "note": "as metadata",
            },
            {"custom": {"card": 1}},
        ],
    },
}


class Actions(InProcessActions):
    """Gives one result, whatever is asked, and remembers the call."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(ActionExecutor())
        self._result = result
        self.calls: list[dict[str, Any]] = []

    async def request(self, *_args: Any, **kwargs: Any) -> dict[str, Any]:
        self.calls.append(kwargs["json"])
        return copy.deepcopy(self._result)


def asked() -> DialogueStateTracker:
    events = [UserUttered("where are you", {"name": "ask"}), SlotSet("city", "York")]
    return DialogueStateTracker.from_events("somebody", events, DOMAIN.slots)


async def run(action: Action) -> list[dict[str, Any]]:
    nlg = TemplatedNaturalLanguageGenerator(DOMAIN.responses)
    events: list[Event] = await action.run(CollectingOutputChannel(), nlg, asked(), DOMAIN)
    return [{k: v for k, v in e.as_dict().items() if k != "timestamp"} for e in events]


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
async def test_the_same_as_rasas(result: dict[str, Any]) -> None:
    ours, rasas = Actions(result), Actions(result)
    found = await run(InProcessAction("action_asked", ours))
    assert found == await run(RemoteAction("action_asked", rasas))
    # Each was asked about a tracker of its own, made a moment apart.
    for call in ours.calls + rasas.calls:
        for event in call["tracker"]["events"]:
            del event["timestamp"]
        del call["tracker"]["latest_event_time"]
    assert ours.calls == rasas.calls


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ({"events": [{"event": "slot", "value": "secret"}]}, "events/0"),
        ({"responses": ["secret"]}, "responses/0"),
        ({"responses": "secret"}, "responses"),
    ],
)
async def test_a_wrong_result_is_named_and_not_quoted(result: dict[str, Any], place: str) -> None:
    with pytest.raises(RasaException) as raised:
        await run(InProcessAction("action_asked", Actions(result)))
    assert f"action_asked is wrong at '{place}'" in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_a_refusal_is_rasas_rejection() -> None:
    executor = ActionExecutor()

    def refuse(_dispatcher: Any, _tracker: Any, _domain: Any) -> None:
        raise Refusal("action_asked", "not now")

    executor.register_function("action_asked", refuse)
    with pytest.raises(ActionExecutionRejection) as raised:
        await run(InProcessAction("action_asked", InProcessActions(executor)))
    assert (raised.value.action_name, raised.value.message) == ("action_asked", "not now")


def test_the_processor_takes_it_for_actions_of_this_process() -> None:
    actions = Actions({})
    agent = SequentialAgent.load(trained_model(), action_endpoint=actions)
    assert agent.processor is not None
    assert agent.domain is not None
    parsed = {"intent": {"name": "opening_hours", "confidence": 1.0}, "entities": []}
    tracker = DialogueStateTracker.from_events(
        "somebody",
        [ActionExecuted("action_listen"), UserUttered("open?", parsed["intent"], [], parsed)],
        agent.domain.slots,
    )
    action, _ = agent.processor.predict_next_with_tracker_if_should(tracker)
    assert action.name() == "action_opening_hours"
    assert isinstance(action, InProcessAction)

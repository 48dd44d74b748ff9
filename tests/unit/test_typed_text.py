"""Typing never triggers anything: a leading slash is text on the whole way to the classifier."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.core.actions import ActionContext
from bot.core.shop import Crm, Pos
from bot.dialogue.brain import Brain, Person
from bot.dialogue.payload import typed_text
from bot.dialogue.tracker_store import TurnMemory
from bot.store.turns import StoredInbound

DOMAIN = Domain.from_dict({"intents": ["order_status"], "responses": {}})
SLASHED = [
    "/restart",
    "/order_status",
    '/order_status{"customer_id": "C-1"}',
    "//restart",
    " / /restart",
    "/ / /restart",
    "/\u2028/\x0b/restart",
    "\x00/\u202e/order_status",
    "/\u3000/ \t/back",
]


def _is_text_to_rasa(text: str) -> bool:
    """Whether the component that Rasa puts at the end of every pipeline leaves a text alone."""
    message = Message({TEXT: text})
    return YAMLStoryReader.unpack_regex_message(message, DOMAIN) is message


class RecordingAgent:
    """In place of Rasa's agent: keeps what it is given."""

    def __init__(self) -> None:
        self.heard: list[UserMessage] = []
        self.processor = self.tracker_store = self
        self.tracker = DialogueStateTracker.from_events("visitor", [])

    async def fetch_tracker_and_update_session(self, *_: Any) -> DialogueStateTracker:
        return self.tracker

    async def retrieve(self, _: str) -> DialogueStateTracker:
        return self.tracker

    async def save(self, _: DialogueStateTracker) -> None:
        pass

    async def handle_message(self, message: UserMessage) -> None:
        self.heard.append(message)

    async def parse_message(self, text: str) -> dict[str, Any]:
        return {"text": text}


@pytest.fixture
def agent() -> RecordingAgent:
    return RecordingAgent()


@pytest.fixture
def brain(agent: RecordingAgent) -> Brain:
    return Brain(cast(Agent, agent))


async def _heard(
    brain: Brain, agent: RecordingAgent, text: str, payload: str | None = None
) -> UserMessage:
    message = StoredInbound("m", 1, text, (), payload, None, 0)
    context = ActionContext(cast(Crm, None), cast(Pos, None), "m", datetime.now(UTC), "scripted")
    await brain.answer(TurnMemory("visitor", []), [message], Person(), {"m": context})
    return agent.heard[-1]


def test_rasa_would_take_a_slash_for_an_intent() -> None:
    assert not _is_text_to_rasa("/restart")
    assert not _is_text_to_rasa(" /order_status")


@pytest.mark.parametrize("text", SLASHED)
async def test_a_typed_slash_is_text(brain: Brain, agent: RecordingAgent, text: str) -> None:
    message = await _heard(brain, agent, text)
    assert message.parse_data is None
    assert _is_text_to_rasa(message.text)
    assert _is_text_to_rasa((await brain.parse(text))["text"])


async def test_words_after_a_slash_are_read(brain: Brain, agent: RecordingAgent) -> None:
    assert (await _heard(brain, agent, "/restart")).text == "restart"
    assert (await _heard(brain, agent, "black and/or navy")).text == "black and/or navy"
    assert (await _heard(brain, agent, "/")).text == "?"


async def test_a_button_triggers_its_intent(brain: Brain, agent: RecordingAgent) -> None:
    pressed = await _heard(brain, agent, "Yes", payload="/affirm")
    assert pressed.parse_data is not None
    assert pressed.parse_data["intent"]["name"] == "affirm"
    worded = await _heard(brain, agent, "Yes", payload="/ /yes please")
    assert (worded.parse_data, worded.text) == (None, "yes please")


@given(st.text(alphabet=st.one_of(st.sampled_from("/ \t\u2028\x00\u202ea{}"), st.characters())))
def test_no_text_at_all_triggers_an_intent(text: str) -> None:
    assert _is_text_to_rasa(typed_text(text, ()))

"""Our tracker says what Rasa's says, of any conversation and whatever was asked before."""

from __future__ import annotations

import copy
import itertools
import operator
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    AllSlotsReset,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    EntitiesAdded,
    Event,
    FollowupAction,
    LoopInterrupted,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.bootstrap import connect_actions
from bot.core.actions import ActionContext
from bot.core.shop import Crm, Pos
from bot.dialogue.brain import Brain, Person
from bot.dialogue.runner import SequentialAgent
from bot.dialogue.tracker import ConversationTracker
from bot.dialogue.tracker_store import TurnMemory
from bot.nlu.importer import FileImporter
from bot.store.database import Database
from bot.store.turns import StoredInbound
from tests.process import ROOT, trained_model

SEEN = ("topic", "order_number", "verify_attempts")
SEEDS, EVENTS = 8, 60
FORM, LISTEN = "verify_form", "action_listen"
ONLY_RULES = {"rule_only_slots": ["order_number"], "rule_only_loops": [FORM]}

# RulePolicy asks for a message's text and for its intent, MemoizationPolicy as the last.
POLICIES: list[dict[str, Any]] = [
    {},
    {},
    {"ignore_rule_only_turns": True, "rule_only_data": ONLY_RULES},
]
WITHOUT_UNSET = [{"omit_unset_slots": True} | asked for asked in POLICIES]


@cache
def agent() -> SequentialAgent:
    """The trained assistant."""
    return SequentialAgent.load(trained_model())


@cache
def seeing_domain() -> Domain:
    """The assistant's domain, if policies saw some slots more, and of some messages no entities."""
    data = agent().domain.as_dict()
    for name in SEEN:
        data["slots"][name]["influence_conversation"] = True
    data["slots"]["topic"]["initial_value"] = "words"
    names = agent().domain.intents
    data["intents"] = [{name: {"use_entities": name != "affirm"}} for name in names]
    return Domain.from_dict(data)


class Both:
    """A conversation that Rasa's tracker and ours are told, each with events of its own."""

    def __init__(self, domain: Domain, asked: Sequence[dict[str, Any]] = POLICIES) -> None:
        self.domain, self.asked = domain, asked
        self.rasas = DialogueStateTracker("c1", domain.slots)
        self.ours = ConversationTracker("c1", domain.slots)

    def tell(self, event: Event) -> None:
        """Something happens."""
        self.change(lambda tracker: tracker.update(copy.deepcopy(event)))

    def change(self, change: Callable[[DialogueStateTracker], object]) -> None:
        """Something is done to both."""
        change(self.rasas)
        change(self.ours)

    def agree(self) -> None:
        """Both say the same, and do so again when callers have changed what they got."""
        assert self.ours.applied_events() == self.rasas.applied_events()
        self.ours.applied_events().clear()
        for question in self.asked:
            expected = self.rasas.past_states(self.domain, **question)
            given = self.ours.past_states(self.domain, **question)
            assert given == expected
            for states in (expected, given):
                for state in states:
                    for part in state.values():
                        part.clear()
                    state["more"] = {}


@cache
def stories() -> list[list[Event]]:
    """The events of every story and rule."""
    folders = [str(ROOT / "data" / kind) for kind in ("stories", "rules")]
    importer = FileImporter(str(ROOT / "config.yml"), str(ROOT / "domain.yml"), folders)
    read = TrainingDataGenerator(
        importer.get_stories(), agent().domain, use_story_concatenation=False, augmentation_factor=0
    ).generate()
    return [list(as_in_a_chat(story.events)) for story in read]


def as_in_a_chat(events: Sequence[Event]) -> Iterator[Event]:
    """A story's events as the engine writes them, with every other action hidden."""
    hidden = itertools.cycle((False, True))
    for event in events:
        if isinstance(event, UserUttered):
            yield UserUttered("words", event.intent, event.entities)
            yield DefinePrevUserUtteredFeaturization(False)
        elif isinstance(event, ActionExecuted) and event.action_name != LISTEN:
            yield ActionExecuted(event.action_name, hide_rule_turn=next(hidden))
            yield BotUttered("words")
        else:
            yield event


def test_in_every_story_and_rule() -> None:
    assert len(stories()) > 100
    for events in stories():
        both = Both(agent().domain)
        for event in events:
            both.tell(event)
            both.agree()


def test_policies_predict_the_same() -> None:
    predicted = 0
    for events in stories():
        both = Both(agent().domain)
        for event in events:
            if isinstance(event, ActionExecuted) and both.ours.latest_message.text:
                scores = []
                for tracker in (both.rasas, both.ours):
                    prediction = agent().predict_next_with_tracker(tracker)
                    scores.append((prediction["policy"], prediction["scores"]))
                assert scores[0] == scores[1]
                predicted += 1
            both.tell(event)
    assert predicted > 300


class Chance:
    """What may happen in a conversation, likely or not; always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._any = random.Random(seed)

    def happens(self, how_often: float) -> bool:
        """Whether something happens that does so in this share of cases."""
        return self._any.random() < how_often

    def events(self) -> list[Event]:
        """What happens next."""
        kinds = [self._message, self._action, self._slot, self._loop, self._odd]
        make = self._any.choices(kinds, (3, 5, 3, 2, 3))[0]
        return make()

    def _message(self) -> list[Event]:
        texts = [("words", "affirm"), ("words", "order_status"), ("words", None), (None, "affirm")]
        text, intent = self._any.choice(texts)
        said = UserUttered(text, {"name": intent}, self._entities())
        read = DefinePrevUserUtteredFeaturization(self.happens(0.3))
        return [ActionExecuted(LISTEN), said, read][: self._any.choice((2, 2, 3))]

    def _entities(self) -> list[dict[str, Any]]:
        some = [
            {"entity": "order_number", "value": "1"},
            {"entity": "branch", "value": "Leeds", "role": "from"},
            {"entity": "size", "value": "M", "group": "2"},
        ]
        return self._any.sample(some, self._any.choice((0, 0, 1, 2)))

    def _action(self) -> list[Event]:
        events = [
            FollowupAction("utter_greet"),
            DefinePrevUserUtteredFeaturization(self.happens(0.5)),
            ActionExecuted(self._any.choice([FORM, "utter_greet"]), hide_rule_turn=True),
            ActionExecuted("action_opening_hours"),
            ActionExecuted(action_text="words"),
            ActionExecuted(LISTEN, hide_rule_turn=self.happens(0.5)),
        ]
        return [event for event in events if self.happens(0.4)]

    def _slot(self) -> list[Event]:
        name, value = self._any.choice(
            [
                ("next_step", "verify_form"),
                ("next_step", "cancel_form"),
                ("next_step", None),
                ("topic", "words"),
                ("topic", None),
                ("order_number", "1"),
                ("order_number", "should_not_be_set"),
            ]
        )
        return [SlotSet(name, value)]

    def _loop(self) -> list[Event]:
        return self._any.choice(
            [
                [ActionExecuted(FORM), ActiveLoop(FORM), SlotSet("requested_slot", "email")],
                [ActionExecuted(FORM)],
                [ActionExecutionRejected(FORM)],
                [LoopInterrupted(True)],
                [ActiveLoop(None)],
            ]
        )

    def _odd(self) -> list[Event]:
        odd = [
            UserUtteranceReverted(),
            ActionReverted(),
            EntitiesAdded(self._entities()),
            DefinePrevUserUtteredFeaturization(self.happens(0.5)),
            AllSlotsReset(),
            Restarted(),
            SessionStarted(),
        ]
        return self._any.choices(odd, (3, 3, 3, 2, 2, 1, 1))

    def change(self, both: Both) -> None:
        """Somebody changes what has happened already, or the tracker, or takes another domain."""
        number, flag = self._any.randrange(len(both.ours.events)), self.happens(0.5)
        event = both.ours.events[number]
        if self.happens(0.4):
            seeing = both.domain is seeing_domain()
            both.domain = agent().domain if seeing else seeing_domain()
        elif self.happens(0.2):
            initial = self._any.choice(["2", None])
            both.change(lambda t: t.slots.update(topic=TextSlot("topic", [], initial)))
        elif self.happens(0.2):
            other = self._any.choice([BotUttered("words"), ActionExecuted("action_contact")])
            both.change(lambda t: operator.setitem(t.events, number, copy.copy(other)))
        elif isinstance(event, UserUttered):
            more = self._entities()
            both.change(lambda t: t.events[number].entities.extend(copy.deepcopy(more)))
            both.change(lambda t: setattr(t.events[number], "use_text_for_featurization", flag))
        elif isinstance(event, ActionExecuted):
            both.change(lambda t: setattr(t.events[number], "hide_rule_turn", flag))
        else:
            both.change(lambda t: t.trigger_followup_action("utter_greet"))


@pytest.mark.parametrize("asked", [POLICIES, WITHOUT_UNSET, [*POLICIES, *WITHOUT_UNSET]])
@pytest.mark.parametrize(("often", "changed"), [(1.0, 0.0), (1.0, 0.2), (0.3, 0.2)])
def test_whatever_happens(asked: Sequence[dict[str, Any]], often: float, changed: float) -> None:
    for seed in range(SEEDS):
        chance, both = Chance(seed), Both(seeing_domain(), asked)
        while len(both.ours.events) < EVENTS:
            for event in chance.events():
                both.tell(event)
                if chance.happens(often):
                    both.agree()
            if both.ours.events and chance.happens(changed):
                chance.change(both)
                both.agree()


def test_before_the_customer_has_written() -> None:
    both = Both(seeing_domain())
    listen = ActionExecuted(LISTEN)
    seen = EntitiesAdded([{"entity": "order_number", "value": "1"}])
    for event in (listen, seen, listen, DefinePrevUserUtteredFeaturization(True), listen):
        both.tell(event)
        both.agree()


def test_copies_say_the_same() -> None:
    for events in stories()[::10]:
        both = Both(agent().domain)
        for event in events:
            both.tell(event)
            both.agree()
        copied = both.ours.copy()
        assert copied == both.ours
        assert copied.past_states(both.domain) == both.rasas.past_states(both.domain)


async def test_the_brain_answers_with_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    brain = Brain.load(trained_model(), database, connect_actions({}))
    about = ActionContext(cast(Crm, None), cast(Pos, None), "m", datetime.now(UTC), "scripted")
    known: list[dict[str, Any]] = []
    for text in ("hello", "thank you"):
        message = StoredInbound("m", 1, text, (), None, None, 0)
        answer = await brain.answer(TurnMemory("c1", known), [message], Person(), {"m": about})
        assert answer.contents
        assert isinstance(answer.tracker, ConversationTracker)
        known = known + answer.events
    await database.aclose()

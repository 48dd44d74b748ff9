"""Rasa's Agent, wrapped once: a conversation's messages in, an answer out, nothing stored."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent
from rasa.core.lock_store import InMemoryLockStore
from rasa.shared.constants import UTTER_PREFIX
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_NAME_KEY
from rasa.utils.endpoints import EndpointConfig

from bot.core.actions import ActionContext, current_action
from bot.core.errors import ModelError
from bot.core.identity import Identity
from bot.core.messages import Content
from bot.dialogue.floor import Floor, let_others_through
from bot.dialogue.hearing import Hearing
from bot.dialogue.output import CollectingOutput, HandoffRequest
from bot.dialogue.payload import typed_text
from bot.dialogue.reminders import Reminder
from bot.dialogue.runner import SequentialAgent
from bot.dialogue.snapshot import snapshot_of
from bot.dialogue.tracker_store import (
    ConversationTrackerStore,
    RecentTrackers,
    TurnMemory,
    current_turn,
)
from bot.store.database import Database
from bot.store.events import Snapshot
from bot.store.turns import StoredInbound

logger = logging.getLogger(__name__)
_IDENTITY_SLOT, _CUSTOMER_SLOT = "identity", "customer_id"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about who is writing."""

    identity: Identity = Identity.ANONYMOUS
    customer_id: str | None = None


@dataclass(slots=True)
class Answer:
    """What the brain wants to happen.

    Attributes:
        contents: What to say, in order.
        events: New tracker events.
        understood: Intent, ranking, entities and actions by inbound message id; of a message with
            several wishes those of the first, and those of the others under ``also``.
        handoff: Set when a human should go on.
        person: Who is writing, as known after the turn.
        snapshot: What the first of a long conversation's events can be stored as.
        tracker: The conversation with `events`, for `Brain.keep`.
        failure: The error's type when the brain gave up on these messages; else empty.
    """

    person: Person
    contents: list[Content] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    understood: dict[str, object] = field(default_factory=dict)
    handoff: HandoffRequest | None = None
    snapshot: Snapshot | None = None
    tracker: DialogueStateTracker | None = None
    failure: str = ""


class Brain:
    """The assistant: understanding and dialogue.

    Args:
        agent: Rasa's agent, with a model loaded.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._recent = RecentTrackers()
        self._floor = Floor()

    @classmethod
    def load(cls, model: Path, database: Database, actions: EndpointConfig) -> Brain:
        """Loads a trained model.

        Raises:
            ModelError: The file is missing, broken, or of another version of Rasa.
        """
        store = ConversationTrackerStore(Domain.empty(), database)
        try:
            agent = SequentialAgent(
                tracker_store=store, lock_store=InMemoryLockStore(), action_endpoint=actions
            )
            agent.load_model(model)
        except (RasaException, OSError, KeyError, ValueError, AttributeError, ImportError) as error:
            raise ModelError(
                f"The model {model} cannot be loaded ({type(error).__name__}: {error}). "
                "Train a new one: frontdesk train."
            ) from error
        return cls(agent)

    @property
    def model_id(self) -> str:
        """The loaded model's id."""
        return str(self._agent.model_id)

    @property
    def domain(self) -> Domain:
        """What the assistant knows: intents, slots, responses, actions."""
        domain: Domain | None = self._agent.domain
        if domain is None:
            raise ModelError("no model is loaded")
        return domain

    @property
    def custom_actions(self) -> set[str]:
        """The names of the actions that the domain expects somebody to run."""
        names = set(map(str, self.domain.user_actions))
        return {name for name in names if not name.startswith(UTTER_PREFIX)}

    def recall(self, conversation: str, last_event: int) -> TurnMemory | None:
        """A conversation as the last turn left it; None where its events must be loaded.

        Args:
            last_event: The number of its last event, as the store has it.
        """
        tracker = self._recent.take(conversation, last_event)
        return None if tracker is None else TurnMemory(conversation, [], tracker)

    def keep(self, answer: Answer, last_event: int) -> None:
        """Remembers what `recall` gives, once the turn is stored."""
        # After a snapshot the stored events are fewer: the next turn reads them.
        if answer.tracker is not None and answer.snapshot is None:
            self._recent.keep(answer.tracker, last_event)

    async def answer(
        self,
        memory: TurnMemory,
        messages: Sequence[StoredInbound],
        person: Person,
        contexts: Mapping[str, ActionContext],
    ) -> Answer:
        """Answers a burst of messages, in order, without storing anything.

        Args:
            memory: The conversation's tracker events.
            messages: What the customer wrote.
            person: What is known about the customer before the turn.
            contexts: What actions get, by message id.
        """
        conversation = memory.conversation
        output = CollectingOutput(contexts[messages[0].id].channel)
        token = current_turn.set(memory)
        try:
            async with self._floor.taken():
                answer = Answer(person)
                await self._know(conversation, output, person)
                hearing = Hearing(self._agent, conversation, memory, output)
                for message in messages:
                    if output.handoff is None:
                        heard = await hearing.hear(message, contexts[message.id])
                        answer.understood[message.id] = heard
                        await let_others_through()
                return self._completed(answer, memory, output)
        finally:
            current_turn.reset(token)

    async def remind(
        self, memory: TurnMemory, reminder: Reminder, person: Person, context: ActionContext
    ) -> Answer:
        """What the bot says when a reminder is due, without storing anything.

        An intent that the model in use does not know gives an empty answer.
        """
        answer = Answer(person)
        if reminder.intent not in self.domain.intents:
            logger.warning("a reminder triggers an intent that the model does not know")
            return answer
        output = CollectingOutput(context.channel)
        turn, action = current_turn.set(memory), current_action.set(context)
        try:
            await self._know(memory.conversation, output, person)
            tracker = await self._agent.tracker_store.retrieve(memory.conversation)
            await self._agent.trigger_intent(reminder.intent, reminder.entities, output, tracker)
        finally:
            current_action.reset(action)
            current_turn.reset(turn)
        return self._completed(answer, memory, output)

    def _completed(self, answer: Answer, memory: TurnMemory, output: CollectingOutput) -> Answer:
        """The answer with what was said and what the turn added to the conversation."""
        answer.contents, answer.handoff = output.contents, output.handoff
        answer.events = memory.new
        answer.person = _person(memory.tracker, answer.person)
        answer.tracker = memory.tracker
        if memory.tracker is not None:
            answer.snapshot = snapshot_of(memory.tracker, self.domain.slots)
        return answer

    async def _know(self, conversation: str, output: CollectingOutput, person: Person) -> None:
        """Tells the tracker who is writing, where it does not know it yet."""
        processor = self._agent.processor
        if processor is None:
            raise ModelError("no model is loaded")
        tracker = await processor.fetch_tracker_and_update_session(conversation, output)
        wanted = {_IDENTITY_SLOT: person.identity.name.lower(), _CUSTOMER_SLOT: person.customer_id}
        for slot, value in wanted.items():
            if slot in tracker.slots and tracker.get_slot(slot) != value:
                tracker.update(SlotSet(slot, value))
        await self._agent.tracker_store.save(tracker)

    async def parse(self, text: str) -> dict[str, Any]:
        """What the brain understands of a text: Rasa's parse result."""
        parsed: dict[str, Any] = await self._agent.parse_message(typed_text(text, ()))
        return parsed

    async def rehearse(self, text: str) -> None:
        """Understands a text and chooses what would follow; runs no action, stores nothing.

        Raises:
            ModelError: Nothing was understood or chosen.
        """
        parsed = await self.parse(text)
        intent = parsed.get(INTENT) or {}
        events = [
            SessionStarted(),
            ActionExecuted(ACTION_LISTEN_NAME),
            UserUttered(text, intent, parsed.get(ENTITIES), parsed),
        ]
        tracker = DialogueStateTracker.from_events("rehearsal", events, self.domain.slots)
        predicted = self._agent.predict_next_with_tracker(tracker)
        if not intent.get(INTENT_NAME_KEY) or predicted is None:
            raise ModelError("The model understands no intent, or has no policy.")


def _person(tracker: DialogueStateTracker | None, before: Person) -> Person:
    """Who is writing, as the turn's actions left it; a platform's word is never lowered."""
    if tracker is None or before.identity is Identity.CHANNEL_VERIFIED:
        return before
    if tracker.get_slot(_IDENTITY_SLOT) != Identity.CONFIRMED.name.lower():
        return before
    customer = tracker.get_slot(_CUSTOMER_SLOT)
    return Person(Identity.CONFIRMED, str(customer)) if customer else before

"""The base of forms: checks what a customer gives, and notices when nothing comes of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.base import MISSES_ALLOWED, apologise, lookup_timeout
from actions.turn import REQUESTED_SLOT, Event, Turn, forget

Values = dict[str, Any]


class GiveUpError(Exception):
    """A form cannot be finished; the customer goes to a human.

    Args:
        response: What to say first.
        evidence: For the agent.
    """

    def __init__(self, response: str, **evidence: object) -> None:
        super().__init__(response)
        self.response, self.evidence = response, evidence


class ShopForm(FormValidationAction, ABC):
    """Checks the slots of one form.

    Subclasses set ``form`` and add ``validate_<slot>(value, dispatcher, tracker, domain)`` methods
    that return the slots to set; None asks again. ShopError and time-outs inside them end the form
    with an apology and a handoff.
    """

    @property
    @abstractmethod
    def form(self) -> str:
        """The form's name in the domain; a plain class attribute in subclasses."""

    def name(self) -> str:
        return f"validate_{self.form}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        """Rasa's entry point. Never raises."""
        said = CollectingDispatcher()
        turn = Turn(said, tracker)
        try:
            async with asyncio.timeout(lookup_timeout()):
                events: list[Event] = await super().run(said, tracker, domain)
        except GiveUpError as stuck:
            turn.say(stuck.response)
            turn.hand_over("form_loop", **stuck.evidence)
            events = self._end(domain)
        except Exception as error:
            said.messages.clear()
            apologise(turn, self.name(), error)
            events = self._end(domain)
        dispatcher.messages.extend(said.messages)
        return events

    def _end(self, domain: DomainDict) -> list[Event]:
        """Ends the form unfinished: its slots stay empty, so that what follows it does nothing."""
        about = ("pending_action", "subject_order", "form_misses", "next_step")
        empty = forget(*self.domain_slots(domain), *about)
        return [*empty, SlotSet(REQUESTED_SLOT, None)]

    def accept(self, **values: Any) -> Values:
        """The customer gave something useful: the rounds without progress start anew."""
        return {**values, "form_misses": 0}

    def ask_again(self, turn: Turn, slot: str, response: str, **facts: Any) -> Values:
        """What was given does not do.

        Raises:
            GiveUpError: When this happens the second time.
        """
        if turn.slot(slot) is None:  # emptied when the form started: nothing was given yet
            return {slot: None}
        misses = turn.count("form_misses") + 1
        if misses >= MISSES_ALLOWED:
            raise GiveUpError("utter_form_stuck", form=self.form, asked_for=slot, rounds=misses)
        turn.say(response, **facts)
        return {slot: None, "form_misses": misses}

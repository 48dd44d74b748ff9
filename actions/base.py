"""The base of every action that looks something up or changes it.

Start here to write an action: declare a name and the identity it needs, and answer.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.turn import Event, Turn, button
from bot.core.actions import current_action
from bot.core.errors import RefusedError
from bot.core.identity import Identity

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 5.0
MISSES_ALLOWED = 2  # the second round without progress goes to a human
DIGRESSIONS_ALLOWED = 2  # who asks for a third thing is no longer interested in the form

TALK_TO_A_PERSON = button("Talk to a person", "request_human")


class ShopAction(Action, ABC):
    """An action that knows what it may tell, and never fails in the customer's face.

    Subclasses set ``action_name`` (as in ``domain.yml``) and ``identity``, and implement `answer`.
    ``keeps_request`` is True for small talk that should not make the bot forget what it was about.
    ``starts`` is the form that the action may start: when it answers otherwise, while that form is
    asking, the form ends.
    """

    action_name: ClassVar[str] = ""
    identity: ClassVar[Identity] = Identity.ANONYMOUS
    keeps_request: ClassVar[bool] = False
    starts: ClassVar[str] = ""

    def name(self) -> str:
        return self.action_name

    @abstractmethod
    async def answer(self, turn: Turn) -> list[Event]:
        """Answers the customer.

        Returns:
            Rasa events: slots to set, what to do next.

        Raises:
            ShopUnavailableError: Becomes an apology and a handoff.
            RefusedError: Becomes an explanation, see `refused`.
        """

    def refused(self, turn: Turn, code: str) -> list[Event]:
        """Explains why the shop's system said no, with a next step."""
        order = turn.subject or turn.order_number
        turn.say(REFUSALS.get(code, "utter_refused"), order=order)
        return []

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[Event]:
        """Rasa's entry point. Never raises."""
        # Collected aside, so that a failure half-way leaves no half answer.
        said = CollectingDispatcher()
        turn = Turn(said, tracker)
        try:
            events = await self._guarded(turn)
        except Exception as error:
            said.messages.clear()
            events = apologise(turn, self.name(), error)
        dispatcher.messages.extend(said.messages)
        if self._ends_form(turn, events):
            events = turn.leave_form() + events
        return self._with_housekeeping(turn, events)

    def _ends_form(self, turn: Turn, events: list[Event]) -> bool:
        """Whether the form that is asking has lost its point."""
        if turn.form is None or any(event.get("event") == "followup" for event in events):
            return False
        moved_on = self.identity > Identity.ANONYMOUS and turn.times_left() > DIGRESSIONS_ALLOWED
        return turn.form == self.starts or (moved_on and turn.form != "verify_form")

    async def _guarded(self, turn: Turn) -> list[Event]:
        if turn.identity < self.identity or (self.identity and turn.customer_id is None):
            return verify_first(turn, self.name())
        async with asyncio.timeout(lookup_timeout()):
            try:
                return await self.answer(turn)
            except RefusedError as refusal:
                turn.dispatcher.messages.clear()
                return self.refused(turn, refusal.code)

    def _with_housekeeping(self, turn: Turn, events: list[Event]) -> list[Event]:
        """Forgets what only the previous turn needed, unless this turn said it again."""
        named = {event.get("name") for event in events if event.get("event") == "slot"}
        stale = ["next_step", "offer"]
        if not self.keeps_request and not turn.form:
            stale += ["pending_action", "topic"]
        fresh = [SlotSet(slot, None) for slot in stale if turn.slot(slot) and slot not in named]
        return fresh + events


def lookup_timeout() -> float:
    """Seconds that the lookups of one action may take together."""
    context = current_action.get(None)
    return context.timeout if context else DEFAULT_TIMEOUT


def apologise(turn: Turn, action: str, error: Exception) -> list[Event]:
    """A lookup failed: says sorry and hands over with the facts so far.

    The log says what failed and where, not the error's text: it may quote personal data.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
    logger.error("%s failed: %s at %s", action, type(error).__name__, place)
    turn.say("utter_lookup_failed")
    return turn.hand_over("action_failed", action=action, error=type(error).__name__)


def verify_first(turn: Turn, action: str) -> list[Event]:
    """Asks who is writing; `action` goes on afterwards."""
    if turn.form == "verify_form" and turn.slot("pending_action") == action:
        misses = turn.count("form_misses") + 1
        if misses >= MISSES_ALLOWED:
            turn.say("utter_form_stuck")
            return turn.hand_over("form_loop", form="verify_form", rounds=misses)
        turn.say("utter_verify_needed")
        return turn.ask("verify_form", SlotSet("form_misses", misses))
    if turn.form != "verify_form":
        turn.say("utter_verify_intro")
    return turn.ask("verify_form", SlotSet("pending_action", action), SlotSet("form_misses", 0))


def wait() -> list[Event]:
    """Ends the turn here, whatever the stories would do next."""
    return [FollowupAction("action_listen")]


# What the shop's systems answer (`RefusedError.code`) and the response that explains it.
REFUSALS = {
    "not_found": "utter_order_not_found",
    "already_shipped": "utter_refused_already_shipped",
    "already_cancelled": "utter_refused_already_cancelled",
    "collect": "utter_refused_collect",
    "not_delivered": "utter_refused_not_delivered",
    "window_over": "utter_refused_window_over",
    "already_returned": "utter_refused_already_returned",
    "out_of_stock": "utter_refused_out_of_stock",
    "invalid_email": "utter_contact_unclear",
    "invalid_phone": "utter_contact_unclear",
    "taken": "utter_refused_taken",
}

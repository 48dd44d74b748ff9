"""What an action works with: the conversation so far, the shop's systems, and ways to answer."""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.core.actions import ActionContext, current_action
from bot.core.identity import Identity
from bot.core.shop import Crm, Pos
from bot.core.shop_numbers import order_number

Event = dict[str, Any]  # Rasa's events are plain dictionaries

REQUESTED_SLOT = "requested_slot"


def button(title: str, intent: str, **entities: str) -> dict[str, str]:
    """A choice that means the same as the customer saying it.

    Args:
        title: What the customer reads; keep it under 20 characters, some channels cut there.
        intent: What pressing it means.
        entities: Values that the intent carries, e.g. ``order_number="FD-104233"``.
    """
    carried = json.dumps(entities) if entities else ""
    return {"title": title, "payload": f"/{intent}{carried}"}


def link(title: str, url: str) -> dict[str, str]:
    """A button that opens a page instead of answering."""
    return {"title": title, "url": url}


def forget(*slots: str) -> list[Event]:
    """Events that empty these slots."""
    return [SlotSet(slot, None) for slot in slots]


class Turn:
    """One customer message, as an action sees it.

    Args:
        dispatcher: Collects what is said.
        tracker: The conversation so far.
    """

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        self.dispatcher, self.tracker = dispatcher, tracker
        self.subject = ""  # the number of the order that is being looked at

    # --- the shop -----------------------------------------------------------------------------

    @property
    def context(self) -> ActionContext:
        """Raises LookupError where no engine set one."""
        return current_action.get()

    @property
    def pos(self) -> Pos:
        return self.context.pos

    @property
    def crm(self) -> Crm:
        return self.context.crm

    # --- the conversation ---------------------------------------------------------------------

    def slot(self, name: str) -> str | None:
        """A text slot's value; None when empty."""
        value = self.tracker.slots.get(name)
        return str(value) if value not in (None, "") else None

    def count(self, name: str) -> int:
        """A counting slot's value; 0 when empty."""
        return int(self.tracker.slots.get(name) or 0)

    def entity(self, name: str) -> str | None:
        """What the current message says; the last one where it names several (a correction)."""
        values = [str(v) for v in self.tracker.get_latest_entity_values(name) if v]
        return values[-1] if values else None

    @property
    def text(self) -> str:
        """The current message; a button press has none."""
        text = str(self.tracker.latest_message.get("text") or "")
        return "" if text.startswith("/") else text

    @property
    def intent(self) -> str:
        intent = self.tracker.latest_message.get("intent") or {}
        return str(intent.get("name") or "")

    @property
    def form(self) -> str | None:
        """The form that is asking something; None outside of forms."""
        name = (self.tracker.active_loop or {}).get("name")
        return str(name) if name else None

    @property
    def order_number(self) -> str:
        """The order that was last named, in the shop's spelling if readable; else empty."""
        said = self.slot("order_number") or ""
        return order_number(said) or said

    @property
    def identity(self) -> Identity:
        """How sure we are who is writing; anything unknown is anonymous."""
        try:
            return Identity[(self.slot("identity") or "").upper()]
        except KeyError:
            return Identity.ANONYMOUS

    @property
    def customer_id(self) -> str | None:
        """Only for those who proved it: an id alone opens nothing."""
        return self.slot("customer_id") if self.identity.may_hear_personal_data else None

    def previous_turn(self) -> list[Event]:
        """What happened between the customer's previous message and the current one."""
        events: list[Event] = []
        user_messages = 0
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                user_messages += 1
                if user_messages == 2:
                    break
            elif user_messages == 1:
                events.insert(0, event)
        return events

    def recent_intents(self, limit: int = 5) -> list[str]:
        """What the customer's latest messages meant, the current one last."""
        names = [
            str(((event.get("parse_data") or {}).get("intent") or {}).get("name") or "")
            for event in self.tracker.events
            if event.get("event") == "user"
        ]
        return [name for name in names if name][-limit:]

    def times_left(self) -> int:
        """How often the customer asked something else since the current form started."""
        times = 0
        for event in reversed(self.tracker.events):
            if event.get("event") == "active_loop" and event.get("name") == self.form:
                break
            times += event.get("event") == "action_execution_rejected"
        return times

    def set_just_before(self, slot: str) -> Any:
        """The value the previous turn gave this slot; None when it did not touch it."""
        values = [
            event.get("value")
            for event in self.previous_turn()
            if event.get("event") == "slot" and event.get("name") == slot
        ]
        return values[-1] if values else None

    def set_now(self, slot: str) -> Any:
        """The value that this slot got since the current message came; None when it got none."""
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                return None
            if event.get("event") == "slot" and event.get("name") == slot:
                return event.get("value")
        return None

    # --- answering ----------------------------------------------------------------------------

    def say(
        self,
        response: str,
        buttons: list[dict[str, str]] | None = None,
        image: str | None = None,
        **facts: Any,
    ) -> None:
        """Says one of the domain's responses.

        Args:
            response: Its name; the words are in ``domain.yml``.
            buttons: Choices and links, after those that the response has itself.
            image: Address of a picture.
            facts: Values for the response's ``{placeholders}``.
        """
        self.dispatcher.utter_message(response=response, buttons=buttons, image=image, **facts)

    def ask(self, form: str, *events: Event) -> list[Event]:
        """Starts a form; what it collected before is asked anew unless the slot is still set."""
        return [*events, SlotSet("next_step", form), FollowupAction(form)]

    def go_on_with(self, action: str) -> list[Event]:
        """Lets another action answer in this same turn."""
        return [FollowupAction(action)]

    def offer(self, action: str) -> Event:
        """What a plain "yes" in the next message means."""
        event: Event = SlotSet("offer", action)
        return event

    def facts(self) -> dict[str, object]:
        """What an agent should know: what was asked for, never the customer's words."""
        known: dict[str, object] = {
            "intent": self.intent,
            "identity": self.identity.name.lower(),
            "recent_intents": self.recent_intents(),
        }
        if self.form:
            known["form"] = self.form
        for slot in ("order_number", "product", "branch", "pending_action"):
            value = self.slot(slot)
            if value:
                known[slot] = value
        return known

    def hand_over(self, reason: str, **evidence: object) -> list[Event]:
        """Gives the conversation to a human and leaves whatever was being asked.

        Args:
            reason: ``customer_request``, ``low_confidence``, ``action_failed``, ``form_loop``,
                ``repeated_question``, ``complaint`` or ``policy``.
            evidence: What led to it, beside the facts so far.
        """
        payload = {"reason": reason, "evidence": {**self.facts(), **evidence}}
        self.dispatcher.utter_message(json_message={"handoff": payload})
        return self.leave_form()

    def leave_form(self) -> list[Event]:
        """Events that stop asking, and forget what was asked for."""
        events = forget(
            "pending_action",
            "topic",
            "next_step",
            "subject_order",
            "form_misses",
            "low_confidence_count",
        )
        if self.form:
            events += [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]
        return events

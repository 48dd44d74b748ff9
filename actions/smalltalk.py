"""Yes, no, never mind, a complaint, a wish for a human: what needs to know what was said before."""

from __future__ import annotations

from actions.base import TALK_TO_A_PERSON, ShopAction
from actions.turn import Event, Turn, forget


class ActionHandoff(ShopAction):
    """The customer asks for a human."""

    action_name = "action_handoff"

    async def answer(self, turn: Turn) -> list[Event]:
        # "Yes" to the human that was offered after a complaint is still about the complaint.
        complained = turn.intent == "affirm" and "complain" in turn.recent_intents(2)
        return turn.hand_over("complaint" if complained else "customer_request")


class ActionComplain(ShopAction):
    """An angry or disappointed customer: an apology, and a human if they want one."""

    action_name = "action_complain"

    async def answer(self, turn: Turn) -> list[Event]:
        if turn.set_just_before("offer") == "action_handoff":
            turn.say("utter_complain_again")
            return turn.hand_over("complaint")
        turn.say("utter_complain", [TALK_TO_A_PERSON])
        return [turn.offer("action_handoff")]


class ActionAffirm(ShopAction):
    """A plain yes: does what was offered just before."""

    action_name = "action_affirm"
    keeps_request = True

    async def answer(self, turn: Turn) -> list[Event]:
        offered = turn.set_just_before("offer")
        if offered:
            return turn.go_on_with(str(offered))
        turn.say("utter_go_on" if turn.form else "utter_yes_to_what")
        return []


class ActionDeny(ShopAction):
    """A plain no: leaves what was being asked, or declines what was offered."""

    action_name = "action_deny"

    async def answer(self, turn: Turn) -> list[Event]:
        if turn.form:
            turn.say("utter_left_form")
            return turn.leave_form()
        turn.say("utter_no_problem")
        return []


class ActionNevermind(ShopAction):
    """The customer changed their mind: forgets the request, not what they told."""

    action_name = "action_nevermind"

    async def answer(self, turn: Turn) -> list[Event]:
        turn.say("utter_left_form" if turn.form else "utter_nevermind")
        return [*turn.leave_form(), *forget("offer")]


class ActionStopMessages(ShopAction):
    """The customer does not want to be written to."""

    action_name = "action_stop_messages"

    async def answer(self, turn: Turn) -> list[Event]:
        turn.say("utter_stop_messages")
        return turn.leave_form()

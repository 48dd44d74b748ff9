"""One message of a customer, heard: its wishes are answered in order, or kept until they can be.

Each wish becomes a user message of its own in the tracker, so rules, stories and forms see nothing
new. What a form has to ask is asked first: a wish that would ask something else waits in the slot
``waiting_wishes`` and is taken up when the form has ended.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.core.actions import ActionContext, current_action
from bot.core.errors import ModelError
from bot.core.messages import Content
from bot.dialogue.mappings import takes, takes_any_text
from bot.dialogue.output import CollectingOutput, HandoffRequest
from bot.dialogue.payload import parse_payload, typed_text
from bot.dialogue.tracker_store import TurnMemory
from bot.dialogue.understood import understood
from bot.dialogue.waiting import WAITING_SLOT, intent_of, parse_data, still_wanted, waiting_in
from bot.nlu.wishes import Wish, share, wishes
from bot.store.turns import StoredInbound

# Said before the first of several wishes when another must wait, and when that one's turn comes.
ONE_BY_ONE, BACK_TO = "utter_one_by_one", "utter_back_to"
# Whose order it is and who is writing holds for all wishes of a message.
_SHARED = ("order_number", "email", "phone")
_QUOTED = 80


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came of one wish.

    Attributes:
        wish: The wish.
        contents: What is said to it.
        opened: Whether a form began to ask.
        asking: Whether a form is asking afterwards; its question is the last content.
    """

    wish: Wish
    contents: list[Content]
    opened: bool
    asking: bool


class Hearing:
    """Hears the messages of one turn.

    Args:
        agent: Rasa's agent, with a model loaded.
        conversation: The conversation's id.
        memory: The turn's events.
        output: Collects what is said.
    """

    def __init__(
        self, agent: Agent, conversation: str, memory: TurnMemory, output: CollectingOutput
    ) -> None:
        self._agent, self._conversation = agent, conversation
        self._memory, self._output = memory, output

    async def hear(self, message: StoredInbound, context: ActionContext) -> dict[str, object]:
        """Answers one message.

        Returns:
            What was understood, see `bot.dialogue.understood`; of several wishes the first, and
            the others under ``also``.
        """
        keys, added = _keys(context), len(self._memory.new)
        several = [] if message.payload else await self._wishes(_text(message))
        if several:
            heard = await self._one_by_one(several, keys, message.id)
        else:
            heard = [await self._single(message, next(keys))]
        refused = any(e["event"] == "action_execution_rejected" for e in self._memory.new[added:])
        heard += await self._take_up(keys, message.id, refused=refused)
        first, *also = heard
        return {**first, "also": also} if also else first

    # --- one message --------------------------------------------------------------------------

    async def _single(self, message: StoredInbound, context: ActionContext) -> dict[str, object]:
        parsed = parse_payload(message.payload) if message.payload else None
        text = message.payload or message.text
        said = text if parsed else typed_text(text, message.attachments)
        await self._handle(said, parsed, context, message.id)
        return understood(await self._tracker())

    async def _handle(
        self, text: str, parsed: dict[str, Any] | None, context: ActionContext, message: str
    ) -> None:
        token = current_action.set(context)
        try:
            await self._agent.handle_message(
                UserMessage(
                    text,
                    self._output,
                    self._conversation,
                    parse_data=parsed,
                    input_channel=context.channel,
                    message_id=message,
                )
            )
        finally:
            current_action.reset(token)

    # --- several wishes -----------------------------------------------------------------------

    async def _wishes(self, text: str) -> list[Wish]:
        """The wishes of a text that is not what a form waits for."""
        tracker = await self._tracker()
        form = tracker.active_loop_name if tracker else None
        asked = str(tracker.get_slot(REQUESTED_SLOT)) if tracker else ""
        if form and takes_any_text(self._processor.domain, form, asked):
            return []
        found = await wishes(text, self._agent.parse_message, asked=bool(form))
        return share(found, _SHARED)

    async def _one_by_one(
        self, several: Sequence[Wish], keys: Iterator[ActionContext], message: str
    ) -> list[dict[str, object]]:
        heard, replies, waiting = [], list[_Reply](), list[Wish]()
        # What is not clear is asked about at the end.
        for wish in sorted(several, key=lambda wish: not wish.sure):
            reply = None
            if not self._output.handoff:
                reply = await self._reply(wish, next(keys), message, first=not replies)
            if reply is None:
                waiting.append(wish)
                heard.append(understood(None, parse_data(wish)))
                continue
            heard.append(understood(await self._tracker()))
            if replies and replies[-1].asking and _repeats_question(reply):
                replies[-1].contents.pop()
            replies.append(reply)
        if self._output.handoff:
            waiting += self._withdraw_questions(replies)
            self._name_unanswered([parse_data(wish) for wish in waiting])
        elif waiting:
            await self._remember(waiting, next(keys))
        for reply in replies:
            self._output.contents += reply.contents
        return heard

    async def _reply(
        self, wish: Wish, context: ActionContext, message: str, *, first: bool
    ) -> _Reply | None:
        """Answers a wish; None when it has to wait, because the bot would ask two things at once.

        Whether it would is known when it has been tried. An action that asks has changed nothing
        yet, so the attempt is undone.
        """
        tracker = await self._tracker()
        waits = tracker is not None and bool(tracker.active_loop_name) and not first
        if tracker is None or WAITING_SLOT not in tracker.slots:
            waits = False
        elif waits and (not wish.sure or self._takes(tracker, wish)):
            return None
        added, before = len(self._memory.new), len(self._output.contents)
        if tracker and not wish.sure:
            await self._say(tracker, BACK_TO, {"wish": wish.text[:_QUOTED]})
        await self._handle(wish.text, parse_data(wish), context, message)
        contents = self._output.contents[before:]
        del self._output.contents[before:]
        opened = any(self._starts_form(event) for event in self._memory.new[added:])
        if waits and opened and not self._output.handoff:
            self._memory.undo(added)
            return None
        tracker = await self._tracker()
        return _Reply(wish, contents, opened, bool(tracker and tracker.active_loop_name))

    def _takes(self, tracker: DialogueStateTracker, wish: Wish) -> bool:
        """Whether the form that is asking would take the wish for a value."""
        form, asked = tracker.active_loop_name, str(tracker.get_slot(REQUESTED_SLOT))
        entities = wish.parse.get("entities") or []
        return takes(self._processor.domain, str(form), asked, wish.intent, entities)

    def _starts_form(self, event: Mapping[str, Any]) -> bool:
        forms = self._processor.domain.form_names
        return event.get("event") in ("followup", "active_loop") and event.get("name") in forms

    def _withdraw_questions(self, replies: Sequence[_Reply]) -> list[Wish]:
        """A human goes on: what the bot was going to ask is theirs to ask.

        Returns:
            The wishes that are thus without an answer.
        """
        asked = [reply for reply in replies[:-1] if reply.opened]
        for reply in asked:
            reply.contents.clear()
        return [reply.wish for reply in asked]

    # --- wishes that wait ---------------------------------------------------------------------

    async def _remember(self, waiting: Sequence[Wish], context: ActionContext) -> None:
        tracker = await self._tracker()
        if tracker is None:
            return
        at = context.now.timestamp()
        kept = [{"at": at, **parse_data(wish)} for wish in waiting]
        await self._keep(tracker, [*waiting_in(tracker), *kept])
        await self._say(tracker, ONE_BY_ONE, {})

    async def _take_up(
        self, keys: Iterator[ActionContext], message: str, *, refused: bool
    ) -> list[dict[str, object]]:
        """Answers what waits, once nothing is being asked any more.

        Args:
            refused: Whether a form did not take the message for an answer.
        """
        heard: list[dict[str, object]] = []
        tracker = await self._tracker()
        waiting = waiting_in(tracker)
        if tracker is None or not waiting:
            return heard
        if self._output.handoff:
            self._name_unanswered(waiting)
            await self._keep(tracker, [])
            return heard
        while waiting and not self._output.handoff and not tracker.active_loop_name:
            context = next(keys)
            now = context.now.timestamp()
            waiting = still_wanted(waiting, tracker, now, refused=refused)
            await self._keep(tracker, waiting[1:])
            for wish in waiting[:1]:
                text = str(wish["text"])
                await self._say(tracker, BACK_TO, {"wish": text[:_QUOTED]})
                await self._handle(text, wish, context, message)
                tracker = await self._tracker() or tracker
                heard.append({**understood(tracker), "earlier": True})
            waiting = waiting_in(tracker)
        return heard

    async def _keep(
        self, tracker: DialogueStateTracker, waiting: Sequence[Mapping[str, Any]]
    ) -> None:
        tracker.update(SlotSet(WAITING_SLOT, list(waiting) or None))
        await self._agent.tracker_store.save(tracker)

    def _name_unanswered(self, parses: Sequence[Mapping[str, Any]]) -> None:
        """Tells the human who takes over what the bot has not answered."""
        request = self._output.handoff
        if request is None or not parses:
            return
        known = request.evidence.get("not_answered")
        names = [*(known if isinstance(known, list) else []), *(intent_of(p) for p in parses)]
        evidence = {**request.evidence, "not_answered": names}
        self._output.handoff = HandoffRequest(request.reason, evidence)

    async def _say(
        self, tracker: DialogueStateTracker, response: str, facts: Mapping[str, str]
    ) -> None:
        """Says a response of the domain, if there is one."""
        message = await self._processor.nlg.generate(
            response, tracker, self._output.name(), **facts
        )
        if message is not None:
            await self._output.send_response(self._conversation, dict(message))
            tracker.update(create_bot_utterance(message))
            await self._agent.tracker_store.save(tracker)

    @property
    def _processor(self) -> MessageProcessor:
        if self._agent.processor is None:
            raise ModelError("no model is loaded")
        return self._agent.processor

    async def _tracker(self) -> DialogueStateTracker | None:
        tracker: DialogueStateTracker | None = await self._agent.tracker_store.retrieve(
            self._conversation
        )
        return tracker


def _text(message: StoredInbound) -> str:
    return typed_text(message.text, message.attachments)


def _keys(context: ActionContext) -> Iterator[ActionContext]:
    """The context for each wish in turn: what two of them write must not count as one."""
    yield context
    for number in itertools.count(2):
        yield replace(context, key=f"{context.key}:{number}")


def _repeats_question(reply: _Reply) -> bool:
    """Whether a form says its question again, after the answer to something else."""
    return reply.asking and not reply.opened and len(reply.contents) > 1

"""Rasa's tracker store on our own tables.

Inside a turn the store reads from and writes to a `TurnMemory`: the turn's one transaction writes
the events together with everything else. Outside a turn it opens transactions of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import select

from bot.dialogue.tracker import ConversationTracker
from bot.store import events, turns
from bot.store import tables as t
from bot.store.database import Database


@dataclass(slots=True)
class TurnMemory:
    """One conversation's events during one turn.

    Attributes:
        loaded: Events as the store had them; empty where the tracker is given.
        tracker: The tracker made of them; kept for all messages of the turn.
        counted: How many of the tracker's events are accounted for.
        new: Events that the turn added.
    """

    conversation: str
    loaded: list[dict[str, Any]]
    tracker: DialogueStateTracker | None = None
    counted: int = 0
    new: list[dict[str, Any]] = field(default_factory=list)
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self.counted = len(self.tracker.events) if self.tracker else 0
        self._before = len(self.loaded) or self.counted

    def undo(self, kept: int) -> None:
        """Goes back to when the turn had added so many events; what came after never happened."""
        if not self.loaded and self._before and self.tracker:
            self.loaded = [event.as_dict() for event in self.tracker.events]
        self.loaded = [*self.loaded[: self._before], *self.new[:kept]]
        del self.new[kept:]
        self.tracker = None


class RecentTrackers:
    """Trackers of conversations that were answered lately, each with its last event's number.

    Reading and replaying a conversation's events takes longer than the rest of a turn. A tracker is
    used again only where the store still says the same number, and by one turn at a time: whoever
    takes it must give it back.

    Args:
        size: How many are kept; the one that was not used for longest goes first.
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._known: OrderedDict[str, tuple[int, DialogueStateTracker]] = OrderedDict()

    def take(self, conversation: str, last_event: int) -> DialogueStateTracker | None:
        """The tracker, unless the conversation has gone on without it."""
        number, tracker = self._known.pop(conversation, (None, None))
        return tracker if number == last_event else None

    def keep(self, tracker: DialogueStateTracker, last_event: int) -> None:
        """Remembers a tracker as it was stored."""
        self._known[tracker.sender_id] = (last_event, tracker)
        if len(self._known) > self._size:
            self._known.popitem(last=False)


current_turn: ContextVar[TurnMemory | None] = ContextVar("current_turn", default=None)


class ConversationTrackerStore(TrackerStore):
    """Keeps trackers in the `event` table.

    Args:
        domain: As Rasa gives it.
        database: Where the table is.
    """

    def __init__(
        self, domain: Domain | None, database: Database, event_broker: EventBroker | None = None
    ) -> None:
        super().__init__(domain, event_broker)
        self._database = database

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation since its newest session started.

        None when it never began. In a turn it is empty then: Rasa would make a tracker of its own.
        """
        memory = current_turn.get()
        if memory is None or memory.conversation != sender_id:
            async with self._database.read() as connection:
                known = await events.load(connection, sender_id)
            return self._tracker(sender_id, known) if known else None
        if memory.tracker is None:
            memory.tracker = self._tracker(sender_id, memory.loaded)
            memory.counted = len(memory.tracker.events)
        return memory.tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keeps the events that were added since the tracker was read."""
        memory = current_turn.get()
        if memory is not None and memory.conversation == tracker.sender_id:
            memory.tracker = tracker
            made = list(tracker.events)
            memory.new.extend(event.as_dict() for event in made[memory.counted :])
            memory.counted = len(made)
            return
        await self._save_outside_turn(tracker)

    async def _save_outside_turn(self, tracker: DialogueStateTracker) -> None:
        async with self._database.write() as connection:
            known = await events.load(connection, tracker.sender_id)
            row = await turns.conversation(connection, tracker.sender_id, for_update=True)
            if row is not None:
                new = [e.as_dict() for e in list(tracker.events)[len(known) :]]
                await events.append(connection, row.id, row.last_event + 1, new)

    def _tracker(self, sender_id: str, known: list[dict[str, Any]]) -> ConversationTracker:
        tracker: ConversationTracker = ConversationTracker.from_dict(
            sender_id, known, self.domain.slots, self.max_event_history
        )
        return tracker

    async def keys(self) -> Iterable[str]:
        """The ids of all conversations."""
        async with self._database.read() as connection:
            return list(await connection.scalars(select(t.conversation.c.id)))

"""What must hold after a run: nothing lost, nothing done twice, nothing out of order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from bot.core.messages import Author, Status
from bot.store import tables as t
from bot.store.database import Database
from tests.crash.platform import Sent
from tests.standins.twilio import Message

_ARRIVED = (Status.SENT, Status.DELIVERED, Status.READ)


@dataclass(slots=True)
class Found:
    """Violations, each with the message or conversation it was seen in.

    Attributes:
        lost: Acknowledged and not processed, or never acknowledged although it was sent again.
        unanswered: Processed, and the platform never got the answer.
        double_turns: Stored or answered by more than one turn.
        reordered: Not in the order of sending, at either end.
        duplicates: What customers saw twice.
        unrecorded: Of these, what no row admits.
        resent: Rows that were sent again since a crash left them open.
        turns: Turns that processed messages.
    """

    lost: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    double_turns: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    resent: int = 0
    turns: int = 0


@dataclass(slots=True)
class Stored:
    """One conversation as the database has it, in order."""

    inbound: list[Row[Any]] = field(default_factory=list)
    outbound: list[Row[Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


async def read(database: Database, customers: Iterable[str]) -> dict[str, Stored]:
    """Conversations by the customer's number; those of other runs are left out."""
    stored = {customer: Stored() for customer in customers}
    sender = t.conversation.c.sender
    messages = select(t.message, sender).join(t.conversation).order_by(t.message.c.seq)
    events = select(t.event, sender).join(t.conversation).order_by(t.event.c.number)
    async with database.read() as connection:
        for row in await connection.execute(messages):
            if row.sender in stored:
                own = stored[row.sender]
                (own.inbound if row.author == Author.CUSTOMER else own.outbound).append(row)
        for row in await connection.execute(events):
            if row.sender in stored:
                stored[row.sender].numbers.append(row.number)
                if row.type == "user":
                    stored[row.sender].heard.append(str(row.data["message_id"]))
    return stored


async def quiet(database: Database, customers: Iterable[str]) -> bool:
    """Whether nothing waits for its turn or for delivery."""
    waiting = (Status.RECEIVED, Status.PENDING, Status.SENDING)
    query = select(t.conversation.c.sender).join(t.message).where(t.message.c.status.in_(waiting))
    async with database.read() as connection:
        return not {row.sender for row in await connection.execute(query)} & set(customers)


def check(
    sent: Mapping[str, Sequence[Sent]],
    stored: Mapping[str, Stored],
    received: Sequence[Message],
) -> Found:
    """Compares what was sent, what is stored and what the platform received."""
    found = Found()
    arrived: dict[str, list[Message]] = defaultdict(list)
    for message in received:
        arrived[message.to].append(message)
    for customer, lines in sent.items():
        own = stored[customer]
        _check_inbound(found, lines, own)
        _check_turns(found, customer, own)
        _check_outbound(found, customer, own, arrived[customer])
    return found


def _check_inbound(found: Found, lines: Sequence[Sent], own: Stored) -> None:
    by_sid = defaultdict(list)
    for row in own.inbound:
        by_sid[_sid(row.inbound_key)].append(row)
    for line in lines:
        rows = by_sid.pop(line.sid, [])
        if not line.acknowledged or not rows or rows[0].status != Status.PROCESSED:
            found.lost.append(line.sid)
        if len(rows) > 1:
            found.double_turns.append(f"{line.sid} is stored {len(rows)} times")
    found.double_turns += [f"{sid} was never sent" for sid in by_sid]
    places = {line.sid: place for place, line in enumerate(lines)}
    order = [places[sid] for row in own.inbound if (sid := _sid(row.inbound_key)) in places]
    if order != sorted(order):
        found.reordered.append(f"the transcript of {lines[0].customer}: {order}")


def _check_turns(found: Found, customer: str, own: Stored) -> None:
    processed = [row.id for row in own.inbound if row.status == Status.PROCESSED]
    for message, times in Counter(own.heard).items():
        if times > 1:
            found.double_turns.append(f"the tracker of {customer} has {message} {times} times")
    missing = set(processed) - set(own.heard)
    found.lost += [f"the tracker of {customer} lacks {message}" for message in missing]
    if own.heard != [message for message in processed if message not in missing]:
        found.reordered.append(f"the tracker of {customer}")
    if own.numbers != list(range(1, len(own.numbers) + 1)):
        found.double_turns.append(f"the tracker of {customer} has gaps")
    turns = {row.turn_id for row in own.inbound}
    found.turns += len(turns)
    answers = Counter(row.turn_id for row in own.outbound)
    asked = Counter(row.turn_id for row in own.inbound)
    for turn in turns:
        # Each of the questions has exactly one answer.
        if answers[turn] < asked[turn]:
            found.unanswered.append(f"turn {turn}: {asked[turn]} asked, {answers[turn]} answered")
        if answers[turn] > asked[turn]:
            found.double_turns.append(f"turn {turn}: {asked[turn]} asked, {answers[turn]} answered")
    strange = set(answers) - turns
    found.double_turns += [f"turn {turn} answers nothing in {customer}" for turn in strange]


def _check_outbound(found: Found, customer: str, own: Stored, arrived: Sequence[Message]) -> None:
    rows: dict[str, Row[Any]] = {}
    for row in own.outbound:
        sid = _sid(row.provider_key)
        if row.status not in _ARRIVED:
            found.unanswered.append(f"{row.id} is {row.status}")
        elif sid in rows:
            found.unanswered.append(f"{row.id} counts as sent by what {rows[sid].id} sent")
        else:
            rows[sid] = row
    platform = {message.sid for message in arrived}
    found.unanswered += [f"{rows[sid].id} never arrived" for sid in rows if sid not in platform]
    seqs = [rows[message.sid].seq for message in arrived if message.sid in rows]
    if seqs != sorted(seqs):
        found.reordered.append(f"what {customer} received: {seqs}")
    resent = [row.text for row in own.outbound if row.resent]
    found.resent += len(resent)
    for message in arrived:
        if message.sid not in rows:
            found.duplicates.append(message.sid)
            match = next((text for text in resent if message.body.startswith(text)), None)
            if match is None:
                found.unrecorded.append(message.sid)
            else:
                resent.remove(match)


def _sid(key: str | None) -> str:
    return (key or "").rpartition("\x1f")[2]

"""What is sent and when processes are killed: chosen by a seed before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

# Points that every conversation passes; the order of a message's way.
POINTS = (
    "receive.before_commit",
    "receive.after_commit",
    "turn.claimed",
    "turn.answered",
    "turn.before_commit",
    "turn.after_commit",
    "deliver.before_send",
    "deliver.after_send",
    "deliver.after_commit",
)
# Cheap to answer, and none of them makes the bot call a human: after that it would be silent.
QUESTIONS = (
    "hi",
    "hello",
    "good morning",
    "thanks",
    "thank you",
    "are you a robot",
    "bye",
    "what are your opening hours in leeds",
    "which payment methods do you take",
    "how long does delivery take",
)
# A customer who asks the same thing again is dissatisfied, and the bot counts that.
_NOT_AGAIN_WITHIN = 5
_LONGEST_BURST = 4
_LATEST_DUPLICATE = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a customer.

    Attributes:
        text: What is written.
        beside: Copies of the same webhook that are posted at the same moment.
        later: Seconds after which further copies come, as of a platform that tries again although
            it was told that all is well.
        waits: Whether the customer waits for an answer before the next message.
        pause: Seconds before the next message.
    """

    text: str
    beside: int = 0
    later: tuple[float, ...] = ()
    waits: bool = False
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL.

    Attributes:
        after: Acknowledged messages at which it is due.
        point: The named point at which the process dies, or None for any moment.
        passes: How often it passes that point before.
    """

    after: int
    point: str | None
    passes: int = 1

    @property
    def variable(self) -> str:
        """For FRONTDESK_KILL_AT."""
        return f"{self.point}:{self.passes}" if self.point else ""


def conversations(random: Random, messages: int, count: int, duplicates: float) -> list[list[Line]]:
    """So many messages, shared among so many customers, each in the order of sending.

    Args:
        duplicates: The share of messages whose webhook comes more than once.
    """
    shares = [messages // count + (index < messages % count) for index in range(count)]
    return [_conversation(random, share, duplicates) for share in shares]


def _conversation(random: Random, messages: int, duplicates: float) -> list[Line]:
    lines: list[Line] = []
    while len(lines) < messages:
        burst = random.randint(1, _LONGEST_BURST)
        for place in range(min(burst, messages - len(lines))):
            recent = {line.text for line in lines[-_NOT_AGAIN_WITHIN:]}
            text = random.choice([q for q in QUESTIONS if q not in recent])
            lines.append(_line(random, text, duplicates, ends_burst=place == burst - 1))
    return lines


def _line(random: Random, text: str, duplicates: float, *, ends_burst: bool) -> Line:
    beside = 0
    later: tuple[float, ...] = ()
    if random.random() < duplicates:
        if random.random() < 0.5:
            beside = random.randint(1, 3)
        else:
            later = (random.uniform(0.0, _LATEST_DUPLICATE),)
    if not ends_burst:
        return Line(text, beside, later)
    return Line(text, beside, later, random.random() < 0.7, random.uniform(0.0, 0.3))


def kills(random: Random, count: int, messages: int) -> list[Kill]:
    """Kills spread over the run: half at named points, each point in its turn, half at any moment.

    Args:
        messages: How many will be acknowledged in all.
    """
    gap = messages / (count + 1)
    points = _in_turns(random, (count + 1) // 2)
    planned = []
    for number in range(count):
        after = round(gap * (number + random.uniform(0.6, 1.2)))
        point = points.pop() if number % 2 == 0 else None
        planned.append(Kill(max(1, after), point, random.randint(1, max(1, round(gap / 2)))))
    return planned


def _in_turns(random: Random, count: int) -> list[str]:
    chosen: list[str] = []
    while len(chosen) < count:
        chosen += random.sample(POINTS, len(POINTS))
    return chosen[:count]


def total(lines: Sequence[Sequence[Line]]) -> int:
    """How many messages there are."""
    return sum(len(conversation) for conversation in lines)
